"""Growth: an equity path with outside cash removed, its total return and CAGR."""

from __future__ import annotations

import numpy as np

from crypto_quant.core.measures.arrays import Floats


def growth_index(equity: Floats, flow: Floats | None = None) -> Floats:
    """Time-weighted value of 1 invested at the first mark.

    Parameters
    ----------
    equity : ndarray of shape (n,)
        Marked equity, in money.
    flow : ndarray of shape (n,), optional
        Cumulative cash from outside (> 0 in). It is taken to arrive at the end of the step
        in which it appears, so it earns nothing in that step.

    Returns
    -------
    ndarray of shape (n,)
        First value 1. After equity has been <= 0 the index is 0 and stays there: ruin is
        not undone by later deposits. NaN throughout where the first equity is not > 0.
    """
    if not equity[0] > 0:
        return np.full(equity.shape, np.nan)
    moved = np.zeros(equity.shape) if flow is None else np.diff(flow, prepend=flow[0])
    if not moved.any():
        index = equity / equity[0]
    else:
        with np.errstate(divide="ignore", invalid="ignore"):
            steps = (equity[1:] - moved[1:]) / equity[:-1]
        index = np.concatenate(([1.0], np.cumprod(steps)))
    ruined = np.maximum.accumulate((equity <= 0) | ~(index > 0))
    return np.where(ruined, 0.0, index)


def total_return(returns: Floats) -> Floats:
    """Compound simple returns; shape (..., n) to (...), 0 for no returns."""
    return np.asarray(np.prod(1.0 + returns, axis=-1) - 1.0)


def cagr(total: Floats, years: Floats | float) -> Floats:
    """Yearly growth rate that compounds to a total return.

    Parameters
    ----------
    total : ndarray of shape (...)
        Total return as a fraction; -1 (ruin) gives -1.
    years : float or ndarray
        Elapsed time in years of 365 days.

    Returns
    -------
    ndarray of shape (...)
        NaN where ``years`` is not > 0.
    """
    span = np.asarray(years, dtype=np.float64)
    known = span > 0  # 1 to the power of NaN is 1: an undefined span must be masked
    power = 1.0 / np.where(known, span, 1.0)
    return np.where(known, np.power(1.0 + np.asarray(total), power) - 1.0, np.nan)
