"""How much of a Sharpe ratio survives short samples, fat tails and many trials.

All Sharpe ratios here are per period, not annualised, and kurtosis is raw.

References
----------
Bailey and Lopez de Prado (2012), Journal of Risk 15(2): PSR, MinTRL.
Bailey and Lopez de Prado (2014), Journal of Portfolio Management 40(5): DSR.
"""

from __future__ import annotations

import math
from statistics import NormalDist

_NORMAL = NormalDist()
_EULER = 0.5772156649015329


def probabilistic_sharpe(
    sharpe: float, n: int, skew: float, kurt: float, benchmark: float = 0.0
) -> float:
    """Probability that the true Sharpe ratio is above a benchmark.

    Parameters
    ----------
    sharpe, benchmark : float
        Per period.
    n : int
        Number of returns.
    skew, kurt : float
        Of the returns; ``kurt`` is 3 if normal.

    Returns
    -------
    float
        In [0, 1]; NaN below two returns or where the estimator's variance is not > 0.
    """
    spread = 1.0 - skew * sharpe + (kurt - 1.0) / 4.0 * sharpe**2
    if n < 2 or not spread > 0:
        return float("nan")
    return _NORMAL.cdf((sharpe - benchmark) * math.sqrt(n - 1) / math.sqrt(spread))


def expected_best_sharpe(trials: int, variance: float) -> float:
    """Sharpe ratio, per period, that the best of ``trials`` worthless strategies shows.

    Parameters
    ----------
    trials : int
        Independent trials; 1 gives 0.
    variance : float
        Variance of the trials' Sharpe ratios, per period; 1 / n under the null.
    """
    if trials < 1 or not variance >= 0:
        return float("nan")
    if trials == 1:
        return 0.0
    first = _NORMAL.inv_cdf(1.0 - 1.0 / trials)
    second = _NORMAL.inv_cdf(1.0 - 1.0 / (trials * math.e))
    return math.sqrt(variance) * ((1.0 - _EULER) * first + _EULER * second)


def deflated_sharpe(
    sharpe: float, n: int, skew: float, kurt: float, trials: int, variance: float
) -> float:
    """Probability that the true Sharpe ratio is > 0 after choosing among ``trials``."""
    best = expected_best_sharpe(trials, variance)
    return probabilistic_sharpe(sharpe, n, skew, kurt, best)


def minimum_track_record(
    sharpe: float, skew: float, kurt: float, benchmark: float = 0.0, confidence: float = 0.95
) -> float:
    """Count the returns needed before a Sharpe ratio is above a benchmark with ``confidence``.

    Returns
    -------
    float
        A number of periods; NaN where the ratio is not above the benchmark.
    """
    if not sharpe > benchmark:
        return float("nan")
    spread = 1.0 - skew * sharpe + (kurt - 1.0) / 4.0 * sharpe**2
    return 1.0 + spread * (_NORMAL.inv_cdf(confidence) / (sharpe - benchmark)) ** 2
