"""Intervals of a Sharpe ratio: how often they hold the true one, by simulation."""

from __future__ import annotations

import numpy as np
import pytest

from crypto_quant.core.measures.arrays import Floats, Ints
from crypto_quant.core.measures.bootstrap import (
    BLOCK,
    SHARPE_NOMINAL,
    interval,
    mean_block,
    mirrored,
    stationary_blocks,
)
from crypto_quant.core.measures.sharpe import LAGS, sharpe_three_ways

DAYS, PATHS, DRAWS = 2029, 100, 120
SHARE = 0.4
"""Of a day's variance that persists; the rest is noise."""


def _months() -> Ints:
    days = np.datetime64("2019-11-11") + np.arange(DAYS)
    return days.astype("datetime64[M]").astype(np.int64)


def _lowest(returns: Floats) -> Floats:
    return np.asarray(sharpe_three_ways(returns, _months()).lowest)


def _deviation(decay: float) -> float:
    """Root of the true long-run variance per unit of daily variance, Bartlett weights."""
    lag = np.arange(1, LAGS + 1)
    weights = 1 - lag / (LAGS + 1)
    return float(np.sqrt(1 + 2 * np.sum(weights * SHARE * decay**lag)))


def _path(decay: float, rng: np.random.Generator) -> Floats:
    """Draw a path whose true lowest ratio, Newey-West's, is 2."""
    shock = rng.normal(size=DAYS) * np.sqrt(1 - decay**2)
    slow = np.empty(DAYS)
    slow[0] = rng.normal()
    for t in range(1, DAYS):
        slow[t] = decay * slow[t - 1] + shock[t]
    noise = rng.normal(size=DAYS)
    mean = 2 * _deviation(decay) / np.sqrt(365)
    return np.asarray(5e-4 * (mean + np.sqrt(SHARE) * slow + np.sqrt(1 - SHARE) * noise))


@pytest.mark.parametrize("half_life", [30, 60])
def test_the_interval_of_the_lowest_ratio_holds_the_true_one(half_life: int) -> None:
    rng = np.random.default_rng(5)
    held, plain = 0, 0
    for _ in range(PATHS):
        path = _path(0.5 ** (1 / half_life), rng)
        drawn = _lowest(path[stationary_blocks(DAYS, DRAWS, rng, mean_block(DAYS))])
        low, high = interval(mirrored(drawn, float(_lowest(path))), SHARPE_NOMINAL)
        held += low <= 2 <= high
        low, high = interval(drawn)
        plain += low <= 2 <= high
    # 1000 paths give 0.95 and 0.97, for plain draws 0.72 and 0.69; 100 err by 0.03 and 0.05.
    assert 0.86 <= held / PATHS <= 0.99
    assert plain / PATHS < 0.82


def test_mirrored_is_the_basic_interval_and_keeps_the_order() -> None:
    drawn = np.array([2.5, 1.75, 3.0, 2.25])
    assert mirrored(drawn, 2.0).tolist() == [1.75, 1.0, 2.25, 1.5]
    low, high = interval(mirrored(drawn, 2.0))
    assert (low, high) == pytest.approx(
        (4 - np.quantile(drawn, 0.95), 4 - np.quantile(drawn, 0.05))
    )


def test_mirrored_leaves_the_undefined_undefined() -> None:
    got = mirrored(np.array([2.5, np.nan, 1.5]), 2.0)
    assert np.isnan(got).tolist() == [False, True, False]
    assert got[[0, 2]].tolist() == [2.5, 1.5]
    assert np.isnan(mirrored(np.array([2.5, 1.5]), float("nan"))).all()


def test_mean_block_is_above_the_lags_unless_days_are_few() -> None:
    assert mean_block(DAYS) == BLOCK == 2 * LAGS
    assert [mean_block(n) for n in (5, 365, 730, 1440)] == [1, 30, 60, 120]
