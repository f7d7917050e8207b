"""Block bootstrap: how far a figure moves when history is drawn again.

References
----------
Politis and Romano (1994), Journal of the American Statistical Association 89(428):
the stationary bootstrap (blocks of geometric length, wrapped round the end).
"""

from __future__ import annotations

from typing import Final

import numpy as np

from crypto_quant.core.measures.arrays import Floats, Ints

BLOCK: Final = 60
"""Mean block in days: as long as the persistence that Newey-West allows for."""


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


def interval(values: Floats, coverage: float = 0.90) -> tuple[float, float]:
    """Percentile interval of bootstrap values.

    Parameters
    ----------
    values : ndarray of shape (draws,)

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
