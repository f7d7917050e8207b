"""The order book of a session as its updates are read: cut at whole frames, and stated anew."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np

from crypto_quant.backtesting.stress.shocks.rows import cut, joined
from crypto_quant.backtesting.stress.tape import InapplicableError, Parts
from crypto_quant.core.measures.arrays import Bools
from crypto_quant.data_pipeline.storage import flags
from crypto_quant.runtime.tape import Columns, Ints

_LEVEL: Final = ("side", "px", "qty")


class Cut(NamedTuple):
    """A row at which a whole frame begins: its stamps, and the levels before it if known."""

    ts_event: int
    ts_recv: int
    levels: Columns | None

    def standing(self) -> Columns:
        """Return the levels of the book before it: ``side``, ``px``, ``qty``.

        Raises
        ------
        InapplicableError
            No snapshot came before.
        """
        if self.levels is None:
            raise InapplicableError("no book is known at its start")
        return self.levels


def pieces(deltas: Parts, *moments: int) -> Iterator[Columns | Cut]:
    """Yield rows in order, and a cut before the first whole frame from each moment on.

    Parameters
    ----------
    deltas
        Updates of a book.
    moments
        ``ts_event`` at which it is cut, in order.
    """
    book, frames, left = _Book(), _Frames(), list(moments)
    for part in deltas:
        begins, lived = frames.take(part)
        at = 0
        while left:
            found = np.flatnonzero(begins[at:] & (lived[at:] >= left[0]))
            if not found.size:
                break
            before = cut(part, slice(at, at + int(found[0])))
            at += int(found[0])
            book.take(before)
            yield before
            yield Cut(int(part["ts_event"][at]), int(part["ts_recv"][at]), book.standing())
            left.pop(0)
        rest = cut(part, slice(at, None))
        if left:
            book.take(rest)
        yield rest


def first_cut(deltas: Parts, moment: int) -> Cut:
    """Read up to the first whole frame from a moment on.

    Raises
    ------
    InapplicableError
        There is none.
    """
    for piece in pieces(deltas, moment):
        if isinstance(piece, Cut):
            return piece
    raise InapplicableError("the book has no frame after its start")


def snapshot(levels: Columns, ts_event: int, ts_recv: int) -> Columns:
    """Return levels as the rows of a snapshot."""
    n = len(levels["px"])
    marks = np.full(n, flags.SNAPSHOT, dtype=np.uint32)
    marks[-1:] |= np.uint32(flags.LAST)
    return {
        "ts_event": np.full(n, ts_event, dtype=np.int64),
        "ts_recv": np.full(n, ts_recv, dtype=np.int64),
        "side": levels["side"],
        "px": levels["px"],
        "qty": levels["qty"],
        "flags": marks,
    }


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
    """Where whole frames begin, and how far the venue's time has come; over all rows so far."""

    def __init__(self) -> None:
        self._is_ended = True
        self._reach = np.empty(0, dtype=np.int64)

    def take(self, rows: Columns) -> tuple[Bools, Ints]:
        """Take the next rows; return both of each, (n,)."""
        ends = rows["flags"] & flags.LAST > 0
        begins = np.concatenate(([self._is_ended], ends))[:-1]
        reached = np.concatenate([self._reach, rows["ts_event"]])
        lived = np.maximum.accumulate(reached)[self._reach.size :]
        if ends.size:
            self._is_ended, self._reach = bool(ends[-1]), lived[-1:]
        return begins, lived


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
        begins = np.flatnonzero(is_snapshot & ~np.append(self._is_loading, is_snapshot[:-1]))
        self._is_loading = bool(is_snapshot[-1])
        news = {name: rows[name] for name in _LEVEL}
        if begins.size:
            self._levels = _newest(cut(news, slice(int(begins[-1]), None)))
        elif self._levels is not None:
            self._levels = _newest(joined(self._levels, news))

    def standing(self) -> Columns | None:
        """Return the levels that have a quantity, by price."""
        if self._levels is None:
            return None
        return cut(self._levels, np.flatnonzero(self._levels["qty"] > 0))


def _newest(levels: Columns) -> Columns:
    """Return the last row of each level."""
    side, px, qty = (levels[name][::-1] for name in _LEVEL)
    # Reversed, so that the first of equals is the newest.
    _, kept = np.unique(px * 2 + (side > 0), return_index=True)
    return {"side": side[kept], "px": px[kept], "qty": qty[kept]}
