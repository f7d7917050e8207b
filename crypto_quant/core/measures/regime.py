"""Market regime of a day, known before the day begins."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from crypto_quant.core.measures.arrays import Floats, Ints

VOLATILITY_DAYS: Final = 30
TREND_DAYS: Final = 200
FEWEST_PAST: Final = 180
"""Past volatilities needed before a tercile means something."""

UNKNOWN: Final = -1
NAMES: Final = (
    "calm, falling",
    "calm, rising",
    "middling, falling",
    "middling, rising",
    "turbulent, falling",
    "turbulent, rising",
)


def regimes(close: Floats) -> Ints:
    """Label each day: tercile of trailing volatility x sign of the 200-day return.

    Parameters
    ----------
    close : ndarray of shape (n,)
        Daily closes. Element ``i`` is known at the midnight that begins the day it labels.

    Returns
    -------
    ndarray of shape (n,)
        Index into ``NAMES`` for the day after close ``i``; ``UNKNOWN`` where there is too
        little history. Tercile bounds come from volatilities strictly before: causal.
        A 200-day return of exactly 0 counts as falling.
    """
    n = close.size
    labels = np.full(n, UNKNOWN, dtype=np.int64)
    if n <= max(TREND_DAYS, VOLATILITY_DAYS):
        return labels
    windows = sliding_window_view(np.diff(np.log(close)), VOLATILITY_DAYS)
    trailing = np.concatenate((np.full(VOLATILITY_DAYS, np.nan), windows.std(axis=-1, ddof=1)))
    for i in range(TREND_DAYS, n):
        past = trailing[VOLATILITY_DAYS:i]
        past = past[np.isfinite(past)]
        if past.size < FEWEST_PAST or not np.isfinite(trailing[i]):
            continue
        tercile = int((trailing[i] > np.quantile(past, [1 / 3, 2 / 3])).sum())
        rising = int(close[i] > close[i - TREND_DAYS])
        labels[i] = 2 * tercile + rising
    return labels
