"""Parquet for other programs: times as timestamps, prices and quantities as decimals.

The metadata says what an import has to know, so that the file makes the same rows again.
"""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from crypto_quant.core.errors import DataError
from crypto_quant.data_pipeline.cleaners import rebase
from crypto_quant.data_pipeline.generated.label import labelled
from crypto_quant.data_pipeline.storage import KINDS, Catalog, Part
from crypto_quant.data_pipeline.storage.exported import TIMES, Exported, ExportedPart
from crypto_quant.data_pipeline.storage.manifest import is_generated

_DIGITS = 38


def to_parquet(
    catalog: Catalog, kind: str, key: str, path: Path, start: int | None, end: int | None
) -> int:
    """Write rows with ``start <= ts_event < end`` to a file; it is whole or not there.

    Integers on a grid become decimals of the same value, so nothing is lost; an import of
    the file makes the same rows on the same grids. Recorded rows keep the shift that
    their session has in this catalog, generated ones their label.

    Returns
    -------
    int
        The rows written.

    Raises
    ------
    DataError
        There is no such key, no row in the interval, or the file cannot be written.
    """
    exported = _exported(catalog, kind, key, start, end)
    extra = _series(catalog, kind, key)
    has_label = is_generated(catalog.parts_of(kind, key))
    temporary = path.with_name(f".{path.name}.tmp")
    rows, writer = 0, None
    try:
        for _, piece in catalog.pieces(kind, key, start, end):
            table = _plain(exported, piece, extra)
            table = labelled(table) if has_label else table
            if writer is None:
                writer = pq.ParquetWriter(temporary, table.schema, compression="zstd")
            writer.write_table(table)
            rows += table.num_rows
        if writer is not None:
            writer.close()
        temporary.replace(path)
    except OSError as err:
        words = os.strerror(err.errno) if err.errno else err
        raise DataError(f"{path}: cannot be written ({words})") from err
    finally:
        with contextlib.suppress(OSError):  # a full disk takes no footer either
            if writer is not None:
                writer.close()
        with contextlib.suppress(OSError):  # a folder that takes none has none
            temporary.unlink(missing_ok=True)
    return rows


def _exported(
    catalog: Catalog, kind: str, key: str, start: int | None, end: int | None
) -> Exported:
    """Count the rows of each part in the interval, and say how they were made."""
    counts: Counter[str] = Counter()
    for part, times in catalog.pieces(kind, key, start, end, ["ts_event"]):
        counts[part.path] += times.num_rows
    if not counts.total():
        raise DataError(f"{kind}/{key} has no rows in this interval; see cq data list")
    found = rebase.sessions(catalog.parts)

    def described(part: Part) -> ExportedPart:
        rows, recv = counts[part.path], rebase.standalone(part, found)
        return ExportedPart(rows, part.interval, recv, part.findings if rows == part.rows else {})

    parts = [described(part) for part in catalog.parts_of(kind, key) if counts[part.path]]
    return Exported(kind, key, catalog.exps(kind, key), parts)


def _series(catalog: Catalog, kind: str, key: str) -> tuple[str, ...]:
    """Return the columns that any part of an open kind has beyond the kind's own."""
    if not KINDS[kind].open:
        return ()
    own = KINDS[kind].schema().names
    return tuple(name for name in catalog.columns(kind, key) if name not in own)


def _plain(exported: Exported, table: pa.Table, extra: tuple[str, ...]) -> pa.Table:
    kind = KINDS[exported.kind]
    grids, columns = kind.grids(), {}
    for name in kind.schema(extra).names:
        if name not in table.column_names:
            columns[name] = pa.nulls(table.num_rows, pa.float64())
            continue
        values = table.column(name)
        if name in TIMES:
            values = values.cast(pa.timestamp("ns", tz="UTC"))
        elif name in grids:
            values = _decimals(values, exported.exps.of(grids[name]))
        columns[name] = values
    return pa.table(columns, metadata=exported.metadata())


def _decimals(values: pa.ChunkedArray, exp: int) -> pa.ChunkedArray:
    """Read integers as decimals with ``exp`` places: the digits stay, only the type moves."""
    whole = values.cast(pa.decimal128(_DIGITS, 0))
    kind = pa.decimal128(_DIGITS, exp)
    moved = [
        pa.Array.from_buffers(kind, len(part), part.buffers(), part.null_count, part.offset)
        for part in whole.chunks
    ]
    return pa.chunked_array(moved, type=kind)
