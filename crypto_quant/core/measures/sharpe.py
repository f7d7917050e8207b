"""Sharpe ratio: daily, monthly, Newey-West, and the lowest of the three.

The risk-free rate is 0 unless excess returns are passed in.

References
----------
Sharpe (1994), Journal of Portfolio Management 21(1).
Newey and West (1987), Econometrica 55(3): Bartlett weights ``1 - k / (lags + 1)``.
Lo (2002), Financial Analysts Journal 58(4): why autocorrelation inflates the daily figure.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from crypto_quant.core.measures.arrays import (
    DAYS_PER_YEAR,
    MONTHS_PER_YEAR,
    Floats,
    Ints,
    deviation,
    ratio,
)

LAGS: Final = 60
"""Days of autocorrelation that the Newey-West figure allows for."""


class Sharpe(NamedTuple):
    """One ratio, three ways to measure its denominator; each of shape (...), annual."""

    daily: Floats
    monthly: Floats
    newey_west: Floats

    @property
    def lowest(self) -> Floats:
        """The figure that counts; NaN if any of the three is undefined."""
        return np.minimum(np.minimum(self.daily, self.monthly), self.newey_west)


def sharpe(returns: Floats, periods: float = DAYS_PER_YEAR) -> Floats:
    """Mean over standard deviation (ddof 1), annualised by the root of ``periods``.

    Parameters
    ----------
    returns : ndarray of shape (..., n)
        Simple returns.
    periods : float
        Returns in a year: 365 for days, 12 for months.

    Returns
    -------
    ndarray of shape (...)
        NaN below two returns, with NaN among them, or when they do not vary.
    """
    if returns.shape[-1] < 2:
        return np.full(returns.shape[:-1], np.nan)
    return ratio(returns.mean(axis=-1) * np.sqrt(periods), deviation(returns))


def monthly_returns(returns: Floats, month: Ints) -> Floats:
    """Compound daily returns within calendar months.

    Parameters
    ----------
    returns : ndarray of shape (..., n)
    month : ndarray of shape (n,)
        Month number of each day, ascending. A month that is cut by the window, or by days
        left out, is the shorter month it is.

    Returns
    -------
    ndarray of shape (..., n_months)
    """
    if returns.shape[-1] == 0:
        return returns
    starts = np.flatnonzero(np.diff(month, prepend=month[0] - 1))
    return np.asarray(np.multiply.reduceat(1.0 + returns, starts, axis=-1) - 1.0)


def long_run_variance(returns: Floats, lags: int = LAGS) -> Floats:
    """Variance of a sum of returns per return, Bartlett kernel, times n / (n - 1).

    Returns
    -------
    ndarray of shape (...)
        NaN for ``n <= lags + 1``; 0 for returns that do not vary. With ``lags = 0`` it is
        the sample variance.
    """
    n = returns.shape[-1]
    if n <= lags + 1:
        return np.full(returns.shape[:-1], np.nan)
    centred = returns - returns.mean(axis=-1, keepdims=True)
    total = np.einsum("...i,...i->...", centred, centred)
    for lag in range(1, lags + 1):
        weight = 2.0 * (1.0 - lag / (lags + 1.0))
        total = total + weight * np.einsum(
            "...i,...i->...", centred[..., lag:], centred[..., :-lag]
        )
    varies = returns.max(axis=-1) > returns.min(axis=-1)
    return np.where(varies, total / (n - 1), 0.0)


def newey_west_sharpe(returns: Floats, lags: int = LAGS, periods: float = DAYS_PER_YEAR) -> Floats:
    """Sharpe ratio over the long-run deviation, so that persistence is paid for.

    Returns
    -------
    ndarray of shape (...)
        NaN where ``long_run_variance`` is undefined or not > 0.
    """
    if returns.shape[-1] == 0:
        return np.full(returns.shape[:-1], np.nan)
    variance = long_run_variance(returns, lags)
    root = np.sqrt(np.where(variance > 0, variance, np.nan))
    return ratio(returns.mean(axis=-1) * np.sqrt(periods), root)


def sharpe_three_ways(returns: Floats, month: Ints) -> Sharpe:
    """Measure the Sharpe ratio daily, monthly and after Newey-West.

    Parameters
    ----------
    returns : ndarray of shape (..., n)
        Simple daily returns, hole days already left out.
    month : ndarray of shape (n,)
    """
    by_month = monthly_returns(returns, month)
    return Sharpe(
        sharpe(returns),
        sharpe(by_month, MONTHS_PER_YEAR),
        newey_west_sharpe(returns),
    )


def marginal_sharpe(whole: Floats, without: Floats) -> Floats:
    """Daily Sharpe that a part adds: that of the whole less that of the rest.

    Parameters
    ----------
    whole, without : ndarray of shape (..., n)
        Simple daily returns of the portfolio, and of the portfolio without the part.
    """
    return np.asarray(sharpe(whole) - sharpe(without))
