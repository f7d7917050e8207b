"""Histories drawn again: against what is known by other means."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from crypto_quant.backtesting.metrics.evaluation import Evaluation
from crypto_quant.backtesting.metrics.result import RunResult
from crypto_quant.backtesting.metrics.tracks import Track, floats
from crypto_quant.backtesting.stress.monte_carlo import LEVELS, Drawn, drawn_days, drawn_trips
from crypto_quant.core.measures.arrays import Floats
from crypto_quant.core.measures.block_length import block_length
from crypto_quant.core.measures.bootstrap import stationary_blocks

DRAWS = 300


@pytest.fixture(scope="module")
def main(found: Evaluation) -> Track:
    return found.tracks["portfolio"]


@pytest.fixture(scope="module")
def days(main: Track) -> list[Drawn]:
    return drawn_days(main, 11, DRAWS)


def naive(returns: Floats, lows: Floats) -> tuple[float, float, float]:
    """Return total, deepest fall over daily marks, and the lowest mark of one history."""
    value, peak, depth, lowest = 1.0, 1.0, 0.0, 1.0
    for r, low in zip(returns.tolist(), lows.tolist(), strict=True):
        lowest = min(lowest, value * low)
        value *= 1 + r
        peak = max(peak, value)
        depth = max(depth, 1 - value / peak)
    return value - 1, depth, lowest


def test_every_history_is_measured_as_a_plain_loop_measures_it(
    main: Track, days: list[Drawn]
) -> None:
    seen = main.days.at(~main.days.hole)
    block = round(block_length(seen.ours.ret).stationary)
    choice = stationary_blocks(seen.start.size, DRAWS, np.random.default_rng(11), block)
    loops = [naive(seen.ours.ret[c], seen.ours.low[c]) for c in choice]
    totals = np.array([total for total, _, _ in loops])
    found = days[0]
    assert found.block == block
    assert found.total.quantiles == pytest.approx(np.quantile(totals, LEVELS), abs=1e-12)
    assert found.loss == np.mean(totals < 0)
    # Hourly marks fall at least as deep as those at midnight.
    daily = np.quantile([depth for _, depth, _ in loops], LEVELS)
    assert (np.array(found.depth.quantiles) >= daily - 1e-12).all()
    worst = drawn_days(main, 11, DRAWS, ruin=0.97)[0]
    assert worst.ruin == np.mean([lowest <= 0.97 for _, _, lowest in loops])
    assert worst.ruin > 0


def test_what_is_measured_is_what_the_report_measures(
    found: Evaluation, main: Track, days: list[Drawn]
) -> None:
    scored = found.rows[0].scored
    for drawn in days:
        assert drawn.n == int((~main.days.hole).sum())
        assert drawn.sharpe.measured == pytest.approx(scored.sharpe_daily)
        assert drawn.depth.measured == pytest.approx(scored.max_drawdown)


def test_the_same_seed_draws_the_same_and_another_one_does_not(
    main: Track, days: list[Drawn]
) -> None:
    assert drawn_days(main, 11, DRAWS) == days
    assert drawn_days(main, 12, DRAWS)[0].total != days[0].total


def test_trips_drawn_one_by_one_end_where_their_mean_takes_them(
    run: RunResult, main: Track
) -> None:
    single, *blocks = drawn_trips(run, main, 5, 4000)
    assert (single.n, single.block) == (main.trips.num_rows, 1)
    assert all(drawn.block > 1 for drawn in blocks)
    equity = floats(run.equity, "portfolio/equity")
    at = np.searchsorted(run.equity["ts"].to_numpy(), main.trips["open_ts"].to_numpy(), "right") - 1
    results = floats(main.trips, "pnl") / equity[at]
    # Independent draws: the expected product is the product of the expected factors.
    expected = (1 + results.mean()) ** results.size - 1
    spread = np.std(np.log1p(results)) * np.sqrt(results.size / 4000)
    assert single.total.mean == pytest.approx(expected, abs=5 * spread * (1 + expected))
    assert single.total.measured == pytest.approx(float(np.prod(1 + results)) - 1)


def test_the_fan_ends_where_the_totals_do(days: list[Drawn]) -> None:
    for drawn in days:
        assert drawn.fan.at[0] == 1
        assert drawn.fan.at[-1] == drawn.n
        ends = np.array([band[-1] for band in drawn.fan.bands]) - 1
        assert ends == pytest.approx(drawn.total.quantiles, abs=1e-12)


def test_too_short_a_run_has_no_distribution(run: RunResult, main: Track) -> None:
    assert drawn_days(main._replace(days=main.days.window(0, 9)), 1, DRAWS) == []
    few = main._replace(trips=main.trips.slice(0, 9))
    assert drawn_trips(replace(run), few, 1, DRAWS) == []
