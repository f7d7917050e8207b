"""How likely it is that the best of many configurations was the best by luck.

References
----------
Bailey, Borwein, Lopez de Prado and Zhu (2017), Journal of Computational Finance 20(4): the
probability of backtest overfitting, by combinatorially symmetric cross-validation.
"""

from __future__ import annotations

from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from crypto_quant.core.measures.arrays import Floats

BLOCKS: Final = 16
"""Stretches that the days are cut into: 12,870 ways to choose half of them."""
_AT_ONCE: Final = 2**18
"""Halves times configurations that are in memory at once: 2 MiB a matrix."""


def overfitting_probability(returns: Floats, blocks: int = BLOCKS) -> float:
    """Probability that the best half-sample choice is below the median in the other half.

    Days are cut into blocks, equally long. For every choice of half of them, the configuration
    with the highest Sharpe ratio there is ranked by its Sharpe ratio in the other half.

    Parameters
    ----------
    returns : ndarray of shape (n_days, n_configurations)
        Of the same days. Days that do not fill the blocks are left out at the beginning.
    blocks : int
        Even.

    Returns
    -------
    float
        In [0, 1]; NaN below two configurations or two days a block. A half in which a
        configuration's returns do not vary counts as a Sharpe ratio of 0.
    """
    length = len(returns) // blocks
    if returns.shape[1] < 2 or length < 2:
        return float("nan")
    parts = np.split(returns[len(returns) - blocks * length :], blocks)
    first = np.array([part.sum(axis=0) for part in parts])
    second = np.array([(part**2).sum(axis=0) for part in parts])
    chosen = np.zeros((len(halves := list(combinations(range(blocks), blocks // 2))), blocks))
    np.put_along_axis(chosen, np.array(halves), 1.0, axis=1)
    days = length * blocks // 2
    below = 0
    for some in np.array_split(chosen, -(-chosen.shape[0] * returns.shape[1] // _AT_ONCE)):
        seen = _sharpe(some @ first, some @ second, days)
        best = seen.argmax(axis=1)[:, None]
        below += _below_median(_sharpe((1.0 - some) @ first, (1.0 - some) @ second, days), best)
    return below / len(chosen)


def _below_median(held: Floats, best: NDArray[np.intp]) -> int:
    """Count the halves in which the chosen configuration is not above the median."""
    own = np.take_along_axis(held, best, axis=1)
    # Ties share their mean rank; the logit of rank / (n + 1) is not above 0 up to one half.
    rank = (held < own).sum(axis=1) + ((held == own).sum(axis=1) + 1.0) / 2.0
    return int((rank / (held.shape[1] + 1.0) <= 0.5).sum())


def _sharpe(total: Floats, squares: Floats, n: int) -> Floats:
    mean = total / n
    spread = squares / n - mean**2
    varies = spread > 1e-14 * squares / n  # what rounding leaves of no spread is none
    return np.where(varies, mean / np.sqrt(np.where(varies, spread, 1.0)), 0.0)
