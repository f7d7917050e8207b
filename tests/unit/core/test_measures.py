"""Measures against independent libraries and published examples."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import empyrical  # type: ignore[import-untyped]  # ships no types
import numpy as np
import pandas as pd  # type: ignore[import-untyped]  # ships no types
import pyarrow.parquet as pq
import pytest
import quantstats.stats as qs
import scipy.stats  # type: ignore[import-untyped]  # ships no types
import statsmodels.api as sm  # type: ignore[import-untyped]  # ships no types

from crypto_quant.core.measures.arrays import DAY_NS, Floats, Ints, steps
from crypto_quant.core.measures.bootstrap import interval, stationary_blocks
from crypto_quant.core.measures.dispersion import (
    calmar,
    equal_volatility,
    kurtosis,
    skewness,
    sortino,
    volatility,
)
from crypto_quant.core.measures.drawdown import drawdown_series, longest_underwater, max_drawdown
from crypto_quant.core.measures.growth import cagr, growth_index, total_return
from crypto_quant.core.measures.regime import NAMES, UNKNOWN, regimes
from crypto_quant.core.measures.selection import (
    deflated_sharpe,
    expected_best_sharpe,
    minimum_track_record,
    probabilistic_sharpe,
)
from crypto_quant.core.measures.sharpe import (
    long_run_variance,
    marginal_sharpe,
    monthly_returns,
    newey_west_sharpe,
    sharpe,
    sharpe_three_ways,
)
from crypto_quant.core.measures.stress import stressed_path, venue_losses
from crypto_quant.core.measures.tails import expected_shortfall, value_at_risk
from crypto_quant.core.measures.trips import expectancy, payoff, profit_factor, tally, win_rate

EXACT = 1e-9


def month_of(days: pd.DatetimeIndex) -> Ints:
    return np.asarray(days.year * 12 + days.month, dtype=np.int64)


def theirs(measure: Callable[..., float], returns: pd.Series) -> float:
    """Call a library function that has no types."""
    return measure(returns)


def agree_with_libraries(returns: pd.Series) -> None:
    """Compare every measure of a daily series with somebody else's implementation."""
    r = returns.to_numpy(dtype=np.float64)
    index = np.concatenate(([1.0], np.cumprod(1 + r)))
    ts = np.arange(index.size, dtype=np.int64) * DAY_NS
    hac = sm.OLS(r, np.ones(r.size)).fit(
        cov_type="HAC", cov_kwds={"maxlags": 60, "use_correction": True}
    )
    by_month = (1 + returns).resample("ME").prod() - 1
    growth = cagr(total_return(r), r.size / 365)
    depth = max_drawdown(index, ts).depth
    ours_and_theirs: dict[str, tuple[object, float]] = {
        "sharpe": (sharpe(r), empyrical.sharpe_ratio(returns, annualization=365)),
        "sharpe qs": (sharpe(r), qs.sharpe(returns, periods=365)),
        "monthly": (
            sharpe_three_ways(r, month_of(returns.index)).monthly,
            by_month.mean() / by_month.std() * math.sqrt(12),
        ),
        "newey-west": (
            newey_west_sharpe(r),
            hac.params[0] / (hac.bse[0] * math.sqrt(r.size)) * math.sqrt(365),
        ),
        "total": (total_return(r), empyrical.cum_returns_final(returns)),
        "cagr": (growth, empyrical.cagr(returns, annualization=365)),
        "depth": (depth, -empyrical.max_drawdown(returns)),
        "volatility": (volatility(r), empyrical.annual_volatility(returns, annualization=365)),
        "sortino": (sortino(r), empyrical.sortino_ratio(returns, annualization=365)),
        "calmar": (calmar(growth, depth), empyrical.calmar_ratio(returns, annualization=365)),
        "skew": (skewness(r), scipy.stats.skew(r)),
        "kurtosis": (kurtosis(r), scipy.stats.kurtosis(r, fisher=False)),
        "var": (value_at_risk(r), -empyrical.value_at_risk(returns, cutoff=0.05)),
        "es": (expected_shortfall(r), -empyrical.conditional_value_at_risk(returns, cutoff=0.05)),
        "payoff": (payoff(tally(r)), theirs(qs.payoff_ratio, returns)),
        "profit factor": (profit_factor(tally(r)), theirs(qs.profit_factor, returns)),
        "win rate": (win_rate(r, r != 0), qs.win_rate(returns)),
        "expectancy": (expectancy(tally(r)), float(np.mean(r))),
    }
    for name, (ours, other) in ours_and_theirs.items():
        assert float(np.asarray(ours)) == pytest.approx(other, rel=EXACT, abs=1e-12), name


@pytest.mark.parametrize("hours", [0, 1, 4_000, 5_001, 48_697, 100_000])
def test_steps_lose_and_invent_no_row_however_long_the_path(hours: int) -> None:
    hour = DAY_NS // 24
    first = 1_572_566_400_000_000_000
    for over in (0, 1, hour - 1):
        grid = steps(first, first + hours * hour + over, hour)
        assert (grid.size, grid[0], grid[-1]) == (hours + 1, first, first + hours * hour)


@pytest.mark.parametrize("seed", range(6))
def test_measures_random_returns_equal_libraries(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(150, 1900))
    draws = 0.0005 + 0.03 * rng.standard_t(4, n)
    index = pd.date_range("2019-09-08", periods=n, freq="D")
    agree_with_libraries(pd.Series(np.maximum(draws, -0.9), index=index))


@pytest.mark.data
def test_measures_real_daily_returns_equal_libraries(data_dir: Path) -> None:
    files = sorted((data_dir / "binance_spot_1m").glob("*.parquet"))
    frame = pd.concat([pq.read_table(f, columns=["open_time", "close"]).to_pandas() for f in files])
    times = pd.to_datetime(frame["open_time"], unit="ms")
    close = pd.Series(frame["close"].to_numpy(), index=times).resample("D").last().dropna()
    returns = close.pct_change().dropna()
    assert returns.size > 100
    agree_with_libraries(returns)


def test_sharpe_many_paths_equal_one_by_one() -> None:
    paths = np.random.default_rng(3).normal(0.001, 0.02, (5, 400))
    month = month_of(pd.date_range("2021-01-10", periods=400))
    together = sharpe_three_ways(paths, month)
    for i, path in enumerate(paths):
        alone = sharpe_three_ways(path, month)
        for many, one in zip(together, alone, strict=True):
            assert many[i] == pytest.approx(float(one), rel=1e-12)
        assert together.lowest[i] == min(float(part[i]) for part in together)


UNDEFINED: list[Callable[[Floats], Floats]] = [sharpe, sortino, skewness, kurtosis, volatility]


@pytest.mark.parametrize("measure", UNDEFINED)
def test_measure_no_returns_is_nan(measure: Callable[[Floats], Floats]) -> None:
    assert math.isnan(float(measure(np.array([]))))


@pytest.mark.parametrize("measure", [sharpe, skewness, kurtosis, newey_west_sharpe])
def test_measure_constant_returns_is_nan(measure: Callable[[Floats], Floats]) -> None:
    # 0.1 has no exact double: a naive deviation of these is tiny, and the ratio absurd.
    assert math.isnan(float(measure(np.full(200, 0.1))))


def test_lowest_one_undefined_is_nan() -> None:
    short = np.random.default_rng(0).normal(0.01, 0.01, 40)
    three = sharpe_three_ways(short, month_of(pd.date_range("2021-01-01", periods=40)))
    assert math.isfinite(float(three.daily))
    assert math.isnan(float(three.newey_west))
    assert math.isnan(float(three.lowest))


def test_newey_west_persistent_returns_falls_below_daily() -> None:
    rng = np.random.default_rng(8)
    level = np.zeros(3000)
    for i in range(1, level.size):
        level[i] = 0.97 * level[i - 1] + rng.normal(0, 1)
    carry = 0.0003 + 0.0001 * level
    assert float(newey_west_sharpe(carry)) < 0.3 * float(sharpe(carry))
    assert float(long_run_variance(carry, 0)) == pytest.approx(carry.var(ddof=1), rel=1e-12)


def test_monthly_returns_cut_month_compounds_what_is_there() -> None:
    months = np.array([5, 5, 6, 6, 6], dtype=np.int64)
    got = monthly_returns(np.array([0.1, 0.1, -0.5, 1.0, 0.2]), months)
    assert got == pytest.approx([0.21, 0.2])


def test_growth_index_outside_cash_is_not_return() -> None:
    equity = np.array([100.0, 110.0, 171.0, 85.5])
    flow = np.array([0.0, 0.0, 50.0, 50.0])
    assert growth_index(equity, flow) == pytest.approx([1.0, 1.1, 1.21, 0.605])


def test_growth_index_ruin_stays_zero() -> None:
    equity = np.array([100.0, 50.0, -5.0, 100.0])
    assert growth_index(equity).tolist() == [1.0, 0.5, 0.0, 0.0]
    deposited = growth_index(equity, np.array([0.0, 0.0, 0.0, 105.0]))
    assert deposited.tolist() == [1.0, 0.5, 0.0, 0.0]


def test_growth_index_no_capital_is_nan() -> None:
    assert np.isnan(growth_index(np.array([0.0, 1.0]))).all()


def test_max_drawdown_dates_and_recovery() -> None:
    index = np.array([1.0, 2.0, 1.5, 1.0, 1.8, 2.0, 1.9])
    ts = np.arange(7, dtype=np.int64) * 10
    fall = max_drawdown(index, ts)
    assert fall == (0.5, 10, 30, 50)
    assert longest_underwater(index, ts) == 40
    assert drawdown_series(index)[-1] == pytest.approx(0.05)
    assert max_drawdown(index[:5], ts[:5]).recovered is None
    assert max_drawdown(np.array([1.0, 2.0]), ts[:2]).depth == 0.0


def test_deflated_sharpe_papers_example() -> None:
    # Bailey and Lopez de Prado (2014): annual Sharpe 2.5 over 1250 days of 250 a year,
    # skew -3, kurtosis 10, 100 trials with annual variance 1/2 gives SR0 0.1132, DSR 0.9004.
    per_day, variance = 2.5 / math.sqrt(250), 0.5 / 250
    assert expected_best_sharpe(100, variance) == pytest.approx(0.1132, abs=5e-5)
    assert deflated_sharpe(per_day, 1250, -3, 10, 100, variance) == pytest.approx(0.9004, abs=5e-5)
    assert deflated_sharpe(per_day, 1250, -3, 10, 46, variance) == pytest.approx(0.9505, abs=5e-5)
    assert deflated_sharpe(per_day, 1250, 0, 3, 88, variance) == pytest.approx(0.9505, abs=5e-5)


def test_minimum_track_record_papers_example() -> None:
    # Bailey and Lopez de Prado (2012): annual Sharpe 2 against 1, daily, normal: 2.73 years.
    days = minimum_track_record(2 / math.sqrt(252), 0, 3, 1 / math.sqrt(252))
    assert days / 252 == pytest.approx(2.73, abs=5e-3)
    assert math.isnan(minimum_track_record(0.01, 0, 3, 0.02))


def test_probabilistic_sharpe_minimum_track_record_is_its_inverse() -> None:
    length = minimum_track_record(0.08, -0.7, 6.0, 0.02, 0.95)
    below, above = math.floor(length), math.ceil(length)
    assert probabilistic_sharpe(0.08, below, -0.7, 6.0, 0.02) <= 0.95
    assert probabilistic_sharpe(0.08, above, -0.7, 6.0, 0.02) >= 0.95
    assert math.isnan(probabilistic_sharpe(0.08, 1, 0, 3))


def test_deflated_sharpe_more_trials_is_lower() -> None:
    values = [deflated_sharpe(0.1, 900, 0, 3, k, 1 / 900) for k in (1, 10, 100, 1000)]
    assert values == sorted(values, reverse=True)
    assert values[0] == probabilistic_sharpe(0.1, 900, 0, 3)


def test_stationary_blocks_seeded_and_of_mean_length() -> None:
    drawn = stationary_blocks(500, 400, np.random.default_rng(7), block=25)
    again = stationary_blocks(500, 400, np.random.default_rng(7), block=25)
    assert np.array_equal(drawn, again)
    assert drawn.min() >= 0
    assert drawn.max() <= 499
    follows = (np.diff(drawn, axis=1) % 500) == 1
    # A new block starts with chance 1/25 and meets its neighbour by luck in 1 of 500.
    assert 1 - follows.mean() == pytest.approx(1 / 25 * (1 - 1 / 500), rel=0.03)
    assert np.bincount(drawn.ravel(), minlength=500).std() / 400 < 0.12


def test_bootstrap_interval_independent_returns_matches_theory() -> None:
    rng = np.random.default_rng(11)
    returns = rng.normal(0.001, 0.02, 1500)
    drawn = stationary_blocks(1500, 2000, rng, block=10)
    low, high = interval(returns[drawn].mean(axis=1))
    spread = returns.std() / math.sqrt(1500) * 1.6449
    assert low == pytest.approx(returns.mean() - spread, abs=0.15 * spread)
    assert high == pytest.approx(returns.mean() + spread, abs=0.15 * spread)


def test_interval_mostly_undefined_is_nan() -> None:
    low, high = interval(np.array([1.0, np.nan, np.nan]))
    assert math.isnan(low)
    assert math.isnan(high)


def test_equal_volatility_needs_loan_is_nan() -> None:
    rng = np.random.default_rng(2)
    wild, calm = rng.normal(0, 0.04, 300), rng.normal(0, 0.01, 300)
    factor = equal_volatility(wild, calm)
    assert float(volatility(factor * wild)) == pytest.approx(float(volatility(calm)))
    assert math.isnan(equal_volatility(calm, wild))
    assert math.isnan(equal_volatility(np.zeros(300), calm))


def test_marginal_sharpe_useless_part_is_negative() -> None:
    rng = np.random.default_rng(4)
    rest = rng.normal(0.001, 0.01, 2000)
    noise = rng.normal(0.0, 0.01, 2000)
    assert float(marginal_sharpe(rest + noise, rest)) < 0


def test_regimes_equal_naive_reading() -> None:
    close = 100 * np.exp(np.cumsum(np.random.default_rng(5).normal(0, 0.03, 700)))
    got = regimes(close)
    frame = pd.Series(close)
    vol = np.log(frame).diff().rolling(30).std()
    for day in (0, 199, 209, 210, 350, 699):
        past = vol[:day].dropna()
        if day < 200 or past.size < 180:
            assert got[day] == UNKNOWN
            continue
        tercile = sum(vol[day] > past.quantile(q) for q in (1 / 3, 2 / 3))
        assert got[day] == 2 * tercile + (close[day] > close[day - 200])
    assert set(np.unique(got)) <= set(range(-1, len(NAMES)))


def test_regimes_future_changed_past_labels_stay() -> None:
    rng = np.random.default_rng(6)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.03, 600)))
    other = close.copy()
    other[400:] *= rng.uniform(0.1, 10, 200)
    assert np.array_equal(regimes(close)[:400], regimes(other)[:400])


def test_venue_losses_one_per_begun_period_at_the_highest_balance() -> None:
    ts = np.arange(0, 6 * 365, dtype=np.int64) * DAY_NS
    balance = np.ones(ts.size)
    balance[700], balance[2000] = 3.0, 2.0
    assert venue_losses(ts, balance).tolist() == [700, 2000]


def test_stressed_path_hand_calculation() -> None:
    ts = np.arange(4, dtype=np.int64) * DAY_NS
    index = np.array([1.0, 1.10, 1.21, 1.21])
    costs = np.array([0.0, 0.01, 0.01, 0.03])
    stressed = stressed_path(index, costs, ts, np.full(4, 0.5))
    # Steps 1.10-0.01, 1.10, 1.00-0.02; the balance is highest after the second step.
    assert stressed.losses.tolist() == [2]
    assert stressed.growth == pytest.approx(
        [1.0, 1.09, 1.09 * 1.1 * 0.95, 1.09 * 1.1 * 0.95 * 0.98]
    )
