"""A stream of a session changed from one moment to another: the same ones for all streams.

The venue lives a stream in its own order: a row whose ``ts_event`` goes back is lived with the one
before it. And what a row says may stand until the next one: the levels of a book, best prices, a
mark. A shock that changed only the rows from its start on would leave the market of before standing
until each stream's next row, each for another while; trades of after would meet it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

import numpy as np

from crypto_quant.backtesting.stress.shocks.rows import Change, Reach, cut, stamped
from crypto_quant.backtesting.stress.tape import Changed, Parts
from crypto_quant.core.measures.arrays import Bools
from crypto_quant.runtime.segments import Span
from crypto_quant.runtime.tape import Columns, Ints

NO_GAPS: Final[Ints] = np.empty(0, dtype=np.int64)


class Edge(NamedTuple):
    """A moment between two rows of a stream, or after its last one.

    ``ts_recv``: when a row that happens there is known, with the delay of the row after it, else of
    the one before; ``before``: the row before, if there is one; ``reach``: how far the venue's time
    had come with it; ``is_end``: no row follows.
    """

    ts_event: int
    ts_recv: int
    before: Columns | None
    reach: int
    is_end: bool

    def is_cut_off(self, gaps: Ints) -> bool:
        """Tell whether one of these gaps lies between the row before and the moment."""
        return bool(((gaps > self.reach) & (gaps <= self.ts_event)).any())


def split(
    parts: Parts, moments: tuple[int, ...], begins: Callable[[Columns], Bools] | None = None
) -> Iterator[Columns | Edge]:
    """Yield rows in order, and an edge before the first that is lived from each moment on.

    Parameters
    ----------
    parts
        Rows of a stream.
    moments
        Venue times, in order.
    begins
        Tells before which rows of a part, (n,), the stream may be cut; before any without it.
    """
    reach, left, last = Reach(), list(moments), _Last()
    for part in parts:
        lived = reach.take(part["ts_event"])
        may = np.ones(lived.size, dtype=np.bool_) if begins is None else begins(part)
        at = 0
        while left:
            found = np.flatnonzero(may[at:] & (lived[at:] >= left[0]))
            if not found.size:
                break
            stop = at + int(found[0])
            yield last.take(part, lived, slice(at, stop))
            yield last.edge(left.pop(0), cut(part, slice(stop, stop + 1)))
            at = stop
        yield last.take(part, lived, slice(at, None))
    for moment in left:
        yield last.edge(moment, None)


class _Last:
    """The last row so far, and how far the venue's time had come with it."""

    def __init__(self) -> None:
        self._row: Columns | None = None
        self._reach = int(np.iinfo(np.int64).min)

    def take(self, part: Columns, lived: Ints, chosen: slice) -> Columns:
        """Take the next rows of a part; return them."""
        rows = cut(part, chosen)
        if len(rows["ts_event"]):
            self._row, self._reach = cut(rows, slice(-1, None)), int(lived[chosen][-1])
        return rows

    def edge(self, moment: int, after: Columns | None) -> Edge:
        """Return the edge before a row."""
        known, by = moment, after or self._row
        if by is not None:
            known += int(by["ts_recv"][0] - by["ts_event"][0])
        if after is not None:
            known = min(known, int(after["ts_recv"][0]))
        if self._row is not None:
            known = max(known, int(self._row["ts_recv"][0]))
        return Edge(moment, known, self._row, self._reach, after is None)


def inside(parts: Parts, span: Span, change: Change) -> Changed:
    """Change the rows of a stream that the venue lives in a span; the change may drop some."""

    def go(parts: Parts) -> Iterator[Columns]:
        edges = 0
        for piece in split(parts, (span.start, span.end)):
            if isinstance(piece, Edge):
                edges += 1
            else:
                yield change(piece) if edges == 1 else piece

    return Changed(parts, go)


def standing(parts: Parts, span: Span, change: Change, gaps: Ints = NO_GAPS) -> Changed:
    """Change the rows of a stream that stand until the next one, as ``inside`` does.

    The last one from before is stated anew where the span begins, changed, and the last one of
    then where it ends, as it was, whether another one follows or not; not where one of ``gaps``
    came after it.
    """

    def go(parts: Parts) -> Iterator[Columns]:
        edges = 0
        for piece in split(parts, (span.start, span.end)):
            is_inside = edges == 1
            if isinstance(piece, Edge):
                edges += 1
                is_inside = edges == 1
                if piece.before is None or piece.is_cut_off(gaps):
                    continue
                rows = stamped(piece.before, piece.ts_event, piece.ts_recv)
            else:
                rows = piece
            yield change(rows) if is_inside else rows

    return Changed(parts, go)


def trades_of(span: Span) -> Span:
    """Return the span of the trades that meet the book of a span.

    At equal times the venue lives a trade before the levels that it changed: one at the very start
    met the book of before, and one at the very end that of the span.
    """
    return Span(span.start + 1, span.end + 1)
