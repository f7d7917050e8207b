"""Value at risk and expected shortfall, historical."""

from __future__ import annotations

import numpy as np

from crypto_quant.core.measures.arrays import Floats


def value_at_risk(returns: Floats, level: float = 0.95) -> Floats:
    """Loss that is not exceeded in ``level`` of the periods, as a fraction, a loss > 0.

    Parameters
    ----------
    returns : ndarray of shape (..., n)

    Returns
    -------
    ndarray of shape (...)
        Linear interpolation between order statistics; NaN for no returns.
    """
    if returns.shape[-1] == 0:
        return np.full(returns.shape[:-1], np.nan)
    return np.asarray(-np.quantile(returns, 1.0 - level, axis=-1))


def expected_shortfall(returns: Floats, level: float = 0.95) -> Floats:
    """Mean loss in the worst ``1 - level`` of the periods, a loss > 0.

    Returns
    -------
    ndarray of shape (...)
        Mean of the order statistics up to the quantile's lower neighbour, so that it is at
        least the value at risk; NaN for no returns.

    References
    ----------
    Acerbi and Tasche (2002), Journal of Banking and Finance 26(7).
    """
    n = returns.shape[-1]
    if n == 0:
        return np.full(returns.shape[:-1], np.nan)
    worst = int((n - 1) * (1.0 - level)) + 1
    return np.asarray(-np.sort(returns, axis=-1)[..., :worst].mean(axis=-1))
