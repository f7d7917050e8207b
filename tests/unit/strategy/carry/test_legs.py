"""Both legs together: whatever the venue answers, no leg is left alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto_quant.core.errors import ConfigError
from crypto_quant.core.messages import Alarm, Target
from crypto_quant.strategy.carry import CarrySleeve
from crypto_quant.strategy.carry.state import NOTHING, Phase
from tests.unit.strategy.account import (
    CARRY,
    HOUR,
    PERP,
    PERP_TERMS,
    SPOT,
    SPOT_TERMS,
    TERMS,
    Account,
)
from tests.unit.strategy.carry.desk import STEPS, build, fill, open_desk, opened, quantities


def test_pair_opens_with_matched_legs_and_waits_for_both() -> None:
    sleeve, view = open_desk()
    moves = sleeve.on_timer(view, TERMS)
    assert quantities(moves) == (74_700, -747)
    fill(view, 74_700, 0)
    view.pending = {(CARRY, PERP): -747}
    assert sleeve.on_account(view) == NOTHING  # the other leg is on its way
    assert sleeve.state.phase is Phase.OPENING
    fill(view, 74_700, -747)
    assert sleeve.on_account(view) == NOTHING
    phase: Phase = sleeve.state.phase
    assert phase.value == "open"


def test_rejected_leg_closes_the_other_at_once() -> None:
    sleeve, view = open_desk()
    sleeve.on_timer(view, TERMS)
    fill(view, 74_700, 0)  # the short was rejected
    moves = sleeve.on_account(view)
    assert quantities(moves) == (0, 0)
    assert "a leg failed" in moves.targets[0].reason
    fill(view, 0, 0)
    assert sleeve.on_account(view) == NOTHING
    assert sleeve.state.phase is Phase.FLAT
    view.now += 23 * HOUR
    assert sleeve.on_timer(view, TERMS) == NOTHING  # resting for a day


def test_partly_filled_leg_cuts_the_other_to_it() -> None:
    sleeve, view = open_desk()
    sleeve.on_timer(view, TERMS)
    fill(view, 74_700, -500)
    assert quantities(sleeve.on_account(view)) == (50_000, -500)
    fill(view, 50_000, -500)
    assert sleeve.on_account(view).targets == ()
    assert sleeve.state.phase is Phase.OPEN


def test_leg_that_stays_unfilled_is_given_up_after_its_wait() -> None:
    sleeve, view = open_desk()
    sleeve.on_timer(view, TERMS)
    view.held = {(CARRY, SPOT): 74_700}
    view.pending = {(CARRY, PERP): -747}
    view.now += 599 * 10**9
    assert sleeve.on_account(view) == NOTHING
    view.now += 10**9
    moves = sleeve.on_account(view)
    assert quantities(moves) == (0, 0)
    assert "not filled in time" in moves.targets[0].reason


def test_every_order_of_legs_sets_an_alarm_for_its_deadline() -> None:
    sleeve, view = open_desk()
    (alarm,) = sleeve.on_timer(view, TERMS).commands
    assert isinstance(alarm, Alarm)
    assert alarm.due == view.now + 600 * 10**9 == sleeve.state.deadline


def closing() -> tuple[CarrySleeve, Account]:
    """Return a desk whose forecast made it close; no leg is filled yet."""
    sleeve, view = opened(rate=0.0002)
    sleeve.forecast.reset()
    sleeve.on_funding(view.now - 1, -0.001, 8.0)
    assert quantities(sleeve.on_timer(view, TERMS)) == (0, 0)
    return sleeve, view


@pytest.mark.parametrize("still", [SPOT, PERP])
def test_a_leg_whose_market_stands_still_has_the_other_restored(still: int) -> None:
    sleeve, view = closing()
    whole = sleeve.state.held
    held = (whole[0], 0) if still == SPOT else (0, whole[1])
    fill(view, *held)
    view.pending = {(CARRY, still): -held[0] or -held[1]}
    view.now += 600 * 10**9
    view.ages[still] = 600 * 10**9
    moves = sleeve.on_account(view)
    assert quantities(moves) == whole
    assert moves.targets[0].reason == "a leg was not filled in time: the other is restored"
    fill(view, *whole)
    view.pending = {}
    assert sleeve.on_account(view).targets == ()
    assert sleeve.state.phase is Phase.OPEN


def test_what_a_leg_gained_before_it_was_restored_is_no_loss_on_the_basis() -> None:
    """Spot was sold at 60,000 and bought back there; the short is still from 50,000."""
    sleeve, view = opened()
    whole, entries = sleeve.state.held, dict(view.entries)
    view.prices = {SPOT: 6_000_000, PERP: 6_000_000}
    fill(view, 0, whole[1])
    assert quantities(sleeve.on_account(view)) == (0, 0)  # cut to match, unless it stands still
    view.ages[PERP] = 600 * 10**9
    view.pending = {(CARRY, PERP): -whole[1]}
    view.now += 600 * 10**9
    assert quantities(sleeve.on_account(view)) == whole
    fill(view, *whole)
    view.entries = {(CARRY, SPOT): 60_000.0, (CARRY, PERP): entries[CARRY, PERP]}
    sleeve.on_account(view)
    assert sleeve.state.phase is Phase.OPEN
    view.ages[PERP] = 0
    view.margins[CARRY] = 0.4 * -whole[1] * 0.001 * 60_000
    view.now += HOUR
    assert sleeve.on_timer(view, TERMS).targets == ()


@pytest.mark.parametrize("price", [30_000.0, 40_000.0, 80_000.0])
def test_a_pair_that_grew_has_entered_both_legs_at_the_same_times(price: float) -> None:
    """The ledger averages what one leg had too much of: a pair without basis has no loss."""
    sleeve, view = opened()
    before = -sleeve.state.held[1]
    view.prices = dict.fromkeys((SPOT, PERP), int(price * 100))
    sleeve.state.phase = Phase.OPENING
    grown = (sleeve.state.held[0] + 10_000, -before - 100)
    fill(view, *grown)
    view.entries = {(CARRY, SPOT): 49_676.0, (CARRY, PERP): 31_000.0}
    sleeve.on_account(view)
    assert sleeve.state.held == grown
    expected = (50_000.0 * before + price * 100) / (before + 100)
    assert sleeve.state.entry == pytest.approx((expected, expected))
    shrunk = (grown[0] - 20_000, grown[1] + 200)
    sleeve.state.phase = Phase.OPENING
    fill(view, *shrunk)
    sleeve.on_account(view)
    assert sleeve.state.held == shrunk
    assert sleeve.state.entry == pytest.approx((expected, expected))


def test_a_leg_that_is_only_slow_is_waited_for_while_its_market_trades() -> None:
    sleeve, view = closing()
    fill(view, sleeve.state.held[0], 0)
    view.pending = {(CARRY, SPOT): -sleeve.state.held[0]}
    view.now += 600 * 10**9
    view.ages[SPOT] = 599 * 10**9
    assert quantities(sleeve.on_account(view)) == (0, 0)
    assert sleeve.state.phase is Phase.CLOSING


def test_later_steps_of_a_close_keep_its_first_reason() -> None:
    sleeve, view = closing()
    fill(view, 37_300, -373)
    sleeve.on_account(view)
    view.now += HOUR
    sleeve.forecast.reset()
    for n in range(30):
        sleeve.on_funding(view.now - 100 + n, 0.01, 8.0)
    moves = sleeve.on_timer(view, TERMS)
    assert moves.targets[0].reason == "negative expected funding"


def test_attempts_between_two_clock_wakeups_are_bounded() -> None:
    sleeve, view = open_desk()
    sleeve.on_timer(view, TERMS)
    fill(view, 74_700, 0)
    tries = [sleeve.on_account(view) != NOTHING for _ in range(6)]
    assert tries == [True, True, True, False, False, False]
    view.now += HOUR
    assert quantities(sleeve.on_timer(view, TERMS)) == (0, 0)


def test_lost_short_closes_the_spot() -> None:
    """A liquidated or deleveraged short leaves spot unhedged: it is noticed and sold."""
    sleeve, view = opened()
    view.held[CARRY, PERP] = 0
    assert quantities(sleeve.on_account(view)) == (0, 0)


def test_close_is_repeated_until_nothing_is_left() -> None:
    sleeve, view = opened(rate=0.0002)
    sleeve.forecast.reset()
    sleeve.on_funding(view.now - 1, -0.001, 8.0)
    sleeve.on_timer(view, TERMS)
    fill(view, 30_000, 0)  # spot sold in part only
    assert quantities(sleeve.on_account(view)) == (0, 0)
    fill(view, 10, 0)  # 5 USDT are less than the venue lets one sell
    assert sleeve.on_account(view) == NOTHING
    assert sleeve.state.phase is Phase.FLAT


@given(st.data())
def test_no_answer_of_the_venue_leaves_a_leg_alone(data: st.DataObject) -> None:
    """Whatever part of each leg is filled at each answer, the sleeve ends matched or flat."""
    sleeve, view = open_desk()
    moves = sleeve.on_timer(view, TERMS)
    for _ in range(12):
        if moves.targets:
            spot, perp = quantities(moves)
            assert spot * SPOT_TERMS.size_step == -perp * PERP_TERMS.size_step
            held = (view.position(CARRY, SPOT), view.position(CARRY, PERP))
            shares = data.draw(st.tuples(st.sampled_from([0, 30, 100]), st.integers(0, 100)))
            fill(
                view,
                held[0] + (spot - held[0]) * shares[0] // 100,
                held[1] - (held[1] - perp) * shares[1] // 100,
            )
        view.now += HOUR if not moves.targets else 10**8
        before = sleeve.state.phase
        moves = sleeve.on_timer(view, TERMS) if not moves.targets else sleeve.on_account(view)
        if sleeve.state.phase in (Phase.OPEN, Phase.FLAT) and not moves.targets:
            held = (view.position(CARRY, SPOT), view.position(CARRY, PERP))
            naked = held[0] * SPOT_TERMS.size_step + held[1] * PERP_TERMS.size_step
            assert abs(naked) * 50_000 < SPOT_TERMS.min_notional, (before, held)


def test_leg_that_fails_in_a_closing_step_is_repaired_at_once() -> None:
    sleeve, view = open_desk(config=STEPS)
    build(view, sleeve, 3)
    sleeve.forecast.reset()
    sleeve.on_funding(view.now - 1, -0.001, 8.0)
    sleeve.on_timer(view, TERMS)
    fill(view, 30_000, -200)  # spot was not sold
    view.now += 10**9
    assert quantities(sleeve.on_account(view)) == (20_000, -200)
    assert sleeve.state.phase is Phase.CLOSING
    fill(view, 20_000, -200)
    assert sleeve.on_account(view) == NOTHING
    view.now += HOUR
    assert quantities(sleeve.on_timer(view, TERMS)) == (10_000, -100)


def test_pair_of_two_assets_is_refused() -> None:
    sleeve, view = open_desk()
    with pytest.raises(ConfigError, match="same asset"):
        sleeve.on_timer(view, {SPOT: SPOT_TERMS._replace(base="ETH"), PERP: PERP_TERMS})


def test_targets_carry_the_sleeve_and_no_stop() -> None:
    sleeve, view = open_desk()
    moves = sleeve.on_timer(view, TERMS)
    assert all(isinstance(t, Target) and t.sleeve == "carry" for t in moves.targets)
    assert all(t.stop is None for t in moves.targets)
