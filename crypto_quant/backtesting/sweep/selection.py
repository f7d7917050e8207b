"""What is left of the best cell once it is known to be the best of many."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from crypto_quant.backtesting.engine.side_by_side import LOGGED
from crypto_quant.backtesting.sweep.figures import Figures
from crypto_quant.backtesting.validation.trials import TrialLog
from crypto_quant.core.measures.arrays import DAYS_PER_YEAR
from crypto_quant.core.measures.dispersion import kurtosis, skewness
from crypto_quant.core.measures.overfitting import overfitting_probability
from crypto_quant.core.measures.selection import deflated_sharpe, probabilistic_sharpe

_DAILY = LOGGED[0]


class Selection(NamedTuple):
    """The cell with the highest daily Sharpe ratio, after what it was chosen from.

    ``sharpe`` is annual. ``psr`` and ``dsr`` are the probabilities that the true ratio is above 0,
    as if it were the only trial, and as the best of all ``trials`` in the log. ``overfitting`` is
    the probability that the best cell of half of the days is below the median in the other half.
    ``None``: undefined.
    """

    best: int
    sharpe: float
    psr: float | None
    dsr: float | None
    trials: int
    overfitting: float | None


def select(found: Mapping[int, Figures], log: TrialLog, data: str) -> Selection | None:
    """Deflate the best cell; ``None`` where no cell has a Sharpe ratio.

    Parameters
    ----------
    found
        Cells that were run, by number, each recorded in the log.
    log, data
        The trial log, and the hash of the cells' data.
    """
    daily = {n: each.logged.get(_DAILY, float("nan")) for n, each in found.items()}
    known = {n: value for n, value in daily.items() if np.isfinite(value)}
    if not known:
        return None
    best = max(known, key=lambda n: (known[n], -n))
    returns = np.array(found[best].returns)
    n, skew, kurt = len(returns), float(skewness(returns)), float(kurtosis(returns))
    ratios, trials = log.outcomes(_DAILY, data), log.count().trials
    variance = float(np.var(ratios, ddof=1)) if len(ratios) > 1 else 1.0 / max(n, 1)
    beside = [np.array(each.returns) for each in found.values() if len(each.returns) == n]
    return Selection(
        best=best,
        sharpe=known[best] * float(np.sqrt(DAYS_PER_YEAR)),
        psr=_known(probabilistic_sharpe(known[best], n, skew, kurt)),
        dsr=_known(deflated_sharpe(known[best], n, skew, kurt, trials, variance)),
        trials=trials,
        overfitting=_known(overfitting_probability(np.stack(beside, axis=1))),
    )


def _known(value: float) -> float | None:
    return value if np.isfinite(value) else None
