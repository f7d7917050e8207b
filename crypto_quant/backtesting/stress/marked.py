"""What marks an instrument in a session over time."""

from __future__ import annotations

import numpy as np

from crypto_quant.backtesting.stress.shocks.rows import Reach
from crypto_quant.backtesting.stress.tape import Parts
from crypto_quant.core.measures.arrays import Ints


def marked(marks: Parts, ts: Ints) -> Ints:
    """Return the mark that stands at each time, (n,); before the first one that one.

    Parameters
    ----------
    marks
        ``ts_event``, which is taken to stand still where it goes back, and ``mark``.
    ts
        Times, ns UTC, in any order.
    """
    out: Ints = np.ones(ts.size, dtype=np.int64)
    reach, is_first = Reach(), True
    for part in marks:
        if not len(part["mark"]):
            continue
        if is_first:
            out[:], is_first = part["mark"][0], False
        at = np.searchsorted(reach.take(part["ts_event"]), ts, side="right") - 1
        out[at >= 0] = part["mark"][at[at >= 0]]
    return out
