"""Quotes and the limits, by hand: each side at its worst, what reduces is left alone."""

from __future__ import annotations

import pytest

from crypto_quant.core.errors import InvariantError
from crypto_quant.core.messages import Allocation, Order, OrderType, Quote, Side, Target
from tests.unit.strategy.account import DAY, MODEL, PERP, TERMS, Account
from tests.unit.strategy.test_risk_manager import manager

MID = 5_000_000
"""50,000.00: a lot of 0.001 is worth 50."""
FREE = {"require_stop": False, "loss_at_stop": 1.0}


def bids(*quantities: int) -> tuple[Quote, ...]:
    return tuple(Quote(Side.BUY, MID - 10 * (n + 1), q) for n, q in enumerate(quantities))


def asks(*quantities: int) -> tuple[Quote, ...]:
    return tuple(Quote(Side.SELL, MID + 10 * (n + 1), q) for n, q in enumerate(quantities))


def target(*quotes: Quote, held: int = 0) -> Target:
    return Target(0, "model", PERP, held, None, "grid", quotes)


def cut(view: Account, *quotes: Quote, **limits: object) -> tuple[Quote, ...]:
    """Return what risk leaves of the model's quotes."""
    held = view.position(MODEL, PERP)
    (left,) = manager(**{**FREE, **limits}).shrink([target(*quotes, held=held)], view, TERMS)
    assert left.quotes is not None
    return left.quotes


def test_quotes_within_every_limit_stay_the_same_object() -> None:
    wanted = target(*bids(10, 10), *asks(10, 10))
    (left,) = manager(**FREE).shrink([wanted], Account(), TERMS)
    assert left is wanted


def test_each_side_is_taken_at_its_worst_not_at_the_net() -> None:
    """Without a stop all of 100,000 may be lost, that is 2,000 lots: 1,000 of them are held."""
    view = Account(held={(MODEL, PERP): 1_000})
    left = cut(view, *bids(600, 600, 600), *asks(2_500, 2_500))
    assert left == (*bids(600, 400), *asks(2_500, 500))


def test_quotes_of_a_wake_up_are_judged_beside_those_accepted_before() -> None:
    """Two sleeves, 1,500 lots each, and a notional of 100,000 in all: 500 lots are left."""
    first = target(*bids(1_500))
    second = first._replace(sleeve="carry")
    one, other = manager(**FREE, notional=1.0).shrink([first, second], Account(), TERMS)
    assert one is first
    assert other.quotes == bids(500)


def test_the_quotes_nearest_to_the_market_are_kept() -> None:
    far_first = tuple(reversed(bids(800, 800, 1_500)))
    assert cut(Account(), *far_first) == tuple(reversed(bids(800, 800, 400)))


def test_a_rest_that_the_venue_would_refuse_is_dropped() -> None:
    """1,999 lots leave room for one, worth 50: the venue takes 100 and more."""
    view = Account(held={(MODEL, PERP): 1_999})
    assert cut(view, *bids(10), *asks(5)) == asks(5)


@pytest.mark.parametrize("held", [5_000, -5_000])
def test_what_only_reduces_is_never_blocked(held: int) -> None:
    """Far over every limit, on a halted day: only what closes may be quoted."""
    view = Account(equity=90_000.0, held={(MODEL, PERP): held})
    risk = manager()
    assert risk.observe(view)
    assert not risk.observe(view)  # it began before
    assert risk.state.halted_day == view.now // DAY
    wanted = target(*bids(3_000, 3_000), *asks(3_000, 3_000), held=held)
    (left,) = risk.shrink([wanted], view, TERMS)
    closing = asks(3_000, 2_000) if held > 0 else bids(3_000, 2_000)
    assert left.quotes == closing
    assert left.reason.startswith("grid; cut by ")
    assert "daily_loss" in left.reason
    orders = [quoted(q, n) for n, q in enumerate(closing, 1)]
    assert [a.order for a in risk.stamp(orders, view, TERMS).approved] == orders


def test_without_a_stop_nothing_opens_unless_the_config_says_so() -> None:
    assert cut(Account(), *bids(10), *asks(10), require_stop=True) == ()
    view = Account(held={(MODEL, PERP): 10})
    assert cut(view, *bids(10), *asks(10), require_stop=True) == asks(10)


def test_a_position_without_a_stop_may_be_worth_its_whole_budget() -> None:
    """1 % of 100,000 is 1,000: 20 lots of 50."""
    assert cut(Account(), *bids(15, 15), loss_at_stop=0.01) == bids(15, 5)


def test_before_the_first_trade_the_book_gives_the_price() -> None:
    view = Account(prices={}, bids={PERP: MID - 10}, asks={PERP: MID})
    assert cut(view, *bids(1_500, 1_500)) == bids(1_500, 500)


def quoted(quote: Quote, number: int) -> Order:
    side = 1 if quote.side is Side.BUY else -1
    part = (Allocation(MODEL, side * quote.quantity),)
    return Order(
        0, number, PERP, *(quote.side, quote.quantity, OrderType.POST_ONLY, quote.px),
        None, False, part, "grid", True,
    )  # fmt: skip


def test_a_refused_quote_takes_no_other_with_it() -> None:
    """2,000 lots fit twice on opposite sides; the third order is one too many."""
    orders = [quoted(q, n) for n, q in enumerate((*bids(2_000, 1_500), *asks(2_000)), 1)]
    stamped = manager(**FREE).stamp(orders, Account(), TERMS)
    assert [a.order.id for a in stamped.approved] == [1, 3]
    assert [r.order for r in stamped.refused] == [orders[1]]


@pytest.mark.parametrize(
    ("quotes", "what"),
    [
        ((Quote(Side.BUY, MID + 5, 1),), "tick 10"),
        ((Quote(Side.BUY, 0, 1),), "positive"),
        ((Quote(Side.SELL, MID, 0),), "lot 1"),
        ((Quote(Side.BUY, MID, 1), Quote(Side.SELL, MID, 1)), "meets"),
        ((Quote(Side.BUY, MID + 10, 1), Quote(Side.SELL, MID, 1)), "meets"),
        ((Quote(Side.BUY, MID, 1), Quote(Side.BUY, MID, 2)), "one price"),
        ((Quote("buy", MID, 1),), "buy 1 at 5000000: expected a Side"),  # type: ignore[arg-type]
    ],
)
def test_unsound_quotes_are_a_fault_of_their_sleeve(quotes: tuple[Quote, ...], what: str) -> None:
    with pytest.raises(InvariantError, match=rf"sleeve model, instrument 1: .*{what}"):
        manager(**FREE).shrink([target(*quotes)], Account(), TERMS)


def test_an_amendment_that_only_gets_smaller_is_stamped_and_no_other() -> None:
    before = quoted(bids(10)[0], 7)
    after = quoted(bids(4)[0], 7)
    risk = manager()
    assert [a.order for a in risk.lessen([(before, after)])] == [after]
    for wrong in (before, quoted(bids(11)[0], 7), after._replace(price=MID), quoted(asks(4)[0], 7)):
        with pytest.raises(InvariantError, match="order 7 does more"):
            risk.lessen([(before, wrong)])
