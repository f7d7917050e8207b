"""What a session's run held, fill by fill: where its shocks are laid."""

from __future__ import annotations

from collections.abc import Sequence
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
    """What a run that began flat held of each thing on its line: at the venues, and as it was told.

    ``lot`` is what a lot of each is worth, by one price for all of the session: so the largest
    position is one of quantities, and no move of prices makes another one.
    """

    venue: tuple[Steps, ...]
    told: tuple[Steps, ...]
    lot: tuple[float, ...]

    @classmethod
    def of(cls, books: Books, lot: Sequence[float]) -> Held:
        """Read it off its fills."""
        names = ("ts_event", "ts_recv", "side", "qty", "instrument")
        event, recv, side, qty, what = (whole(books.fills, name) for name in names)
        own = [what == n for n in range(len(lot))]
        signed = side * qty
        venue = tuple(Steps.of(event[mine], signed[mine]) for mine in own)
        return cls(venue, tuple(Steps.of(recv[mine], signed[mine]) for mine in own), tuple(lot))

    def at(self, ts: int) -> tuple[int, ...]:
        """Return the positions at the venues before anything happens at a time, lots."""
        return tuple(int(steps.at(np.array([ts]))[0]) for steps in self.venue)

    def largest(self, span: Span) -> int | None:
        """Return when in a span most was held in all, the first such time; ``None``: nothing ever.

        If we knew by then of all that is held; else, where we never knew of as much, the first
        such time at the venues.
        """
        after = np.unique(np.concatenate([steps.ts for steps in (*self.venue, *self.told)]) + 1)
        after = after[(after >= span.start) & (after < span.end)]
        lots = np.stack([steps.at(after) for steps in self.venue])
        if not lots.any():
            return None
        worth = np.abs(lots).T @ np.array(self.lot)
        most = worth == worth.max()
        told = np.stack([steps.at(after) for steps in self.told])
        known = most & (told == lots).all(axis=0)
        return int(after[np.argmax(known if known.any() else most)])


def place(held: Held, span: Span, room_ns: int) -> int:
    """Return when a shock of a session begins.

    When the largest position had just been taken, and we had been told so, of those after which
    the shock can last; of all, where there is none. In the middle where nothing is ever held: no
    moment shows anything.
    """
    found = held.largest(Span(span.start, span.end - room_ns)) or held.largest(span)
    return (span.start + span.end) // 2 if found is None else found
