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

from crypto_quant.core.measures.arrays import Floats

BLOCKS: Final = 16
"""Stretches that the days are cut into: 12,870 ways to choose half of them."""


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
    kept = returns[len(returns) - blocks * length :].reshape(blocks, length, -1)
    first, second = kept.sum(axis=1), (kept**2).sum(axis=1)
    chosen = np.zeros((len(halves := list(combinations(range(blocks), blocks // 2))), blocks))
    np.put_along_axis(chosen, np.array(halves), 1.0, axis=1)
    days = length * blocks // 2
    seen = _sharpe(chosen @ first, chosen @ second, days)
    held = _sharpe((1.0 - chosen) @ first, (1.0 - chosen) @ second, days)
    best = np.take_along_axis(held, seen.argmax(axis=1)[:, None], axis=1)
    # Ties share their mean rank; the logit of rank / (n + 1) is not above 0 up to one half.
    rank = (held < best).sum(axis=1) + ((held == best).sum(axis=1) + 1.0) / 2.0
    return float(np.mean(rank / (held.shape[1] + 1.0) <= 0.5))


def _sharpe(total: Floats, squares: Floats, n: int) -> Floats:
    mean = total / n
    spread = squares / n - mean**2
    varies = spread > 1e-14 * squares / n  # what rounding leaves of no spread is none
    return np.where(varies, mean / np.sqrt(np.where(varies, spread, 1.0)), 0.0)
