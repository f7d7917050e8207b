"""Parquet for other programs: times as timestamps, prices and quantities as decimals."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from crypto_quant.core.errors import DataError
from crypto_quant.data_pipeline.storage import KINDS, Catalog, Exps

_DIGITS = 38
_TIMES = ("ts_event", "ts_recv", "next_funding")


def to_parquet(
    catalog: Catalog, kind: str, key: str, path: Path, start: int | None, end: int | None
) -> int:
    """Write rows with ``start <= ts_event < end`` to a file; it is whole or not there.

    Integers on a grid become decimals of the same value, so nothing is lost; such a file
    can be imported again.

    Returns
    -------
    int
        The rows written.

    Raises
    ------
    DataError
        There is no such key, no row in the interval, or the file cannot be written.
    """
    exps = catalog.exps(kind, key)
    temporary = path.with_name(f".{path.name}.tmp")
    rows, writer = 0, None
    try:
        for piece in catalog.batches(kind, key, start, end):
            table = _plain(kind, piece, exps)
            if writer is None:
                writer = pq.ParquetWriter(temporary, table.schema, compression="zstd")
            writer.write_table(table)
            rows += table.num_rows
        if writer is None or not rows:
            raise DataError(f"{kind}/{key} has no rows in this interval; see cq data list")
        writer.close()
        temporary.replace(path)
    except OSError as err:
        raise DataError(f"{path}: cannot be written ({err.strerror or err})") from err
    finally:
        with contextlib.suppress(OSError):  # a full disk takes no footer either
            if writer is not None:
                writer.close()
        temporary.unlink(missing_ok=True)
    return rows


def _plain(kind: str, table: pa.Table, exps: Exps) -> pa.Table:
    grids = KINDS[kind].grids()
    columns = []
    for name in table.column_names:
        values = table.column(name)
        if name in _TIMES:
            values = values.cast(pa.timestamp("ns", tz="UTC"))
        elif name in grids:
            values = _decimals(values, exps.of(grids[name]))
        columns.append(values)
    return pa.table(columns, names=table.column_names)


def _decimals(values: pa.ChunkedArray, exp: int) -> pa.ChunkedArray:
    """Read integers as decimals with ``exp`` places: the digits stay, only the type moves."""
    whole = values.cast(pa.decimal128(_DIGITS, 0))
    kind = pa.decimal128(_DIGITS, exp)
    moved = [
        pa.Array.from_buffers(kind, len(part), part.buffers(), part.null_count, part.offset)
        for part in whole.chunks
    ]
    return pa.chunked_array(moved, type=kind)
