"""The last traded price of a session over time."""

from __future__ import annotations

import numpy as np

from crypto_quant.backtesting.stress.shocks.rows import Reach
from crypto_quant.backtesting.stress.tape import Parts
from crypto_quant.core.measures.arrays import Ints


def last_traded(trades: Parts, ts: Ints) -> Ints:
    """Return the last traded price at each time, (n,); before the first trade that one.

    Parameters
    ----------
    trades
        ``ts_event``, which is taken to stand still where it goes back, and ``px``.
    ts
        Times, ns UTC, in any order.
    """
    out: Ints = np.ones(ts.size, dtype=np.int64)
    reach, is_first = Reach(), True
    for part in trades:
        if not len(part["px"]):
            continue
        if is_first:
            out[:], is_first = part["px"][0], False
        at = np.searchsorted(reach.take(part["ts_event"]), ts, side="right") - 1
        out[at >= 0] = part["px"][at[at >= 0]]
    return out
