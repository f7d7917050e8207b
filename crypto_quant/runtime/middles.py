"""The middle of a session's book over venue time: what fills are marked against later."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crypto_quant import _native
from crypto_quant.runtime.recorded_rows import Ints
from crypto_quant.runtime.tick_rows import BOOK
from crypto_quant.runtime.ticks import TickTape


class Middles(NamedTuple):
    """Venue times at which the middle changed, (n,), and twice the middle from each on, (n,).

    Grid units; 0 where the book is not known.
    """

    times: Ints
    sums: Ints

    def at(self, ts: Ints) -> NDArray[np.float64]:
        """Return the middle at venue times, grid units; NaN where there is none."""
        if not len(self.times):
            return np.full(len(ts), np.nan)
        found = np.searchsorted(self.times, ts, side="right") - 1
        known = (found >= 0) & (self.sums[found] > 0)
        return np.where(known, self.sums[found] / 2.0, np.nan)


def middles(tape: TickTape, step: int) -> Middles:
    """Follow a session's book; ``step`` is its tick in grid units."""
    gaps = [int(ts) for part in tape.streams["gap"] for ts in part["ts_event"]]
    path = _native.MiddlePath(step, sorted(gaps))
    for part in tape.streams[BOOK]:
        path.add(part["ts_event"], part["side"], part["px"], part["qty"], part["flags"])
    return Middles(*path.finish())
