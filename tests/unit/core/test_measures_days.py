"""Days and targets: cutting a path, and judging any choice of its days."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto_quant.core.measures.arrays import DAY_NS, Floats, Ints
from crypto_quant.core.measures.days import Days, Marks, cut_days
from crypto_quant.core.measures.drawdown import max_drawdown
from crypto_quant.core.measures.targets import judge, score

HOUR = DAY_NS // 24
NONE: tuple[Ints, Floats] = (np.array([], dtype=np.int64), np.array([]))


def compound(steps: Floats) -> Floats:
    return np.asarray(np.cumprod(np.concatenate(([1.0], steps))), dtype=np.float64)


def path(seed: int, hours: int, first: int = 0, drift: float = 0.0) -> Marks:
    rng = np.random.default_rng(seed)
    growth = compound(1 + rng.normal(drift, 0.01, hours - 1))
    held = compound(1 + rng.normal(0, 0.02, hours - 1))
    return Marks(
        ts=first * HOUR + np.arange(hours, dtype=np.int64) * HOUR,
        growth=growth,
        held=held,
        gained=1000 * growth,
        notional=np.ones(hours),
        hole=np.zeros(hours, dtype=np.bool_),
    )


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), hours=st.integers(2, 400), first=st.integers(0, 30))
def test_days_put_together_equal_the_hourly_path(seed: int, hours: int, first: int) -> None:
    marks = path(seed, hours, first)
    days = cut_days(marks, *NONE)
    assert float(days.ours.depth()) == pytest.approx(
        max_drawdown(marks.growth, marks.ts).depth, abs=1e-12
    )
    assert np.prod(1 + days.ours.ret) == pytest.approx(marks.growth[-1])
    assert days.pnl.sum() == pytest.approx(marks.gained[-1] - marks.gained[0])
    assert days.length.sum() * DAY_NS == pytest.approx(float(marks.ts[-1] - marks.ts[0]))


def test_cut_days_mark_at_midnight_ends_the_day_before() -> None:
    marks = path(1, 49)
    held = np.zeros(49)
    held[24] = 5.0  # held in the hour that ends at the first midnight
    days = cut_days(marks._replace(notional=held, gained=np.ones(49)), *NONE)
    assert days.start.tolist() == [0, DAY_NS]
    assert days.exposed.tolist() == [True, False]


def test_cut_days_trip_closed_at_midnight_belongs_to_the_day_before() -> None:
    closed = np.array([DAY_NS, DAY_NS + 50_000_000, 3 * DAY_NS], dtype=np.int64)
    days = cut_days(path(1, 73), closed, np.array([5.0, -3.0, 2.0]))
    assert days.trips.won.tolist() == [5.0, 0.0, 2.0]
    assert days.trips.lost.tolist() == [0.0, 3.0, 0.0]
    assert float(score(days).payoff) == pytest.approx(3.5 / 3.0)


def holed() -> Days:
    marks = path(3, 24 * 200 + 1)
    rows = np.arange(marks.ts.size)
    hole = (rows > 24 * 50 + 10) & (rows <= 24 * 60)
    growth = marks.growth.copy()
    growth[hole] = growth[24 * 50 + 10]
    growth[24 * 60 + 1 :] *= growth[24 * 60] / marks.growth[24 * 60]
    return cut_days(
        marks._replace(growth=growth, gained=growth, hole=hole, notional=np.where(hole, 0.0, 1.0)),
        *NONE,
    )


def test_cut_days_partly_seen_day_is_no_hole() -> None:
    days = holed()
    assert np.flatnonzero(days.hole).tolist() == list(range(51, 60))
    assert days.exposed[50]
    assert not days.exposed[51:60].any()


def test_cut_days_rows_missing_equals_hole() -> None:
    marks = path(3, 24 * 20 + 1)
    kept = np.r_[0 : 24 * 5 + 1, 24 * 8 : 24 * 20 + 1]
    days = cut_days(marks._replace(**{k: v[kept] for k, v in marks._asdict().items()}), *NONE)
    # The step over the gap ends with a mark at the midnight that ends day 7.
    assert days.start.size == 20
    assert np.flatnonzero(days.hole).tolist() == [5, 6]
    assert np.prod(1 + days.ours.ret) == pytest.approx(marks.growth[-1])


def test_score_hole_days_left_out_of_sharpe_and_win_rate_only() -> None:
    days = holed()
    without, kept = score(days), score(days, with_holes=True)
    seen = days.ours.ret[~days.hole]
    assert float(without.sharpe.daily) == pytest.approx(
        seen.mean() / seen.std(ddof=1) * math.sqrt(365)
    )
    assert abs(float(kept.sharpe.daily)) < abs(float(without.sharpe.daily))
    assert float(kept.win_rate) == pytest.approx(float(without.win_rate) * 191 / 200)
    assert float(kept.total) == float(without.total)
    assert float(without.held_total) == pytest.approx(np.prod(1 + days.theirs.ret) - 1)


def test_redrawn_days_score_like_each_history_alone() -> None:
    days = cut_days(path(9, 24 * 150 + 1), *NONE)
    drawn = np.random.default_rng(0).integers(0, 150, (4, 150))
    together = score(days.redrawn(drawn))
    for i, order in enumerate(drawn):
        alone = score(days.redrawn(order))
        for many, one in zip(together.sharpe, alone.sharpe, strict=True):
            assert many[i] == pytest.approx(float(one))
        assert together.depth[i] == pytest.approx(float(alone.depth))
        assert together.cagr[i] == pytest.approx(float(alone.cagr))


def test_redrawn_window_equals_chosen_days() -> None:
    days = cut_days(path(9, 24 * 150 + 1), *NONE)
    window, chosen = days.window(10, 100), days.at(np.arange(10, 100))
    assert float(score(window).depth) == float(score(chosen).depth)
    assert window.month.tolist() == chosen.month.tolist()


def test_ruin_day_loses_all_and_later_days_are_flat() -> None:
    marks = path(2, 24 * 4 + 1)
    growth = marks.growth.copy()
    growth[30:] = 0.0
    days = cut_days(marks._replace(growth=growth), *NONE)
    assert days.ours.ret[1:].tolist() == [-1.0, 0.0, 0.0]
    measured = score(days)
    assert float(measured.total) == -1.0
    assert float(measured.cagr) == -1.0
    assert float(measured.depth) == 1.0


def winning(held_daily: float) -> Days:
    """Make a year that meets every target against a benchmark of this daily return."""
    rng = np.random.default_rng(1)
    n = 24 * 365 + 1
    swing = np.exp(np.where(np.arange(1, n) % 48 < 24, 0.004, -0.004) + held_daily / 24)
    steps = 1 + rng.normal(0.0004, 0.001, n - 1)
    growth = compound(steps)
    marks = Marks(
        ts=np.arange(n, dtype=np.int64) * HOUR,
        growth=growth,
        held=compound(swing),
        gained=growth,
        notional=np.ones(n),
        hole=np.zeros(n, dtype=np.bool_),
    )
    closed = np.arange(1, 11, dtype=np.int64) * DAY_NS
    return cut_days(marks, closed, np.array([2.0, -1.0] * 5))


def test_judge_all_five_met() -> None:
    verdict = judge(score(winning(0.001)))
    assert [bool(v) for v in verdict] == [True] * 5
    assert bool(verdict.joint)


def test_judge_one_missed_joint_missed() -> None:
    measured = score(winning(0.001))
    for change in (
        {"cagr": 2 * measured.held_cagr},
        {"depth": 0.3 * measured.held_depth},
        {"win_rate": np.asarray(0.55)},
        {"payoff": np.asarray(1.5)},
        {"sharpe": measured.sharpe._replace(newey_west=np.asarray(2.0))},
        {"payoff": np.asarray(np.nan)},
        {"held_cagr": np.asarray(np.nan)},
    ):
        verdict = judge(measured._replace(**change))
        assert sum(bool(v) for v in verdict) == 4, change
        assert not bool(verdict.joint)


def test_judge_benchmark_falls_any_gain_is_enough() -> None:
    measured = score(winning(-0.001))
    assert float(measured.held_cagr) < 0
    assert bool(judge(measured).annual_return)
    assert not bool(judge(measured._replace(cagr=np.asarray(0.0))).annual_return)
    barely = measured._replace(cagr=np.asarray(1e-9))
    assert bool(judge(barely).annual_return)


def test_score_no_days_is_undefined_and_meets_nothing() -> None:
    days = winning(0.001)
    empty = score(days.at(np.zeros(days.start.size, dtype=np.bool_)))
    assert math.isnan(float(empty.cagr))
    assert math.isnan(float(empty.depth))
    assert not any(bool(v) for v in judge(empty))
