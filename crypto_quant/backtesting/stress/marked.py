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


def marked_under(laid: Parts, recorded: Parts, start: int, ts: Ints) -> Ints:
    """Return the mark that stands at each time, (n,), under a shock that begins at ``start``.

    The first mark stands for the time before it, too. Where that first one is the shock's, it must
    not reach back over the shock's beginning: before it the recorded marks stand.

    Parameters
    ----------
    laid, recorded
        Marks under the shock and without it.
    start
        When the shock begins, ns UTC.
    ts
        Times, ns UTC, in any order.
    """
    out, is_before = marked(laid, ts), ts < start
    if is_before.any():
        out[is_before] = marked(recorded, ts[is_before])
    return out
