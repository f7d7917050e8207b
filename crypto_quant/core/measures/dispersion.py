"""Volatility, downside, shape of the distribution, and what is made of them."""

from __future__ import annotations

import numpy as np

from crypto_quant.core.measures.arrays import DAYS_PER_YEAR, Floats, deviation, ratio


def volatility(returns: Floats, periods: float = DAYS_PER_YEAR) -> Floats:
    """Annual standard deviation (ddof 1); shape (..., n) to (...), NaN below two returns."""
    return np.asarray(deviation(returns) * np.sqrt(periods))


def sortino(returns: Floats, periods: float = DAYS_PER_YEAR) -> Floats:
    """Mean over the root mean square of the losses (all days count), annual.

    Returns
    -------
    ndarray of shape (...)
        NaN without a loss or without returns.

    References
    ----------
    Sortino and Price (1994), Journal of Investing 3(3), target return 0.
    """
    if returns.shape[-1] == 0:
        return np.full(returns.shape[:-1], np.nan)
    downside = np.sqrt(np.mean(np.minimum(returns, 0.0) ** 2, axis=-1))
    return ratio(returns.mean(axis=-1) * np.sqrt(periods), downside)


def calmar(growth_rate: Floats | float, depth: Floats | float) -> Floats:
    """CAGR over maximum drawdown; NaN without a drawdown."""
    return ratio(growth_rate, depth)


def skewness(returns: Floats) -> Floats:
    """Third standardised moment (population); NaN when the returns do not vary."""
    return _standardised(returns, 3)


def kurtosis(returns: Floats) -> Floats:
    """Fourth standardised moment (population), raw: 3 for a normal distribution."""
    return _standardised(returns, 4)


def _standardised(returns: Floats, power: int) -> Floats:
    if returns.shape[-1] == 0:
        return np.full(returns.shape[:-1], np.nan)
    centred = returns - returns.mean(axis=-1, keepdims=True)
    varies = returns.max(axis=-1) > returns.min(axis=-1)
    second = np.where(varies, np.mean(centred**2, axis=-1), 0.0)
    return ratio(np.mean(centred**power, axis=-1), second ** (power / 2))


def equal_volatility(returns: Floats, reference: Floats) -> float:
    """Find how much of a series to hold for the volatility of another.

    Parameters
    ----------
    returns : ndarray of shape (n,)
        Series to hold less of, the rest in cash.
    reference : ndarray of shape (m,)

    Returns
    -------
    float
        Factor in [0, 1]. NaN where it would take borrowed money (a factor above 1): no
        borrow rate is known, so such a return is not shown.
    """
    factor = float(ratio(deviation(reference), deviation(returns)))
    return factor if factor <= 1 else float("nan")
