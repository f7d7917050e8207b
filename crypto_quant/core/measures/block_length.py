"""How long the blocks of a block bootstrap should be, read from the series itself.

References
----------
Politis and White (2004), Econometric Reviews 23(1): the automatic choice.
Patton, Politis and White (2009), Econometric Reviews 28(4): its correction; the constants
of the stationary and of the circular bootstrap are theirs.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from crypto_quant.core.measures.arrays import Floats

_CRITICAL: Final = 2.0
"""Autocorrelations below this times sqrt(log10(n) / n) count as none."""

_LEAST_RUN: Final = 5
"""So many negligible autocorrelations in a row end the search for the last one that is not."""


class BlockLength(NamedTuple):
    """Block lengths that minimise the error of the variance of the mean, in observations.

    ``stationary`` is the mean of geometric lengths, ``circular`` the one fixed length. Both
    are at least 1 and at most ``min(3 sqrt(n), n / 3)``, rounded up.
    """

    stationary: float
    circular: float


def block_length(values: Floats) -> BlockLength:
    """Choose the block lengths for a series.

    Parameters
    ----------
    values : ndarray of shape (n,)
        Observations in time order.

    Returns
    -------
    BlockLength
        1 for a series that is constant or too short (n < 10) to tell.
    """
    n = values.size
    if n < 2 * _LEAST_RUN or not np.ptp(values) > 0:
        return BlockLength(1.0, 1.0)
    most = float(np.ceil(min(3.0 * np.sqrt(n), n / 3.0)))
    covariance, lags = _significant(values - values.mean())
    k = np.arange(1, lags + 1)
    weight = np.where(2 * k <= lags, 1.0, 2.0 * (1.0 - k / lags))  # flat-top lag window
    slope = float(np.sum(2.0 * weight * k * covariance[k]))
    long_run = float(covariance[0] + np.sum(2.0 * weight * covariance[k]))
    if not long_run > 0:
        return BlockLength(most, most)

    def best(constant: float) -> float:
        length = float(np.cbrt(2.0 * slope**2 / (constant * long_run**2) * n))
        return min(max(length, 1.0), most)

    return BlockLength(best(2.0), best(4.0 / 3.0))


def _significant(deviations: Floats) -> tuple[Floats, int]:
    """Return autocovariances by lag, and the lag up to which they are summed."""
    n = deviations.size
    run = max(_LEAST_RUN, int(np.log10(n)))
    most = min(int(np.ceil(np.sqrt(n))) + run, n - 2)
    squares = np.concatenate(([0.0], np.cumsum(deviations**2)))
    lag = np.arange(most + 1)
    cross = np.array([deviations[k:] @ deviations[: n - k] for k in lag])
    # Each lag's own products are divided by the energy of the two ends that made them.
    energy = np.sqrt((squares[n] - squares[lag + 1]) * squares[n - lag - 1])
    negligible = np.abs(cross) < _CRITICAL * np.sqrt(np.log10(n) / n) * energy
    runs = np.lib.stride_tricks.sliding_window_view(negligible[:-1], run).all(axis=1)
    found = np.flatnonzero(runs)
    last = 2 * max(int(found[0]), 1) if found.size else most
    return cross / n, min(last, most)
