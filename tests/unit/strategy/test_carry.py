"""Cash and carry: economics by hand, the forecast, and the life of a pair."""

from __future__ import annotations

import math
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from crypto_quant.core.errors import ConfigError, InvariantError
from crypto_quant.core.messages import Target, Wallet
from crypto_quant.strategy.carry import CarryConfig, CarrySleeve, FundingForecast
from crypto_quant.strategy.carry.economics import (
    basis_loss,
    four_leg_cost,
    legs,
    matched_base,
    opening_base,
    resized_base,
)
from crypto_quant.strategy.carry.state import NOTHING, CarryState, Moves, Phase
from crypto_quant.strategy.carry.steps import fillable_base, next_lots
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

CONFIG = CarryConfig(warmup=1, step_share=1.0)
STEPS = CarryConfig(warmup=1)
PRICES = (50_000.0, 50_000.0)


def _open_desk(rate: float = 0.0002, config: CarryConfig = CONFIG) -> tuple[CarrySleeve, Account]:
    """Return a flat sleeve with 50,000 split 75/25 that has seen one settled rate."""
    view = Account()
    view.money = {(CARRY, Wallet.SPOT): 37_500.0, (CARRY, Wallet.MARGIN): 12_500.0}
    view.margins[CARRY] = 12_500.0
    sleeve = CarrySleeve(config, CARRY, "carry", SPOT, PERP, CarryState())
    sleeve.on_funding(view.now - HOUR, rate, 8.0)
    return sleeve, view


def _quantities(moves: Moves) -> tuple[int, int]:
    spot, perp = moves.targets
    assert (spot.instrument, perp.instrument) == (SPOT, PERP)
    return spot.quantity, perp.quantity


def _fill(view: Account, spot: int, perp: int) -> None:
    """Bring the account to these positions at the last prices."""
    price = view.prices[SPOT] / 100
    bought = spot - view.position(CARRY, SPOT)
    view.money[CARRY, Wallet.SPOT] -= bought * 1e-5 * price * (1.001 if bought > 0 else 0.999)
    view.held = {(CARRY, SPOT): spot, (CARRY, PERP): perp}
    view.entries = {(CARRY, SPOT): price, (CARRY, PERP): view.prices[PERP] / 100}
    view.pending.clear()


def _opened(rate: float = 0.0002) -> tuple[CarrySleeve, Account]:
    sleeve, view = _open_desk(rate)
    spot, perp = _quantities(sleeve.on_timer(view, TERMS))
    _fill(view, spot, perp)
    assert sleeve.on_account(view) == NOTHING
    assert sleeve.state.phase is Phase.OPEN
    view.now += HOUR
    return sleeve, view


def test_four_legs_cost_by_hand() -> None:
    """Spot 10 bp and perpetual 5 bp, each twice; 2 bp of spread four times; no transfer fee."""
    assert four_leg_cost(CONFIG, SPOT_TERMS, PERP_TERMS) == pytest.approx(0.0038)
    dear = CarryConfig(transfer=0.0001)
    assert four_leg_cost(dear, SPOT_TERMS, PERP_TERMS) == pytest.approx(0.0040)


@pytest.mark.parametrize(
    ("rate_8h", "enters"),
    [
        (0.0000527, False),  # 90 settlements of 0.527 bp are 47.43 bp, needed are 47.5
        (0.0000529, True),
        (-0.001, False),
    ],
)
def test_entry_needs_the_forecast_to_pay_four_legs_with_the_margin(
    rate_8h: float, enters: bool
) -> None:
    """38 bp of cost and a quarter more are 47.5 bp over 30 days: 0.5278 bp per 8 h."""
    sleeve, view = _open_desk(rate_8h)
    assert (sleeve.on_timer(view, TERMS) != NOTHING) is enters


def test_forecast_by_hand() -> None:
    """Half-life 8 h: weights 1/2 and 1/4 of two settlements, normalised by 3/4."""
    forecast = FundingForecast(halflife_h=8.0, warmup=2)
    forecast.update(1, 0.0008, 8.0)
    assert math.isnan(forecast.hourly)
    forecast.update(2, 0.0002, 8.0)
    assert forecast.hourly == pytest.approx((0.5 * 0.0002 + 0.25 * 0.0008) / 0.75 / 8)
    assert forecast.expected(24.0) == pytest.approx(3 * (0.5 * 0.0002 + 0.25 * 0.0008) / 0.75)


def test_forecast_refuses_a_row_twice() -> None:
    forecast = FundingForecast(halflife_h=8.0, warmup=1)
    forecast.update(5, 0.0001, 8.0)
    with pytest.raises(InvariantError, match="expected one after 5"):
        forecast.update(5, 0.0001, 8.0)


@pytest.mark.data
def test_forecast_and_entry_on_recorded_funding_rows(data_dir: Path) -> None:
    """Every entry decision on every recorded row, from weights written out with numpy."""
    files = sorted((data_dir / "binance_perp").glob("BTCUSDT-perp-funding-8h_*.parquet"))
    if not files:
        pytest.skip("this data set has no Binance funding rows")
    config = CarryConfig()
    for path in files:
        table = pq.read_table(path)
        name = "rate" if "rate" in table.column_names else "funding_rate"
        rates = table[name].to_numpy()
        forecast = FundingForecast(config.halflife_h, config.warmup)
        weight = 0.5 ** (8.0 / config.halflife_h)
        entered = expected_entries = 0
        for n, rate in enumerate(rates):
            forecast.update(n, float(rate), 8.0)
            if n % 50 or n + 1 < config.warmup:
                continue
            past = rates[: n + 1]
            weights = weight ** np.arange(n, -1, -1)
            mean_8h = float(weights @ past / weights.sum())
            assert forecast.expected(config.horizon_h) == pytest.approx(mean_8h * 90, rel=1e-9)
            entered += forecast.expected(config.horizon_h) > 0.0038 * 1.25
            expected_entries += mean_8h * 90 > 0.0038 * 1.25
        assert entered == expected_entries


def test_legs_match_on_the_coarser_lot() -> None:
    assert legs(0.7349, SPOT_TERMS, PERP_TERMS) == (73_400, -734)
    assert legs(Decimal("0.0009"), SPOT_TERMS, PERP_TERMS) == (0, 0)
    coarse = PERP_TERMS._replace(lot=5)
    assert legs(0.7349, SPOT_TERMS, coarse) == (73_000, -730)


@given(st.integers(0, 10**7), st.integers(-(10**5), 0))
def test_matched_size_is_held_on_both_legs(spot: int, perp: int) -> None:
    size = matched_base(spot, perp, SPOT_TERMS, PERP_TERMS)
    pair = legs(size, SPOT_TERMS, PERP_TERMS)
    assert pair[0] * SPOT_TERMS.size_step == -pair[1] * PERP_TERMS.size_step == size
    assert pair[0] <= spot
    assert -pair[1] <= -perp


def test_opening_size_by_hand() -> None:
    """Fees of 10 bp and 2 bp of spread: 37,500 buys 0.749; 12,500 carries 0.7473 at a third."""
    size = opening_base(37_500.0, 12_500.0, PRICES, CONFIG, 0.001)
    assert size == pytest.approx(12_500 / (50_000 * (1 / 3 + 0.0012)))
    assert size * 50_000 * 1.0012 <= 37_500


@given(
    st.floats(0.1, 10),
    st.floats(0.01, 1.5),
    st.floats(10_000, 90_000),
    st.floats(-0.02, 0.02),
)
def test_resizing_restores_the_margin_target(
    base: float, ratio: float, spot: float, basis: float
) -> None:
    """Trade the difference leg by leg in a small account and look at the ratio after costs."""
    perp = spot * (1 + basis)
    cost = 0.001 + CONFIG.spread
    money = ratio * base * perp
    size = resized_base(base, money, (spot, perp), CONFIG, 0.001)
    sold = base - size
    money += sold * spot - abs(sold) * spot * cost  # spot leg into cash
    money -= abs(sold) * perp * cost  # the short bought back or enlarged at its mark
    assert money / (size * perp) == pytest.approx(CONFIG.margin_target, rel=1e-9)
    assert (size < base) == (ratio < CONFIG.margin_target)


def test_basis_loss_is_what_the_pair_loses() -> None:
    """Spot 100 to 104 and short 100.2 to 105.2: +4 - 5 is 1 % of the spot entry lost."""
    assert basis_loss((100.0, 100.2), (104.0, 105.2)) == pytest.approx(0.01)


def test_pair_opens_with_matched_legs_and_waits_for_both() -> None:
    sleeve, view = _open_desk()
    moves = sleeve.on_timer(view, TERMS)
    assert _quantities(moves) == (74_700, -747)
    _fill(view, 74_700, 0)
    view.pending = {(CARRY, PERP): -747}
    assert sleeve.on_account(view) == NOTHING  # the other leg is on its way
    assert sleeve.state.phase is Phase.OPENING
    _fill(view, 74_700, -747)
    assert sleeve.on_account(view) == NOTHING
    phase: Phase = sleeve.state.phase
    assert phase.value == "open"


def test_rejected_leg_closes_the_other_at_once() -> None:
    sleeve, view = _open_desk()
    sleeve.on_timer(view, TERMS)
    _fill(view, 74_700, 0)  # the short was rejected
    moves = sleeve.on_account(view)
    assert _quantities(moves) == (0, 0)
    assert "a leg failed" in moves.targets[0].reason
    _fill(view, 0, 0)
    assert sleeve.on_account(view) == NOTHING
    assert sleeve.state.phase is Phase.FLAT
    view.now += 23 * HOUR
    assert sleeve.on_timer(view, TERMS) == NOTHING  # resting for a day


def test_partly_filled_leg_cuts_the_other_to_it() -> None:
    sleeve, view = _open_desk()
    sleeve.on_timer(view, TERMS)
    _fill(view, 74_700, -500)
    assert _quantities(sleeve.on_account(view)) == (50_000, -500)
    _fill(view, 50_000, -500)
    assert sleeve.on_account(view).targets == ()
    assert sleeve.state.phase is Phase.OPEN


def test_leg_that_stays_unfilled_is_given_up_after_its_wait() -> None:
    sleeve, view = _open_desk()
    sleeve.on_timer(view, TERMS)
    view.held = {(CARRY, SPOT): 74_700}
    view.pending = {(CARRY, PERP): -747}
    view.now += 599 * 10**9
    assert sleeve.on_account(view) == NOTHING
    view.now += 10**9
    moves = sleeve.on_account(view)
    assert _quantities(moves) == (0, 0)
    assert "not filled in time" in moves.targets[0].reason


def test_attempts_between_two_clock_wakeups_are_bounded() -> None:
    sleeve, view = _open_desk()
    sleeve.on_timer(view, TERMS)
    _fill(view, 74_700, 0)
    tries = [sleeve.on_account(view) != NOTHING for _ in range(6)]
    assert tries == [True, True, True, False, False, False]
    view.now += HOUR
    assert _quantities(sleeve.on_timer(view, TERMS)) == (0, 0)


def test_lost_short_closes_the_spot() -> None:
    """A liquidated or deleveraged short leaves spot unhedged: it is noticed and sold."""
    sleeve, view = _opened()
    view.held[CARRY, PERP] = 0
    assert _quantities(sleeve.on_account(view)) == (0, 0)


def test_pair_closes_on_negative_expected_funding_with_hysteresis() -> None:
    """A quarter of 38 bp over 90 settlements is 0.1056 bp per 8 h below zero."""
    for rate, closes in ((-0.0000104, False), (-0.0000107, True)):
        sleeve, view = _opened()
        sleeve.forecast.reset()
        sleeve.on_funding(view.now - 1, rate, 8.0)
        moves = sleeve.on_timer(view, TERMS)
        assert (moves != NOTHING) is closes
        if closes:
            assert _quantities(moves) == (0, 0)
            assert moves.targets[0].reason == "negative expected funding"


def test_pair_closes_on_spread_loss() -> None:
    sleeve, view = _opened()
    view.prices[PERP] = 5_050_000  # one per cent, not more
    view.margins[CARRY] = 12_500.0
    assert sleeve.on_timer(view, TERMS) == NOTHING
    view.prices[PERP] = 5_050_100
    moves = sleeve.on_timer(view, TERMS)
    assert _quantities(moves) == (0, 0)
    assert "spread loss" in moves.targets[0].reason


def test_pair_closes_on_margin_ratio() -> None:
    sleeve, view = _opened()
    view.margins[CARRY] = 0.0499 * 0.747 * 50_000
    moves = sleeve.on_timer(view, TERMS)
    assert _quantities(moves) == (0, 0)
    assert "margin ratio" in moves.targets[0].reason


def test_thin_margin_is_topped_up_by_shrinking_both_legs() -> None:
    sleeve, view = _opened()
    view.prices = {SPOT: 6_000_000, PERP: 6_000_000}
    view.margins[CARRY] = 12_500.0 - 0.747 * 10_000
    idle = view.money[CARRY, Wallet.SPOT]
    spot, perp = _quantities(sleeve.on_timer(view, TERMS))
    assert 0 < spot < 74_700
    assert spot * SPOT_TERMS.size_step == -perp * PERP_TERMS.size_step
    before = view.money[CARRY, Wallet.SPOT]
    _fill(view, spot, perp)
    freed = view.money[CARRY, Wallet.SPOT] - before
    moves = sleeve.on_account(view)
    (transfer,) = moves.transfers
    assert transfer.source is Wallet.SPOT
    assert float(transfer.amount) == pytest.approx(freed + idle, abs=0.01)
    ratio = (view.margins[CARRY] + float(transfer.amount)) / (-perp * 0.001 * 60_000)
    assert ratio == pytest.approx(CONFIG.margin_target, rel=0.01)


def test_excess_margin_grows_both_legs_after_the_cash_arrived() -> None:
    sleeve, view = _opened()
    view.prices = {SPOT: 3_500_000, PERP: 3_500_000}
    view.margins[CARRY] = 12_500.0 + 0.747 * 15_000
    view.money[CARRY, Wallet.MARGIN] = 12_500.0 + 0.747 * 15_000 - 3_000
    moves = sleeve.on_timer(view, TERMS)
    (transfer,) = moves.transfers
    assert moves.targets == ()
    assert transfer.source is Wallet.MARGIN
    view.money[CARRY, Wallet.SPOT] += float(transfer.amount)
    view.margins[CARRY] -= float(transfer.amount)
    view.now += HOUR
    spot, perp = _quantities(sleeve.on_timer(view, TERMS))
    assert spot > 74_700
    assert spot * SPOT_TERMS.size_step == -perp * PERP_TERMS.size_step
    cost = (spot - 74_700) * 1e-5 * 35_000 * 1.0012
    assert cost <= view.money[CARRY, Wallet.SPOT]


def test_pair_does_not_grow_on_a_forecast_that_would_not_open_it() -> None:
    sleeve, view = _opened()
    sleeve.forecast.reset()
    sleeve.on_funding(view.now - 1, 0.00001, 8.0)
    view.prices = {SPOT: 3_500_000, PERP: 3_500_000}
    view.margins[CARRY] = 12_500.0 + 0.747 * 15_000
    assert sleeve.on_timer(view, TERMS) == NOTHING


def test_capital_is_split_before_a_pair_is_opened() -> None:
    sleeve, view = _open_desk()
    view.money = {(CARRY, Wallet.SPOT): 50_000.0, (CARRY, Wallet.MARGIN): 0.0}
    moves = sleeve.on_timer(view, TERMS)
    assert moves.targets == ()
    (transfer,) = moves.transfers
    assert (transfer.source, transfer.amount) == (Wallet.SPOT, Decimal("12500.00"))


def test_close_is_repeated_until_nothing_is_left() -> None:
    sleeve, view = _opened(rate=0.0002)
    sleeve.forecast.reset()
    sleeve.on_funding(view.now - 1, -0.001, 8.0)
    sleeve.on_timer(view, TERMS)
    _fill(view, 30_000, 0)  # spot sold in part only
    assert _quantities(sleeve.on_account(view)) == (0, 0)
    _fill(view, 10, 0)  # 5 USDT are less than the venue lets one sell
    assert sleeve.on_account(view) == NOTHING
    assert sleeve.state.phase is Phase.FLAT


@given(st.data())
def test_no_answer_of_the_venue_leaves_a_leg_alone(data: st.DataObject) -> None:
    """Whatever part of each leg is filled at each answer, the sleeve ends matched or flat."""
    sleeve, view = _open_desk()
    moves = sleeve.on_timer(view, TERMS)
    for _ in range(12):
        if moves.targets:
            spot, perp = _quantities(moves)
            assert spot * SPOT_TERMS.size_step == -perp * PERP_TERMS.size_step
            held = (view.position(CARRY, SPOT), view.position(CARRY, PERP))
            shares = data.draw(st.tuples(st.sampled_from([0, 30, 100]), st.integers(0, 100)))
            _fill(
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


def _build(view: Account, sleeve: CarrySleeve, hours: int) -> list[tuple[int, int]]:
    """Fill every step at once, for so many hours; return what is held after each."""
    held = []
    for _ in range(hours):
        moves = sleeve.on_timer(view, TERMS)
        if moves.targets:
            _fill(view, *_quantities(moves))
            assert sleeve.on_account(view).targets == ()
        held.append((view.position(CARRY, SPOT), view.position(CARRY, PERP)))
        view.now += HOUR
    return held


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
    sleeve, view = _open_desk(config=STEPS)
    held = _build(view, sleeve, 9)
    assert held[:7] == [(10_000 * n, -100 * n) for n in range(1, 8)]
    assert held[7] == held[8]
    assert held[8][0] >= 74_500
    assert held[8][0] * SPOT_TERMS.size_step == -held[8][1] * PERP_TERMS.size_step
    assert view.money[CARRY, Wallet.SPOT] < 300.0
    assert sleeve.state.goal is None


def test_pair_is_built_no_faster_than_the_thinner_leg_trades() -> None:
    sleeve, view = _open_desk(config=STEPS)
    view.volumes[SPOT] = 144_000_000
    assert _build(view, sleeve, 3) == [(5_000, -50), (10_000, -100), (15_000, -150)]


def test_no_pair_is_opened_where_no_volume_is_known_or_too_little_to_trade() -> None:
    for volume in (0, 1_440_000):  # the second: 0.0005 BTC a step, 25 USDT
        sleeve, view = _open_desk(config=STEPS)
        view.volumes[SPOT] = volume
        assert sleeve.on_timer(view, TERMS) == NOTHING
        assert sleeve.state.phase is Phase.FLAT


@pytest.mark.parametrize("age", [None, 901 * 10**9])
@pytest.mark.parametrize("leg", [SPOT, PERP])
def test_no_step_up_or_down_on_a_price_that_is_old(leg: int, age: int | None) -> None:
    """A halt of one leg's market would leave the other one alone."""
    sleeve, view = _open_desk(config=STEPS)
    view.ages[leg] = age
    assert sleeve.on_timer(view, TERMS) == NOTHING
    view.ages[leg] = 900 * 10**9
    _build(view, sleeve, 2)
    view.ages[leg] = age
    assert _build(view, sleeve, 2) == [(20_000, -200)] * 2
    sleeve.forecast.reset()
    sleeve.on_funding(view.now - 1, -0.001, 8.0)
    assert sleeve.on_timer(view, TERMS) == NOTHING
    view.ages[leg] = 0
    assert _quantities(sleeve.on_timer(view, TERMS)) == (10_000, -100)


def test_build_ends_when_the_forecast_no_longer_pays_it() -> None:
    sleeve, view = _open_desk(config=STEPS)
    held = _build(view, sleeve, 3)[-1]
    sleeve.forecast.reset()
    sleeve.on_funding(view.now - 1, 0.00001, 8.0)
    moves = sleeve.on_timer(view, TERMS)
    assert moves.targets == ()
    assert moves.transfers[0].reason == "idle cash to the margin"
    assert (view.position(CARRY, SPOT), view.position(CARRY, PERP)) == held


def test_pair_is_closed_in_hedged_steps_that_are_brought_to_the_end() -> None:
    sleeve, view = _open_desk(config=STEPS)
    before = _build(view, sleeve, 3)[-1]
    assert before == (30_000, -300)
    sleeve.forecast.reset()
    sleeve.on_funding(view.now - 1, -0.001, 8.0)
    assert _build(view, sleeve, 1) == [(20_000, -200)]
    assert sleeve.state.phase is Phase.CLOSING
    sleeve.forecast.reset()
    sleeve.on_funding(view.now - 1, 0.001, 8.0)  # too late: what began is brought to its end
    assert _build(view, sleeve, 3) == [(10_000, -100), (0, 0), (0, 0)]


def test_leg_that_fails_in_a_closing_step_is_repaired_at_once() -> None:
    sleeve, view = _open_desk(config=STEPS)
    _build(view, sleeve, 3)
    sleeve.forecast.reset()
    sleeve.on_funding(view.now - 1, -0.001, 8.0)
    sleeve.on_timer(view, TERMS)
    _fill(view, 30_000, -200)  # spot was not sold
    view.now += 10**9
    assert _quantities(sleeve.on_account(view)) == (20_000, -200)
    assert sleeve.state.phase is Phase.CLOSING
    _fill(view, 20_000, -200)
    assert sleeve.on_account(view) == NOTHING
    view.now += HOUR
    assert _quantities(sleeve.on_timer(view, TERMS)) == (10_000, -100)


def test_margin_stop_closes_as_fast_as_the_legs_fill_and_waits_for_no_trade() -> None:
    sleeve, view = _open_desk(config=STEPS)
    _build(view, sleeve, 6)
    view.margins[CARRY] = 0.0499 * 0.6 * 50_000
    view.volumes[SPOT] = 864_000_000  # 0.3 BTC in ten minutes
    view.ages[SPOT] = None
    assert _quantities(sleeve.on_timer(view, TERMS)) == (30_000, -300)


def test_reset_forgets_pair_and_forecast() -> None:
    sleeve, view = _opened()
    sleeve.reset()
    assert sleeve.state.phase is Phase.FLAT
    view.held.clear()
    assert sleeve.on_timer(view, TERMS) == NOTHING


def test_config_orders_the_margin_ratios() -> None:
    with pytest.raises(ValidationError, match="margin_stop < margin_low"):
        CarryConfig(margin_share=0.1)


def test_pair_of_two_assets_is_refused() -> None:
    sleeve, view = _open_desk()
    with pytest.raises(ConfigError, match="same asset"):
        sleeve.on_timer(view, {SPOT: SPOT_TERMS._replace(base="ETH"), PERP: PERP_TERMS})


def test_targets_carry_the_sleeve_and_no_stop() -> None:
    sleeve, view = _open_desk()
    moves = sleeve.on_timer(view, TERMS)
    assert all(isinstance(t, Target) and t.sleeve == "carry" for t in moves.targets)
    assert all(t.stop is None for t in moves.targets)
