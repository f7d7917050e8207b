"""What a session's run held, fill by fill: where its shocks are laid."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from crypto_quant.backtesting.engine.columns import whole
from crypto_quant.backtesting.engine.portfolio import Books
from crypto_quant.core.measures.arrays import Ints
from crypto_quant.runtime.segments import Span


class Held(NamedTuple):
    """Positions in one instrument: times of fills, ns UTC, and lots from each on, (n,)."""

    ts: Ints
    lots: Ints

    @classmethod
    def of(cls, books: Books) -> Held:
        """Read them off the fills of a run that began flat; those of one time count together."""
        ts, side, qty = (whole(books.fills, name) for name in ("ts_event", "side", "qty"))
        order = np.argsort(ts, kind="stable")
        ts, lots = ts[order], np.cumsum((side * qty)[order])
        last = np.append(np.diff(ts) > 0, True)[: ts.size]
        return cls(ts[last], lots[last])

    def at(self, ts: int) -> int:
        """Return the position before anything happens at a time."""
        before = int(np.searchsorted(self.ts, ts)) - 1
        return int(self.lots[before]) if before >= 0 else 0

    def largest(self, span: Span) -> int | None:
        """Return when in a span the largest position had just been taken, the first such time.

        ``None`` where none is taken in it.
        """
        after = self.ts + 1
        size = np.abs(self.lots) * ((after >= span.start) & (after < span.end))
        return int(after[np.argmax(size)]) if size.any() else None


def place(held: Held, span: Span, room_ns: int) -> int:
    """Return when a shock of a session begins.

    When the largest position had just been taken of those after which the shock can last; of all,
    where there is none. In the middle where nothing is ever held: no moment shows anything.
    """
    found = held.largest(Span(span.start, span.end - room_ns)) or held.largest(span)
    return (span.start + span.end) // 2 if found is None else found
