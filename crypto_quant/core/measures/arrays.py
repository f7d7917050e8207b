"""The array type that measures speak, and the only way they divide."""

from __future__ import annotations

from typing import Final, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats: TypeAlias = NDArray[np.float64]
Bools: TypeAlias = NDArray[np.bool_]
Ints: TypeAlias = NDArray[np.int64]

DAYS_PER_YEAR: Final = 365
MONTHS_PER_YEAR: Final = 12
DAY_NS: Final = 86_400_000_000_000


def ratio(numerator: ArrayLike, denominator: ArrayLike) -> Floats:
    """Divide; NaN unless the denominator is > 0.

    Parameters
    ----------
    numerator, denominator : array_like, broadcastable

    Returns
    -------
    ndarray of float64
    """
    top = np.asarray(numerator, dtype=np.float64)
    bottom = np.asarray(denominator, dtype=np.float64)
    top, bottom = np.broadcast_arrays(top, bottom)
    out = np.full(top.shape, np.nan)
    np.divide(top, bottom, out=out, where=bottom > 0)
    return out


def steps(first: int, last: int, step: int) -> Ints:
    """Return ``first``, ``first + step``, … as far as ``last``, which is included where it is met.

    ``np.arange`` with these bounds counts its values in floats: from 2**53 on, 104 days in ns, it
    loses or invents one.

    Returns
    -------
    ndarray of int64
    """
    return first + step * np.arange((last - first) // step + 1, dtype=np.int64)


def deviation(values: Floats) -> Floats:
    """Sample standard deviation (ddof 1) along the last axis.

    Returns
    -------
    ndarray of shape (...)
        Exactly 0 for a constant series (rounding never makes a spread); NaN below 2 values.
    """
    if values.shape[-1] < 2:
        return np.full(values.shape[:-1], np.nan)
    spread = values.max(axis=-1) - values.min(axis=-1)
    return np.where(spread == 0, 0.0, values.std(axis=-1, ddof=1))
