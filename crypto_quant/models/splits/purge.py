"""Purge and embargo: no training label may share time with what it is tested on.

References
----------
Lopez de Prado (2018), Advances in Financial Machine Learning, ch. 7.4.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray


def known_before(
    t0: NDArray[np.int64], t1: NDArray[np.int64], start: int, end: int, purge_ns: int
) -> NDArray[np.bool_]:
    """Return which labels may train a model that is used from ``end`` on.

    A label qualifies if it began in ``[start, end - purge)`` and was known before ``end``.
    The first rule cuts by time alone: were only the second applied, labels near the end
    would stay in exactly when they ended early, which is a choice by outcome.

    Parameters
    ----------
    t0, t1
        Start of each label and the time it was known, shape (m,), ns UTC.
    start, end
        The training window.
    purge_ns
        At least the label horizon.
    """
    return (t0 >= start) & (t0 < end - purge_ns) & (t1 < end)


def purged_kfold(
    t0: NDArray[np.int64], t1: NDArray[np.int64], folds: int, embargo_ns: int
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Yield (train, test) positions of ``folds`` contiguous blocks of labels.

    A training label that shares an instant with the time spanned by the test labels is
    dropped, on both sides; after the block, so is one that begins less than ``embargo_ns``
    after the span's end.

    Parameters
    ----------
    t0, t1
        Start and end of each label, shape (m,), ascending in ``t0``, ns UTC.
    folds
        Number of blocks, equal in labels to within one.
    embargo_ns
        Extra distance after the test block.
    """
    for test in np.array_split(np.arange(len(t0)), folds):
        if not len(test):
            continue
        begin, end = t0[test[0]], t1[test].max()
        apart = (t1 < begin) | (t0 > end + embargo_ns)
        yield np.flatnonzero(apart), test
