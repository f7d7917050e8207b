"""Drawdown: loss from the highest mark so far."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from crypto_quant.core.measures.arrays import Floats, Ints


class Drawdown(NamedTuple):
    """The deepest fall of a path.

    ``depth`` is >= 0, a fraction of the peak. Times are int64 ns; ``recovered`` is the first
    mark at or above the peak again, ``None`` if there was none. All times are ``None`` when
    the path never fell.
    """

    depth: float
    peak: int | None
    trough: int | None
    recovered: int | None


def drawdown_series(index: Floats) -> Floats:
    """Loss from the running peak.

    Parameters
    ----------
    index : ndarray of shape (..., n)
        Marks, > 0 (0 after ruin).

    Returns
    -------
    ndarray of shape (..., n)
        In [0, 1]; 0 at a new peak.
    """
    return np.asarray(1.0 - index / np.maximum.accumulate(index, axis=-1))


def max_drawdown(index: Floats, ts: Ints) -> Drawdown:
    """Find the deepest fall of one path.

    Parameters
    ----------
    index : ndarray of shape (n,)
    ts : ndarray of shape (n,)
        int64 ns of each mark.

    Returns
    -------
    Drawdown
        ``depth`` is NaN for an empty path or one with NaN.
    """
    if index.size == 0 or bool(np.isnan(index).any()):
        return Drawdown(float("nan"), None, None, None)
    falls = drawdown_series(index)
    trough = int(falls.argmax())
    if falls[trough] <= 0:
        return Drawdown(0.0, None, None, None)
    peak = int(index[: trough + 1].argmax())
    back = np.flatnonzero(index[trough:] >= index[peak])
    recovered = int(ts[trough + int(back[0])]) if back.size else None
    return Drawdown(float(falls[trough]), int(ts[peak]), int(ts[trough]), recovered)


def longest_underwater(index: Floats, ts: Ints) -> int:
    """Longest time in ns between a peak and the mark that reaches it again (or the end)."""
    peaks = np.flatnonzero(index >= np.maximum.accumulate(index))
    marks = np.append(ts[peaks], ts[-1])
    return int(np.diff(marks).max()) if marks.size > 1 else 0
