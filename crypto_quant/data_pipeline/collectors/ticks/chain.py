"""Which recorded book updates make a book: the venue's chain of ids, across files."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from crypto_quant import _native
from crypto_quant.core.errors import InvariantError
from crypto_quant.data_pipeline.collectors.ticks.reader import MISSING
from crypto_quant.data_pipeline.storage import flags

_IDS: Final = ("first_id", "last_id", "prev_id")


class BookRows(NamedTuple):
    """Deltas that make a book, and where it broke.

    ``rows`` begin with a SNAPSHOT frame, if there are any; ``ts_recv`` does not decrease;
    ``gaps`` are the ``ts_recv`` from which the book is invalid until the next SNAPSHOT,
    int64 ns, shape (n_gaps,); ``unused`` counts the deltas that belong to no book.
    """

    rows: pa.Table
    gaps: NDArray[np.int64]
    unused: int


class BookChain:
    """Keeps the deltas that the sequence rule lets into a book, part by part.

    Feed it rows of kind ``delta`` of one instrument in the order of recording, over any number
    of files: an update that follows the last one of the file before goes on with its book. Rows
    before the first snapshot, or between a break and the next snapshot, make no book. Vendors
    without ids have no chain to check: their rows count from the first snapshot on, if the
    first part has no id at all. However the rows are cut, the answers make up the same.

    Updates that were recorded before the snapshot they follow come after it, with its
    ``ts_recv``: they could not be applied before it was there. At most 2^20 rows wait for one.
    """

    def __init__(self) -> None:
        self._planner: _native.BookPlanner | _Unchained | None = None
        self._held: pa.Table | None = None
        self._first = 0
        self._reach = -(2**63)

    def feed(self, deltas: pa.Table) -> BookRows:
        """Return what can be said with these rows."""
        if self._planner is None and deltas.num_rows:
            has_ids = deltas.column("last_id").null_count < deltas.num_rows
            self._planner = _native.BookPlanner() if has_ids else _Unchained()
        if self._planner is None:
            return BookRows(deltas, np.empty(0, dtype=np.int64), 0)
        first, last, previous = (
            pc.fill_null(deltas.column(name), MISSING).to_numpy() for name in _IDS
        )
        marks, side = (deltas.column(name).to_numpy() for name in ("flags", "side"))
        planned = self._planner.feed(first, last, previous, side, marks)
        held = deltas if self._held is None else pa.concat_tables([self._held, deltas])
        return self._taken(held, *planned, self._planner.keeps)

    def finish(self) -> BookRows:
        """Return what is left to be said at the end of the rows."""
        if self._planner is None or self._held is None:
            raise InvariantError("a chain without rows")
        planned = self._planner.finish()
        return self._taken(self._held, *planned, self._first + self._held.num_rows)

    def _taken(
        self, held: pa.Table, order: NDArray[np.uint64], broken: NDArray[np.uint64], keeps: int
    ) -> BookRows:
        """Pick the rows of a plan out of those that are held; hold on to those it may name."""
        order, broken = (rows - np.uint64(self._first) for rows in (order, broken))
        gaps = held.column("ts_recv").to_numpy()[broken]
        rows = _pick(held, order)
        recv = np.maximum.accumulate(np.maximum(rows.column("ts_recv").to_numpy(), self._reach))
        if len(recv):
            self._reach = int(recv[-1])
        at = rows.schema.get_field_index("ts_recv")
        rows = rows.set_column(at, rows.schema.field(at), pa.array(recv))
        passed = keeps - self._first
        self._held, self._first = held.slice(passed), keeps
        return BookRows(rows, gaps, passed - len(order))


def book_rows(deltas: pa.Table) -> BookRows:
    """Keep the deltas that the sequence rule lets into a book, in the order to apply them.

    Parameters
    ----------
    deltas : pa.Table
        All rows of one instrument, as ``BookChain`` takes them in parts.
    """
    if not deltas.num_rows:
        return BookRows(deltas, np.empty(0, dtype=np.int64), 0)
    chain = BookChain()
    parts = (chain.feed(deltas), chain.finish())
    return BookRows(
        pa.concat_tables([part.rows for part in parts]),
        np.concatenate([part.gaps for part in parts]),
        sum(part.unused for part in parts),
    )


def _pick(held: pa.Table, order: NDArray[np.uint64]) -> pa.Table:
    """Take rows by number; those that follow one another are not copied."""
    if len(order) and int(order[-1]) - int(order[0]) + 1 == len(order):
        number = np.arange(int(order[0]), int(order[-1]) + 1, dtype=np.uint64)
        if (order == number).all():
            return held.slice(int(order[0]), len(order))
    return held.take(pa.array(order))


class _Unchained:
    """Takes what follows a snapshot; a snapshot without a level ends the book."""

    def __init__(self) -> None:
        self.keeps = 0
        self._is_valid = False

    def feed(
        self,
        first_id: NDArray[np.int64],
        last_id: NDArray[np.int64],
        prev_id: NDArray[np.int64],
        side: NDArray[np.int8],
        marks: NDArray[np.uint32],
    ) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
        """Judge the next rows."""
        is_snapshot = marks & flags.SNAPSHOT != 0
        cleared = is_snapshot & (side == 0)
        begins = is_snapshot & (side != 0)
        # 1 from a snapshot on, 0 from an empty one on, -1: as it was before.
        turns = np.where(begins, 1, np.where(cleared, 0, -1))
        at = np.maximum.accumulate(np.where(turns >= 0, np.arange(side.size), -1))
        is_valid = np.where(at >= 0, turns[at] == 1, self._is_valid)
        first, self.keeps = self.keeps, self.keeps + side.size
        if side.size:
            self._is_valid = bool(is_valid[-1])
        usable, broken = (np.flatnonzero(m) + first for m in (is_valid & (side != 0), cleared))
        return usable.astype(np.uint64), broken.astype(np.uint64)

    def finish(self) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
        """No row waits."""
        none = np.empty(0, dtype=np.uint64)
        return none, none
