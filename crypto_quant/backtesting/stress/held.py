"""What a session's run held, fill by fill: where its shocks are laid."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from crypto_quant.backtesting.engine.columns import whole
from crypto_quant.backtesting.engine.portfolio import Books
from crypto_quant.core.measures.arrays import Ints
from crypto_quant.runtime.segments import Span


class Steps(NamedTuple):
    """A position over time: what it is, lots, from right after each time on, ns UTC; (n,)."""

    ts: Ints
    lots: Ints

    @classmethod
    def of(cls, ts: Ints, signed: Ints) -> Steps:
        """Add up signed lots from nothing on."""
        order = np.argsort(ts, kind="stable")
        return cls(ts[order], np.cumsum(signed[order]))

    def at(self, ts: Ints) -> Ints:
        """Return the position before anything happens at each time."""
        lots: Ints = np.append(0, self.lots)[np.searchsorted(self.ts, ts)]
        return lots


class Held(NamedTuple):
    """What a run that began flat held of one instrument: at the venue, and as it was told."""

    venue: Steps
    told: Steps

    @classmethod
    def of(cls, books: Books) -> Held:
        """Read it off its fills."""
        names = ("ts_event", "ts_recv", "side", "qty")
        event, recv, side, qty = (whole(books.fills, name) for name in names)
        return cls(Steps.of(event, side * qty), Steps.of(recv, side * qty))

    def at(self, ts: int) -> int:
        """Return the position at the venue before anything happens at a time."""
        return int(self.venue.at(np.array([ts]))[0])

    def largest(self, span: Span) -> int | None:
        """Return when in a span most was held: the first such time, if we knew of it then.

        Else, where we never knew of as much, the first such time at the venue. ``None`` where
        nothing is held after any fill in it.
        """
        after = np.unique(np.concatenate([self.venue.ts, self.told.ts]) + 1)
        after = after[(after >= span.start) & (after < span.end)]
        lots = self.venue.at(after)
        if not lots.any():
            return None
        most = np.abs(lots) == np.abs(lots).max()
        known = most & (self.told.at(after) == lots)
        return int(after[np.argmax(known if known.any() else most)])


def place(held: Held, span: Span, room_ns: int) -> int:
    """Return when a shock of a session begins.

    When the largest position had just been taken, and we had been told so, of those after which
    the shock can last; of all, where there is none. In the middle where nothing is ever held: no
    moment shows anything.
    """
    found = held.largest(Span(span.start, span.end - room_ns)) or held.largest(span)
    return (span.start + span.end) // 2 if found is None else found
