"""The order book of a session as its updates are read: cut at whole frames, and stated anew."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np

from crypto_quant.backtesting.stress.shocks.moments import NO_GAPS, Edge, split
from crypto_quant.backtesting.stress.shocks.rows import Change, cut, joined, stamped
from crypto_quant.backtesting.stress.tape import InapplicableError, Parts
from crypto_quant.core.measures.arrays import Bools
from crypto_quant.data_pipeline.storage import flags
from crypto_quant.runtime.tape import Columns, Ints

_LEVEL: Final = ("side", "px", "qty")


class Cut(NamedTuple):
    """A moment at which a book is cut, before a whole frame.

    Parameters
    ----------
    ts_event, ts_recv
        The moment, and when what happens then is known.
    levels
        The levels before it, if they were ever known: ``side``, ``px``, ``qty``.
    is_lost
        They are not known any more: a gap came after them.
    """

    ts_event: int
    ts_recv: int
    levels: Columns | None
    is_lost: bool

    def standing(self) -> Columns:
        """Return the levels of the book before it.

        Raises
        ------
        InapplicableError
            No snapshot came before.
        """
        if self.levels is None:
            raise InapplicableError("no book is known at its start")
        return self.levels

    def anew(self, change: Change) -> Iterator[Columns]:
        """Yield the rows that state the book anew, changed; none where it is not known."""
        if self.levels is None or self.is_lost:
            return
        rows = change(self.levels)
        marks = np.full(len(rows["px"]), flags.SNAPSHOT, dtype=np.uint32)
        marks[-1:] |= np.uint32(flags.LAST)
        yield {**stamped(rows, self.ts_event, self.ts_recv), "flags": marks}


def pieces(
    deltas: Parts, moments: tuple[int, ...], gaps: Ints = NO_GAPS
) -> Iterator[Columns | Cut]:
    """Yield rows in order, and a cut before the first whole frame from each moment on.

    Parameters
    ----------
    deltas
        Updates of a book; those of a frame are of one time.
    moments
        Venue times at which it is cut, in order; not at the first where no frame follows, at
        later ones all the same: what the first one changed ends there.
    gaps
        Times after which the book is not known before its next snapshot.
    """
    book, frames, left = _Book(), _Frames(), len(moments)
    for piece in split(deltas, moments, frames.begins):
        if not isinstance(piece, Edge):
            if left:
                book.take(piece)
            yield piece
        elif left < len(moments) or not piece.is_end:
            left -= 1
            yield Cut(piece.ts_event, piece.ts_recv, book.levels(), piece.is_cut_off(gaps))


def first_cut(deltas: Parts, moment: int) -> Cut:
    """Read up to the first whole frame from a moment on.

    Raises
    ------
    InapplicableError
        There is none.
    """
    for piece in pieces(deltas, (moment,)):
        if isinstance(piece, Cut):
            return piece
    raise InapplicableError("the book has no frame after its start")


def middle(levels: Columns) -> float:
    """Return the middle of best bid and ask, in grid units.

    Raises
    ------
    InapplicableError
        A side is empty.
    """
    bid, ask = _touch(levels)
    return (bid + ask) / 2


def spread(levels: Columns) -> int:
    """Return best ask less best bid, in grid units; raises as ``middle`` does."""
    bid, ask = _touch(levels)
    return ask - bid


def _touch(levels: Columns) -> tuple[int, int]:
    bids, asks = levels["px"][levels["side"] > 0], levels["px"][levels["side"] < 0]
    if not bids.size or not asks.size:
        raise InapplicableError("the book has one side only at its start")
    return int(bids.max()), int(asks.min())


class _Frames:
    """Where whole frames begin, over all rows so far."""

    def __init__(self) -> None:
        self._is_ended = True

    def begins(self, rows: Columns) -> Bools:
        """Take the next rows; tell which of them, (n,), begin a frame."""
        ends = rows["flags"] & flags.LAST > 0
        begins: Bools = np.concatenate(([self._is_ended], ends))[:-1]
        if ends.size:
            self._is_ended = bool(ends[-1])
        return begins


class _Book:
    """The levels after all rows so far; unknown before the first snapshot."""

    def __init__(self) -> None:
        self._levels: Columns | None = None
        self._is_loading = False

    def take(self, rows: Columns) -> None:
        """Take the next rows."""
        is_snapshot = rows["flags"] & flags.SNAPSHOT > 0
        if not is_snapshot.size:
            return
        # A snapshot ends with its frame: another one may follow at once.
        is_loading = is_snapshot & (rows["flags"] & flags.LAST == 0)
        begins = np.flatnonzero(is_snapshot & ~np.append(self._is_loading, is_loading[:-1]))
        self._is_loading = bool(is_loading[-1])
        news = {name: rows[name] for name in _LEVEL}
        if begins.size:
            self._levels = _newest(cut(news, slice(int(begins[-1]), None)))
        elif self._levels is not None:
            self._levels = _newest(joined(self._levels, news))

    def levels(self) -> Columns | None:
        """Return those that have a quantity, by price."""
        if self._levels is None:
            return None
        return cut(self._levels, np.flatnonzero(self._levels["qty"] > 0))


def _newest(levels: Columns) -> Columns:
    """Return the last row of each level."""
    side, px, qty = (levels[name][::-1] for name in _LEVEL)
    # Reversed, so that the first of equals is the newest.
    _, kept = np.unique(px * 2 + (side > 0), return_index=True)
    return {"side": side[kept], "px": px[kept], "qty": qty[kept]}
