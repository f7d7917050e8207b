"""Which recorded updates make a book."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from crypto_quant.data_pipeline.collectors.ticks.chain import BookChain, BookRows, book_rows
from crypto_quant.data_pipeline.storage import KINDS
from crypto_quant.data_pipeline.storage.flags import LAST, SNAPSHOT

Frame = tuple[int | None, int | None, int | None, int, int]


def deltas(*frames: Frame) -> pa.Table:
    """Make one-row frames of (prev_id, first_id, last_id, side, marks); ts_recv counts up."""
    n = len(frames)
    columns = {
        "ts_event": list(range(n)),
        "ts_recv": [10 * (i + 1) for i in range(n)],
        "first_id": [f[1] for f in frames],
        "last_id": [f[2] for f in frames],
        "prev_id": [f[0] for f in frames],
        "side": [f[3] for f in frames],
        "px": list(range(n)),
        "qty": [1] * n,
        "flags": [f[4] | LAST for f in frames],
    }
    return pa.table(columns, schema=KINDS["delta"].schema())


def test_updates_recorded_before_their_snapshot_follow_it_at_its_time() -> None:
    book = book_rows(
        deltas((0, 1, 4, 1, 0), (4, 5, 8, 1, 0), (None, 6, 6, 1, SNAPSHOT), (8, 9, 9, 1, 0))
    )
    assert book.rows.column("px").to_pylist() == [2, 1, 3]
    assert book.rows.column("ts_recv").to_pylist() == [30, 30, 40]
    assert (book.gaps.size, book.unused) == (0, 1)


def test_a_chain_goes_on_in_the_next_file_and_breaks_where_ids_are_missing() -> None:
    first = deltas((None, 5, 5, 1, SNAPSHOT), (5, 6, 8, 1, 0))
    second = deltas((8, 9, 12, 1, 0), (13, 14, 15, 1, 0), (15, 16, 17, 1, 0))
    book = book_rows(pa.concat_tables([first, second]))
    assert book.rows.column("last_id").to_pylist() == [5, 8, 12]
    assert book.gaps.tolist() == [20]
    assert book.unused == 2


def test_spot_updates_have_no_prev_id_and_follow_by_one() -> None:
    spot = deltas((None, 5, 5, 1, SNAPSHOT), (None, 4, 8, 1, 0), (None, 10, 12, 1, 0))
    book = book_rows(spot)
    assert book.rows.column("last_id").to_pylist() == [5, 8]
    assert book.gaps.tolist() == [30]


def test_without_a_snapshot_nothing_is_a_book() -> None:
    book = book_rows(deltas((0, 1, 4, 1, 0), (4, 5, 8, 1, 0)))
    assert (book.rows.num_rows, book.gaps.size, book.unused) == (0, 0, 2)
    assert book_rows(deltas()).rows.num_rows == 0


def test_vendors_without_ids_have_a_book_from_the_first_snapshot_on() -> None:
    none: Frame = (None, None, None, 1, 0)
    snapshot: Frame = (None, None, None, 1, SNAPSHOT)
    clear: Frame = (None, None, None, 0, SNAPSHOT)
    book = book_rows(deltas(none, snapshot, none, clear, none, snapshot, none))
    assert book.rows.column("px").to_pylist() == [1, 2, 5, 6]
    assert book.gaps.tolist() == [40]


def recorded(ids: bool) -> pa.Table:
    """Return 400 frames of a chain that breaks at times, with snapshots, or without any id."""
    rng = np.random.default_rng(5)
    frames: list[Frame] = []
    last = 100
    for _ in range(400):
        step = int(rng.integers(1, 5))
        if rng.random() < 0.05:
            side = int(ids or rng.random() < 0.6)
            frames.append((None, last - step, last - step, side, SNAPSHOT))
        skipped = int(rng.random() < 0.03)
        frames.append((last + skipped, last + skipped + 1, last + skipped + step, 1, 0))
        last += skipped + step
    return deltas(*(f if ids else (None, None, None, *f[3:]) for f in frames))


def in_parts(table: pa.Table, rows: int) -> BookRows:
    chain = BookChain()
    parts = [chain.feed(table.slice(at, rows)) for at in range(0, table.num_rows, rows)]
    parts.append(chain.finish())
    return BookRows(
        pa.concat_tables([part.rows for part in parts]),
        np.concatenate([part.gaps for part in parts]),
        sum(part.unused for part in parts),
    )


@pytest.mark.parametrize("ids", [True, False])
def test_where_the_rows_are_cut_changes_nothing(ids: bool) -> None:
    table = recorded(ids)
    book = book_rows(table)
    assert book.gaps.size
    for rows in (1, 7, 100):
        cut = in_parts(table, rows)
        assert cut.rows.equals(book.rows)
        assert cut.gaps.tolist() == book.gaps.tolist()
        assert cut.unused == book.unused


def test_no_row_is_invented_or_applied_twice() -> None:
    table = recorded(ids=True)
    book = book_rows(table)
    taken = book.rows.column("px").to_pylist()
    assert len(set(taken)) == len(taken)
    assert len(taken) + book.unused == table.num_rows
    assert (np.diff(book.rows.column("ts_recv").to_numpy()) >= 0).all()
