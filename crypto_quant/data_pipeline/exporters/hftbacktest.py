"""hftbacktest's npz: the book and the trades of an instrument, on re-based times."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pyarrow as pa

from crypto_quant.core.errors import DataError
from crypto_quant.data_pipeline.cleaners import rebase
from crypto_quant.data_pipeline.collectors.ticks.chain import book_rows
from crypto_quant.data_pipeline.collectors.ticks.npz import to_events, write_npz
from crypto_quant.data_pipeline.storage import Catalog


def to_npz(
    catalog: Catalog, kind: str, key: str, path: Path, start: int | None, end: int | None
) -> int:
    """Write the deltas of a key that make a book, and its trades; whole or not there.

    Returns
    -------
    int
        The events written.

    Raises
    ------
    DataError
        The kind is not ``delta``, no row makes a book, or the file cannot be written.
    """
    if kind != "delta":
        raise DataError(f"npz holds a book and its trades: export delta {key}, not {kind}")
    sessions = rebase.sessions(catalog.parts)

    def replayed(kind: str) -> pa.Table:
        table = catalog.scan(kind, key, start, end)
        return rebase.rebase(table, catalog.parts_of(kind, key), sessions)

    book = book_rows(replayed("delta"))
    if not book.rows.num_rows:
        raise DataError(f"delta/{key} has no snapshot to begin a book with in this interval")
    events = to_events(book.rows, replayed("trade"))
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        with temporary.open("wb") as stream:
            write_npz(stream, events)
        temporary.replace(path)
    except OSError as err:
        raise DataError(f"{path}: cannot be written ({err.strerror or err})") from err
    finally:
        with contextlib.suppress(OSError):  # a folder that takes none has none
            temporary.unlink(missing_ok=True)
    return len(events)
