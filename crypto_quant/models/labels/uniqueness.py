"""Average uniqueness: how much of a label's life it does not share with other labels.

References
----------
Lopez de Prado (2018), Advances in Financial Machine Learning, ch. 4.4.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def average_uniqueness(t0: NDArray[np.int64], t1: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the time average of 1 / (labels alive) over each label's life ``[t0, t1)``.

    Exact for labels of any length: the number alive is constant between two neighbouring
    starts or ends, and each such stretch is weighted by its duration.

    Parameters
    ----------
    t0, t1
        Start and end of each label, shape (m,), ns UTC, ``t1 > t0``.

    Returns
    -------
    ndarray
        Values in (0, 1], shape (m,). Their sum is the effective sample size.
    """
    if not len(t0):
        return np.empty(0, dtype=np.float64)
    edges = np.unique(np.concatenate([t0, t1]))
    first, last = np.searchsorted(edges, t0), np.searchsorted(edges, t1)
    change = np.zeros(len(edges), dtype=np.int64)
    np.add.at(change, first, 1)
    np.subtract.at(change, last, 1)
    alive = np.cumsum(change)[:-1]
    # Where nothing is alive no label collects anything, so any finite value does.
    share = np.diff(edges) / np.maximum(alive, 1)
    collected = np.concatenate([[0.0], np.cumsum(share)])
    return np.asarray((collected[last] - collected[first]) / (t1 - t0), dtype=np.float64)
