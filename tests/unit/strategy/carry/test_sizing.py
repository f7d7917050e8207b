"""The size of an open pair: capital split, margin topped up, growth, and why it is closed."""

from __future__ import annotations

from decimal import Decimal

import pytest

from crypto_quant.core.messages import Transfer, Wallet
from crypto_quant.strategy.carry.state import NOTHING, Phase
from tests.unit.strategy.account import CARRY, HOUR, PERP, PERP_TERMS, SPOT, SPOT_TERMS, TERMS
from tests.unit.strategy.carry.desk import CONFIG, fill, open_desk, opened, quantities


def test_capital_is_split_before_a_pair_is_opened() -> None:
    sleeve, view = open_desk()
    view.money = {(CARRY, Wallet.SPOT): 50_000.0, (CARRY, Wallet.MARGIN): 0.0}
    moves = sleeve.on_timer(view, TERMS)
    assert moves.targets == ()
    (transfer,) = moves.commands
    assert isinstance(transfer, Transfer)
    assert (transfer.source, transfer.amount) == (Wallet.SPOT, Decimal("12500.00"))


def test_thin_margin_is_topped_up_by_shrinking_both_legs() -> None:
    sleeve, view = opened()
    view.prices = {SPOT: 6_000_000, PERP: 6_000_000}
    view.margins[CARRY] = 12_500.0 - 0.747 * 10_000
    idle = view.money[CARRY, Wallet.SPOT]
    spot, perp = quantities(sleeve.on_timer(view, TERMS))
    assert 0 < spot < 74_700
    assert spot * SPOT_TERMS.size_step == -perp * PERP_TERMS.size_step
    before = view.money[CARRY, Wallet.SPOT]
    fill(view, spot, perp)
    freed = view.money[CARRY, Wallet.SPOT] - before
    moves = sleeve.on_account(view)
    (transfer,) = moves.commands
    assert isinstance(transfer, Transfer)
    assert transfer.source is Wallet.SPOT
    assert float(transfer.amount) == pytest.approx(freed + idle, abs=0.01)
    ratio = (view.margins[CARRY] + float(transfer.amount)) / (-perp * 0.001 * 60_000)
    assert ratio == pytest.approx(CONFIG.margin_target, rel=0.01)


def test_excess_margin_grows_both_legs_after_the_cash_arrived() -> None:
    sleeve, view = opened()
    view.prices = {SPOT: 3_500_000, PERP: 3_500_000}
    view.margins[CARRY] = 12_500.0 + 0.747 * 15_000
    view.money[CARRY, Wallet.MARGIN] = 12_500.0 + 0.747 * 15_000 - 3_000
    moves = sleeve.on_timer(view, TERMS)
    (transfer,) = moves.commands
    assert isinstance(transfer, Transfer)
    assert moves.targets == ()
    assert transfer.source is Wallet.MARGIN
    view.money[CARRY, Wallet.SPOT] += float(transfer.amount)
    view.margins[CARRY] -= float(transfer.amount)
    view.now += HOUR
    spot, perp = quantities(sleeve.on_timer(view, TERMS))
    assert spot > 74_700
    assert spot * SPOT_TERMS.size_step == -perp * PERP_TERMS.size_step
    cost = (spot - 74_700) * 1e-5 * 35_000 * 1.0012
    assert cost <= view.money[CARRY, Wallet.SPOT]


def test_pair_grows_with_the_cash_at_hand_where_the_margin_has_none_to_give() -> None:
    """The short's profit is not realised: it is margin, but no money that could be moved."""
    sleeve, view = opened()
    view.prices = {SPOT: 3_500_000, PERP: 3_500_000}
    view.margins[CARRY] = 12_500.0 + 0.747 * 15_000
    view.money[CARRY, Wallet.MARGIN] = 0.0
    view.money[CARRY, Wallet.SPOT] = 1_000.0
    spot, perp = quantities(sleeve.on_timer(view, TERMS))
    assert (spot - 74_700, perp + 747) == (2_800, -28)  # 1,000 / (35,000 * 1.003)


def test_pair_does_not_grow_on_a_forecast_that_would_not_open_it() -> None:
    sleeve, view = opened()
    sleeve.forecast.reset()
    sleeve.on_funding(view.now - 1, 0.00001, 8.0)
    view.prices = {SPOT: 3_500_000, PERP: 3_500_000}
    view.margins[CARRY] = 12_500.0 + 0.747 * 15_000
    assert sleeve.on_timer(view, TERMS) == NOTHING


def test_pair_closes_on_negative_expected_funding_with_hysteresis() -> None:
    """A quarter of 38 bp over 90 settlements is 0.1056 bp per 8 h below zero."""
    for rate, closes in ((-0.0000104, False), (-0.0000107, True)):
        sleeve, view = opened()
        sleeve.forecast.reset()
        sleeve.on_funding(view.now - 1, rate, 8.0)
        moves = sleeve.on_timer(view, TERMS)
        assert (moves != NOTHING) is closes
        if closes:
            assert quantities(moves) == (0, 0)
            assert moves.targets[0].reason == "negative expected funding"


def test_pair_closes_on_spread_loss() -> None:
    sleeve, view = opened()
    view.prices[PERP] = 5_050_000  # one per cent, not more
    view.margins[CARRY] = 12_500.0
    assert sleeve.on_timer(view, TERMS) == NOTHING
    view.prices[PERP] = 5_050_100
    moves = sleeve.on_timer(view, TERMS)
    assert quantities(moves) == (0, 0)
    assert "spread loss" in moves.targets[0].reason


def test_pair_closes_on_margin_ratio() -> None:
    sleeve, view = opened()
    view.margins[CARRY] = 0.0499 * 0.747 * 50_000
    moves = sleeve.on_timer(view, TERMS)
    assert quantities(moves) == (0, 0)
    assert "margin ratio" in moves.targets[0].reason


def test_reset_forgets_pair_and_forecast() -> None:
    sleeve, view = opened()
    sleeve.reset()
    assert sleeve.state.phase is Phase.FLAT
    view.held.clear()
    assert sleeve.on_timer(view, TERMS) == NOTHING


def test_what_moves_pays_its_fee_on_top_and_a_split_is_waited_for() -> None:
    sleeve, view = open_desk()
    view.money = {(CARRY, Wallet.SPOT): 0.0, (CARRY, Wallet.MARGIN): 50_000.0}
    view.fee = 2.5
    (transfer,) = sleeve.on_timer(view, TERMS).commands
    assert isinstance(transfer, Transfer)
    assert transfer.amount == Decimal("37500.00")  # 12,500 are left for the fee
    view.money = {(CARRY, Wallet.SPOT): 0.0, (CARRY, Wallet.MARGIN): 12_497.5}
    view.on_its_way = 37_500.0
    view.now += HOUR
    assert sleeve.on_timer(view, TERMS) == NOTHING
    view.money[CARRY, Wallet.SPOT], view.on_its_way = 37_500.0, 0.0
    assert sleeve.on_timer(view, TERMS).targets != ()


def test_all_that_is_idle_moves_but_for_the_fee() -> None:
    sleeve, view = opened()
    view.money[CARRY, Wallet.SPOT] = 1_000.0
    view.fee = 2.5
    (transfer,) = sleeve.on_timer(view, TERMS).commands
    assert isinstance(transfer, Transfer)
    assert transfer.amount == Decimal("997.50")
    view.fee = 1_000.0
    view.now += HOUR
    assert sleeve.on_timer(view, TERMS) == NOTHING


def test_margin_on_its_way_keeps_the_size_of_a_pair_but_margins_nothing() -> None:
    """A top-up that is on its way is no reason to shrink again, nor one not to close in need."""
    sleeve, view = opened()
    view.prices = {SPOT: 6_000_000, PERP: 6_000_000}
    view.margins[CARRY] = 0.1 * 7.47 * 6_000
    view.money[CARRY, Wallet.SPOT] = 0.0
    view.on_its_way = 0.2 * 7.47 * 6_000  # together 0.3 of the short: more than margin_low
    assert sleeve.on_timer(view, TERMS) == NOTHING
    view.now += HOUR
    view.margins[CARRY] = 0.04 * 7.47 * 6_000  # below margin_stop, whatever is coming
    view.on_its_way = 0.3 * 7.47 * 6_000
    moves = sleeve.on_timer(view, TERMS)
    assert sleeve.state.phase is Phase.CLOSING
    assert quantities(moves) == (0, 0)


def test_no_second_transfer_leaves_while_one_is_on_its_way() -> None:
    sleeve, view = opened()
    view.money[CARRY, Wallet.SPOT] = 5_000.0
    view.on_its_way = 1.0
    assert sleeve.on_timer(view, TERMS) == NOTHING
    view.on_its_way = 0.0
    assert sleeve.on_timer(view, TERMS).commands != ()
