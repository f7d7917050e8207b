"""Which recorded book updates make a book: the venue's chain of ids, across files."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from crypto_quant import _native
from crypto_quant.data_pipeline.collectors.ticks.reader import MISSING
from crypto_quant.data_pipeline.storage import flags

_IDS: Final = ("first_id", "last_id", "prev_id")


class BookRows(NamedTuple):
    """Deltas that make a book, and where it broke.

    ``rows`` begins with a SNAPSHOT frame or is empty; ``ts_recv`` does not decrease;
    ``gaps`` are the ``ts_recv`` from which the book is invalid until the next SNAPSHOT,
    int64 ns, shape (n_gaps,); ``unused`` counts the deltas that belong to no book.
    """

    rows: pa.Table
    gaps: NDArray[np.int64]
    unused: int


def book_rows(deltas: pa.Table) -> BookRows:
    """Keep the deltas that the sequence rule lets into a book, in the order to apply them.

    Parameters
    ----------
    deltas : pa.Table
        Rows of kind ``delta`` of one instrument in the order of recording, over any number
        of files: an update that follows the last one of the file before goes on with its
        book. Rows before the first snapshot, or between a break and the next snapshot,
        make no book. Vendors without ids have no chain to check: their rows count from the
        first snapshot on.

    Returns
    -------
    BookRows
        Updates that were recorded before the snapshot they follow come after it, with its
        ``ts_recv``: they could not be applied before it was there.
    """
    if not deltas.num_rows:
        return BookRows(deltas, np.empty(0, dtype=np.int64), 0)
    recv = deltas.column("ts_recv").to_numpy()
    side = deltas.column("side").to_numpy()
    marks = deltas.column("flags").to_numpy()
    if deltas.column("last_id").null_count == deltas.num_rows:
        order, broken = _without_ids(side, marks)
    else:
        first, last, previous = (
            pc.fill_null(deltas.column(name), MISSING).to_numpy() for name in _IDS
        )
        order, broken = _native.plan_book(first, last, previous, side, marks)
    rows = deltas.take(pa.array(order))
    at = rows.schema.get_field_index("ts_recv")
    monotone = np.maximum.accumulate(rows.column(at).to_numpy())
    rows = rows.set_column(at, rows.schema.field(at), pa.array(monotone))
    return BookRows(rows, recv[broken], deltas.num_rows - len(order))


def _without_ids(
    side: NDArray[np.int8], marks: NDArray[np.uint32]
) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Take what follows a snapshot; a snapshot without a level ends the book."""
    is_snapshot = marks & flags.SNAPSHOT != 0
    cleared = is_snapshot & (side == 0)
    begins = is_snapshot & (side != 0)
    number = np.arange(side.size)
    last_begin = np.maximum.accumulate(np.where(begins, number, -1))
    last_clear = np.maximum.accumulate(np.where(cleared, number, -1))
    usable = (last_begin > last_clear) & (side != 0)
    return np.flatnonzero(usable).astype(np.uint64), np.flatnonzero(cleared).astype(np.uint64)
