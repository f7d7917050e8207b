"""Block bootstrap: how far a figure moves when history is drawn again.

References
----------
Politis and Romano (1994), Journal of the American Statistical Association 89(428):
the stationary bootstrap (blocks of geometric length, wrapped round the end).
Politis and Romano (1992), in Exploring the Limits of Bootstrap: the circular bootstrap
(blocks of one length, wrapped round the end).
Davison and Hinkley (1997), Bootstrap Methods and their Application, 5.2: the basic interval.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from crypto_quant.core.measures.arrays import Floats, Ints

BLOCK: Final = 120
"""Mean block in days: twice the persistence that Newey-West allows for."""

COVERAGE: Final = 0.90

SHARPE_NOMINAL: Final = 0.95
"""Share of mirrored draws between the ends of a Sharpe ratio's 90 % interval.

Wider than 0.90, because so few blocks say too little of how uncertain the variance is. By
simulation (2029 days, 1000 paths a process, ``BLOCK``) the interval of the lowest of the three
ratios holds the true one in 92 to 97 of 100 paths for normal days that are independent or
AR(1) plus noise with half lives of 10 to 120 days, and in 83 or 84 where what persists is
log-normal (half lives of 30 to 90). Mirrored without widening: 83 to 90, and 75 to 78.
Neither: 54 to 86, and 24 to 36.
"""

_LEAST_BLOCKS: Final = 12


def mean_block(n: int) -> int:
    """Return the mean block for ``n`` days: ``BLOCK``, shorter where few would make a history."""
    return max(1, min(BLOCK, n // _LEAST_BLOCKS))


def stationary_blocks(n: int, draws: int, rng: np.random.Generator, block: int = BLOCK) -> Ints:
    """Draw day numbers in blocks whose length is geometric with mean ``block``.

    Parameters
    ----------
    n : int
        Days to draw from, and to draw.
    draws : int
        Histories to draw.
    rng : numpy.random.Generator
        Passed in, so that a seed fixes the result.

    Returns
    -------
    ndarray of shape (draws, n)
        Day numbers in [0, n).
    """
    fresh = rng.random((draws, n)) < 1.0 / block
    fresh[:, 0] = True
    start = rng.integers(0, n, (draws, n))
    position = np.arange(n)
    begun = np.maximum.accumulate(np.where(fresh, position, 0), axis=1)
    first = np.take_along_axis(start, begun, axis=1)
    return np.asarray((first + position - begun) % n)


def circular_blocks(n: int, draws: int, rng: np.random.Generator, block: int) -> Ints:
    """Draw day numbers in blocks of exactly ``block`` days; the last one may be cut.

    Parameters and result are as of ``stationary_blocks``.
    """
    start = rng.integers(0, n, (draws, -(-n // block)))
    days = start[:, :, None] + np.arange(block)
    return np.asarray(days.reshape(draws, -1)[:, :n] % n)


def mirrored(drawn: Floats, measured: float) -> Floats:
    """Mirror drawn values at the measured one: their ``interval`` is the basic interval.

    Cutting days into blocks takes away persistence that the lowest Sharpe ratio is there to
    count: drawn ratios lie above the measured one, and a percentile interval above the truth.
    How far a draw lies from what was measured tells how far that may lie from the truth, so
    the distance is taken to the other side. The values are dealt out in the order of the
    drawn ones: the history with the highest ratio keeps the highest.

    Parameters
    ----------
    drawn : ndarray of shape (draws,)
    measured : float

    Returns
    -------
    ndarray of shape (draws,)
        NaN where ``drawn`` is NaN; all NaN for a NaN ``measured``.
    """
    out = np.empty(drawn.shape)
    out[np.argsort(drawn)] = np.sort(2.0 * measured - drawn)
    return out


def interval(values: Floats, coverage: float = COVERAGE) -> tuple[float, float]:
    """Percentile interval of bootstrap values.

    Parameters
    ----------
    values : ndarray of shape (draws,)
    coverage : float
        Share of the values between its ends.

    Returns
    -------
    tuple of float
        NaN where fewer than half of the draws are defined.
    """
    defined = values[~np.isnan(values)]
    if defined.size == 0 or 2 * defined.size < values.size:
        return float("nan"), float("nan")
    tail = (1.0 - coverage) / 2.0
    low, high = np.quantile(defined, [tail, 1.0 - tail])
    return float(low), float(high)
