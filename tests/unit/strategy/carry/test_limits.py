"""The sleeve asks for no more than the risk manager lets through."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crypto_quant.core.messages import Transfer, Wallet
from crypto_quant.strategy.carry import CarrySleeve
from crypto_quant.strategy.carry.pair import Pair
from crypto_quant.strategy.carry.state import NOTHING
from crypto_quant.strategy.risk_manager.config import RiskConfig
from tests.unit.strategy.account import CARRY, HOUR, PERP, SPOT, TERMS, Account
from tests.unit.strategy.carry.desk import STEPS, build, fill, open_desk, quantities
from tests.unit.strategy.test_risk_manager import manager


def _alone() -> tuple[CarrySleeve, Account]:
    """Return a sleeve whose 50,000 are all that the account has."""
    sleeve, view = open_desk(config=STEPS)
    view.equity = view.day_start_equity = 50_000.0
    return sleeve, view


def test_pair_is_built_to_what_may_be_lost_with_it_by_hand() -> None:
    """1 % of 50,000 over 1 % + 0.5 % + 4 (10 bp + 5 bp): 23,809 of spot, 0.476 BTC at 50,000."""
    sleeve, view = _alone()
    assert build(view, sleeve, 9)[6:] == [(47_600, -476)] * 3
    assert sleeve.state.goal is None


def _rich() -> tuple[CarrySleeve, Account]:
    """Return a capped pair whose margin asks for growth, at a price of 48,000."""
    sleeve, view = _alone()
    view.equity = 48_000.0
    view.prices = {SPOT: 4_800_000, PERP: 4_800_000}
    build(view, sleeve, 9)
    assert view.held[CARRY, PERP] == -476
    view.margins[CARRY] = 0.7 * 0.476 * 48_000
    view.money[CARRY, Wallet.MARGIN] = 15_000.0
    view.money[CARRY, Wallet.SPOT] = 0.0
    return sleeve, view


def test_capped_pair_neither_asks_nor_moves_money_until_there_is_room() -> None:
    sleeve, view = _rich()
    for equity in (48_000.0, 48_900.0):  # room for 0.009 BTC, less than 2 % of the pair
        view.equity = equity
        view.now += 25 * HOUR
        assert sleeve.on_timer(view, TERMS) == NOTHING
    view.equity = 49_000.0  # 0.486 BTC
    (transfer,) = sleeve.on_timer(view, TERMS).commands
    assert isinstance(transfer, Transfer)
    assert float(transfer.amount) == pytest.approx(0.010 * 48_000 * 1.003, abs=0.01)
    view.money[CARRY, Wallet.SPOT] += float(transfer.amount)
    view.now += HOUR
    # Money moves in whole cents: the last lot is not quite paid for.
    assert quantities(sleeve.on_timer(view, TERMS)) == (48_500, -485)


@given(st.floats(0.0, 1e7), st.floats(1_000.0, 200_000.0))
@example(513.9623441800004, 46_584.1)  # 10.999 999 3 lots
def test_cash_buys_lots_that_it_pays_for_in_whole(cash: float, price: float) -> None:
    pair = Pair(TERMS[SPOT], TERMS[PERP], STEPS, RiskConfig())
    prices = (price, price)
    spot, _ = pair.step(0.0, pair.bought(cash, prices), 1e12, prices)
    lots, paid = spot // 100, cash * 1_000 / (price * pair.paid)
    assert lots <= paid
    assert paid < lots + 1 + 2e-6 or lots * price < 100_000.0  # too small to be traded


@given(
    st.lists(
        st.tuples(
            st.floats(-0.04, 0.04),
            st.floats(-0.005, 0.005),
            st.floats(0.05, 2.0),
            st.floats(-0.03, 0.03),
        ),
        min_size=15,
        max_size=40,
    ),
    st.floats(20_000, 100_000),
)
def test_no_target_is_cut_whatever_prices_margin_and_equity_do(
    moves: list[tuple[float, float, float, float]], equity: float
) -> None:
    sleeve, view = open_desk(config=STEPS)
    view.equity = view.day_start_equity = equity
    for change, basis, ratio, gained in moves:
        spot = view.prices[SPOT] * (1 + change) * (1 + basis) // 1
        perp = view.prices[SPOT] * (1 + change) // 10 * 10
        view.prices = {SPOT: int(spot), PERP: int(perp)}
        view.equity *= 1 + gained
        view.day_start_equity = view.equity
        if short := -view.position(CARRY, PERP):
            view.margins[CARRY] = ratio * short * 0.001 * perp / 100
            view.money[CARRY, Wallet.MARGIN] = view.margins[CARRY] / 2
        wanted = sleeve.on_timer(view, TERMS)
        for transfer in wanted.commands:
            if not isinstance(transfer, Transfer):
                continue
            source = transfer.source
            other = Wallet.MARGIN if source is Wallet.SPOT else Wallet.SPOT
            view.money[CARRY, source] -= float(transfer.amount)
            view.money[CARRY, other] += float(transfer.amount)
        if wanted.targets:
            assert manager().shrink(wanted.targets, view, TERMS) == wanted.targets
            fill(view, *quantities(wanted))
            sleeve.on_account(view)
        view.now += 25 * HOUR
