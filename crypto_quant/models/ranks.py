"""Rank correlation, with tied values sharing their mean rank and NaN pairs left out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def mean_ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ranks from 1, equal values sharing the mean of theirs; shape (n,), no NaN."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    return np.asarray((last - 0.5 * (count - 1))[place], dtype=np.float64)


def spearman(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Return the rank correlation of two columns, in [-1, 1].

    Pairs with a NaN are left out; NaN when fewer than three are left or a side is constant.
    """
    both = ~(np.isnan(x) | np.isnan(y))
    if both.sum() < 3:
        return float("nan")
    a, b = mean_ranks(x[both]), mean_ranks(y[both])
    a -= a.mean()
    b -= b.mean()
    scale = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / scale if scale > 0 else float("nan")


def rank_auc(score: NDArray[np.float64], is_positive: NDArray[np.bool_]) -> float:
    """Return the probability that a positive scores above a negative, ties counting half.

    NaN when one of the two kinds is absent.
    """
    positives = int(is_positive.sum())
    negatives = len(score) - positives
    if positives == 0 or negatives == 0:
        return float("nan")
    above = mean_ranks(score)[is_positive].sum() - positives * (positives + 1) / 2
    return float(above / (positives * negatives))
