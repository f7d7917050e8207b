"""Steps: a pair is built and closed no faster than both legs fill."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto_quant.core.messages import Wallet
from crypto_quant.strategy.carry.state import NOTHING, Phase
from crypto_quant.strategy.carry.steps import fillable_base, next_lots
from tests.unit.strategy.account import CARRY, PERP, PERP_TERMS, SPOT, SPOT_TERMS, TERMS
from tests.unit.strategy.carry.desk import STEPS, build, open_desk, quantities


def test_step_is_what_the_slower_leg_fills_in_its_wait() -> None:
    """1,440 BTC a day are one a minute; half a per cent of ten minutes is 0.05 BTC."""
    legs_of = ((144_000_000, SPOT_TERMS), (9_000_000, PERP_TERMS))
    assert fillable_base(legs_of, 0.005, 600.0) == pytest.approx(0.05)
    assert fillable_base(((0, SPOT_TERMS), (9_000_000, PERP_TERMS)), 0.005, 600.0) == 0.0


@given(st.integers(0, 5_000), st.integers(0, 5_000), st.integers(10, 900), st.integers(1, 10))
def test_steps_reach_their_goal_and_leave_no_rest(
    lots: int, goal: int, limit: int, smallest: int
) -> None:
    for _ in range(501):
        step = next_lots(lots, goal, limit, smallest) - lots
        assert abs(step) < limit + smallest
        lots += step
        if lots == goal:
            return
        assert abs(goal - lots) >= smallest
        assert abs(step) == limit
    raise AssertionError("never there")


def test_pair_is_built_in_hourly_steps_of_a_tenth_of_equity() -> None:
    """A tenth of 50,000 at 50,000 is 0.1 BTC an hour; the cash stays until it is spent."""
    sleeve, view = open_desk(config=STEPS)
    held = build(view, sleeve, 9)
    assert held[:7] == [(10_000 * n, -100 * n) for n in range(1, 8)]
    assert held[7] == held[8]
    assert held[8][0] >= 74_500
    assert held[8][0] * SPOT_TERMS.size_step == -held[8][1] * PERP_TERMS.size_step
    assert view.money[CARRY, Wallet.SPOT] < 300.0
    assert sleeve.state.goal is None


def test_pair_is_built_no_faster_than_the_thinner_leg_trades() -> None:
    sleeve, view = open_desk(config=STEPS)
    view.volumes[SPOT] = 144_000_000
    assert build(view, sleeve, 3) == [(5_000, -50), (10_000, -100), (15_000, -150)]


def test_no_pair_is_opened_where_no_volume_is_known_or_too_little_to_trade() -> None:
    for volume in (0, 1_440_000):  # the second: 0.0005 BTC a step, 25 USDT
        sleeve, view = open_desk(config=STEPS)
        view.volumes[SPOT] = volume
        assert sleeve.on_timer(view, TERMS) == NOTHING
        assert sleeve.state.phase is Phase.FLAT


@pytest.mark.parametrize("age", [None, 901 * 10**9])
@pytest.mark.parametrize("leg", [SPOT, PERP])
def test_no_step_up_or_down_on_a_price_that_is_old(leg: int, age: int | None) -> None:
    """A halt of one leg's market would leave the other one alone."""
    sleeve, view = open_desk(config=STEPS)
    view.ages[leg] = age
    assert sleeve.on_timer(view, TERMS) == NOTHING
    view.ages[leg] = 900 * 10**9
    build(view, sleeve, 2)
    view.ages[leg] = age
    assert build(view, sleeve, 2) == [(20_000, -200)] * 2
    sleeve.forecast.reset()
    sleeve.on_funding(view.now - 1, -0.001, 8.0)
    assert sleeve.on_timer(view, TERMS) == NOTHING
    view.ages[leg] = 0
    assert quantities(sleeve.on_timer(view, TERMS)) == (10_000, -100)


def test_build_ends_when_the_forecast_no_longer_pays_it() -> None:
    sleeve, view = open_desk(config=STEPS)
    held = build(view, sleeve, 3)[-1]
    sleeve.forecast.reset()
    sleeve.on_funding(view.now - 1, 0.00001, 8.0)
    moves = sleeve.on_timer(view, TERMS)
    assert moves.targets == ()
    assert moves.commands[0].reason == "idle cash to the margin"
    assert (view.position(CARRY, SPOT), view.position(CARRY, PERP)) == held


def test_pair_is_closed_in_hedged_steps_that_are_brought_to_the_end() -> None:
    sleeve, view = open_desk(config=STEPS)
    before = build(view, sleeve, 3)[-1]
    assert before == (30_000, -300)
    sleeve.forecast.reset()
    sleeve.on_funding(view.now - 1, -0.001, 8.0)
    assert build(view, sleeve, 1) == [(20_000, -200)]
    assert sleeve.state.phase is Phase.CLOSING
    sleeve.forecast.reset()
    sleeve.on_funding(view.now - 1, 0.001, 8.0)  # too late: what began is brought to its end
    assert build(view, sleeve, 3) == [(10_000, -100), (0, 0), (0, 0)]


def test_margin_stop_closes_as_fast_as_the_legs_fill_and_waits_for_no_trade() -> None:
    sleeve, view = open_desk(config=STEPS)
    build(view, sleeve, 6)
    view.margins[CARRY] = 0.0499 * 0.6 * 50_000
    view.volumes[SPOT] = 864_000_000  # 0.3 BTC in ten minutes
    view.ages[SPOT] = None
    assert quantities(sleeve.on_timer(view, TERMS)) == (30_000, -300)
