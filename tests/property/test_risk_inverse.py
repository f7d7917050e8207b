"""Limits of inverse contracts against a naive account in exact dollars and coins."""

from __future__ import annotations

from decimal import Decimal, localcontext
from fractions import Fraction
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from crypto_quant.core.messages import Order, Quote, Side, Target
from tests.unit.strategy.account import PERP
from tests.unit.strategy.coin import MID, TERMS, account, quoted
from tests.unit.strategy.test_risk_manager import manager

EQUITY = Decimal(100_000)
CONTRACT = Decimal(100)
"""Dollars in one, at every price."""
HELD = st.integers(-900, 900)
PRICES = st.integers(100_000, 1_500_000)
SIZES = st.integers(-2_000, 2_000).filter(bool)
FREE: dict[str, object] = {"require_stop": False, "loss_at_stop": 1.0}


def worst(held: int, orders: list[Order]) -> Decimal:
    """Return the largest notional that any set of the orders leads to if it fills."""
    signed = [o.quantity * (1 if o.side is Side.BUY else -1) for o in orders]
    sets = (own for n in range(len(signed) + 1) for own in combinations(signed, n))
    return max(abs(held + sum(own)) for own in sets) * CONTRACT


def fits(held: int, orders: list[Order]) -> bool:
    """Tell whether the worst case keeps three times the equity and 30 % of it at 5 times."""
    notional = worst(held, orders)
    return notional <= 3 * EQUITY and notional / 5 <= Decimal("0.3") * EQUITY


@given(HELD, st.lists(st.tuples(SIZES, PRICES), min_size=1, max_size=5), PRICES)
def test_orders_pass_exactly_while_the_worst_case_fits(
    held: int, wanted: list[tuple[int, int]], px: int
) -> None:
    """What only shrinks passes in any case; the price of an order makes no difference."""
    orders = [quoted(n, quantity, own) for n, (quantity, own) in enumerate(wanted, 1)]
    stamped = manager(**FREE).stamp(orders, account(held, px=px), TERMS)
    left = [approved.order for approved in stamped.approved]
    refused = {own.order.id for own in stamped.refused if isinstance(own.order, Order)}
    for order in orders:
        before = [own for own in left if own.id < order.id]
        grows = worst(held, [*before, order]) > worst(held, before)
        if order.id in refused:
            assert grows
            assert not fits(held, [*before, order])
        else:
            assert order in left
            assert fits(held, [*before, order]) or not grows


@given(HELD, SIZES, PRICES, PRICES)
def test_a_target_with_a_stop_loses_no_more_than_its_share_in_coin(
    held: int, quantity: int, px: int, stop: int
) -> None:
    """The loss ``q (1 / entry - 1 / exit)``, with the gap and both sides' costs, in dollars."""
    view = account(held, px=px)
    (got,) = manager().shrink([Target(0, "model", PERP, quantity, stop, "t")], view, TERMS)
    size, side = abs(got.quantity), 1 if quantity > 0 else -1
    assert size <= abs(quantity)
    assert got.quantity * quantity >= 0
    if size <= abs(held) and got.quantity * held >= 0:
        return
    assert (px - stop) * side > 0
    dollars = size * Fraction(CONTRACT)
    coins = dollars * (Fraction(1, stop) - Fraction(1, px)) * side
    lost = coins * stop + dollars * (Fraction(5, 1_000) + 2 * Fraction(1, 1_000))
    slack = 1 + Fraction(1, 10**9)
    assert lost <= Fraction(EQUITY) / 100 * slack
    assert dollars / 5 <= Fraction(EQUITY) * Fraction(3, 10) * slack
    # One contract more would break a limit, or is not asked for.
    with localcontext(prec=50):
        more = (size + 1) * Fraction(CONTRACT)
        unit = (Fraction(1, stop) - Fraction(1, px)) * side * stop + Fraction(7, 1_000)
        broken = more * unit > Fraction(EQUITY) / 100 / slack
        broken |= more / 5 > Fraction(EQUITY) * Fraction(3, 10) / slack
        assert size == abs(quantity) or broken


@given(HELD, st.lists(st.integers(1, 900), max_size=4), st.lists(st.integers(1, 900), max_size=4))
def test_quotes_that_are_left_fit_with_either_side_filled(
    held: int, bought: list[int], sold: list[int]
) -> None:
    """All of a side and nothing of the other: no limit, and not more than all may be lost."""
    bids = [Quote(Side.BUY, MID - 1 - n, q) for n, q in enumerate(bought)]
    asks = [Quote(Side.SELL, MID + 1 + n, q) for n, q in enumerate(sold)]
    wanted = Target(0, "model", PERP, held, None, "grid", (*bids, *asks))
    (left,) = manager(**FREE).shrink([wanted], account(held), TERMS)
    kept = left.quotes or ()
    for side, sign, asked in ((Side.BUY, 1, sum(bought)), (Side.SELL, -1, sum(sold))):
        own = sum(q.quantity for q in kept if q.side is side)
        end = (held + sign * own) * sign
        most = int(min(EQUITY, 3 * EQUITY, Decimal("0.3") * EQUITY * 5) / CONTRACT)
        assert own == min(asked, max(0, most - sign * held))
        assert end <= max(most, sign * held)
