"""Writing one part: row groups into a temporary file, one grid for the whole of it."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from crypto_quant.core.errors import DataError, InvariantError
from crypto_quant.data_pipeline.storage.grid import rescale
from crypto_quant.data_pipeline.storage.kinds import KINDS, Batch, Exps

TEMPORARY: Final = ".tmp"
_ROWS: Final = 1 << 17
"""Rows of a row group: what a writer holds in memory."""


class Unfit(DataError):  # noqa: N818 - names what the rows are
    """Rows that a part cannot hold: says kind, row and column; who knows the file names it."""


@dataclass(slots=True)
class PartWriter:
    """Streams batches of one kind and key into ``path``.

    When a batch needs a finer grid than the rows before it, these are rewritten on that
    grid, row group by row group, so that a part always has one grid.
    """

    kind: str
    key: str
    path: Path
    exps: Exps = field(default_factory=Exps)
    interval: int | None = None
    recv: str = ""
    start: int = 2**63 - 1
    end: int = -(2**63)
    rows: int = 0
    findings: dict[str, int] = field(default_factory=dict)
    number: int = 0
    _writer: pq.ParquetWriter | None = None
    _waiting: list[pa.Table] = field(default_factory=list)
    _waiting_rows: int = 0

    def append(self, batch: Batch) -> None:
        """Add rows; small batches are gathered into full row groups.

        Raises
        ------
        Unfit
            A value is missing, or too large for the grid that other rows need.
        """
        if batch.data.num_rows == 0:
            return
        self.recv, self.interval = batch.recv, batch.interval
        for name, count in batch.findings.items():
            self.findings[name] = self.findings.get(name, 0) + count
        table = self._conform(self._on_one_grid(batch))
        span = pc.min_max(table.column("ts_event")).as_py()
        self.start, self.end = min(self.start, span["min"]), max(self.end, span["max"])
        self.rows += table.num_rows
        self._waiting.append(table)
        self._waiting_rows += table.num_rows
        if self._waiting_rows >= _ROWS:
            self._flush(self._waiting_rows // _ROWS)

    def close(self) -> None:
        """Write what waits and make the file durable."""
        if self._waiting:
            self._flush(-(-self._waiting_rows // _ROWS))
        if self._writer is not None:
            self._writer.add_key_value_metadata({"ts_recv_method": self.recv})
            self._writer.close()
            self._writer = None
            written = pq.read_metadata(self.path).num_rows
            if written != self.rows:
                raise InvariantError(f"{self.path}: {self.rows} rows given, {written} written")
            with self.path.open("rb") as file:
                os.fsync(file.fileno())

    def discard(self) -> None:
        """Drop the file, whatever state it is in."""
        writer, self._writer = self._writer, None
        if writer is not None:
            # On a full disk the footer cannot be written, and need not be.
            with contextlib.suppress(OSError):
                writer.close()
        self.path.unlink(missing_ok=True)

    def name(self) -> str:
        """Return the part's final name: its interval in ISO time."""
        return f"{stamp(self.start)}_{stamp(self.end)}.parquet"

    def _on_one_grid(self, batch: Batch) -> pa.Table:
        wanted = self.exps.widest(batch.exps)
        try:
            if wanted != self.exps:
                self._refine(wanted)
            return rescale(pa.Table.from_batches([batch.data]), self.kind, batch.exps, wanted)
        except DataError as err:
            raise Unfit(f"{self.kind}: {err}") from err

    def _conform(self, table: pa.Table) -> pa.Table:
        kind = KINDS[self.kind]
        known = {column.name for column in kind.columns}
        extra = tuple(name for name in table.column_names if name not in known)
        if extra and not kind.open:
            raise InvariantError(f"{self.kind} has no column {extra[0]!r}")
        schema = kind.schema(extra)
        arrays = [
            table.column(f.name) if f.name in table.column_names else pa.nulls(len(table), f.type)
            for f in schema
        ]
        for f, values in zip(schema, arrays, strict=True):
            if not f.nullable and values.null_count:
                row = self.rows + int(values.is_null().to_numpy().argmax())
                raise Unfit(f"{self.kind}: row {row} has no {f.name}")
        return pa.table(arrays, schema=schema)

    def _metadata(self) -> dict[str, str]:
        return {
            "cq_kind": self.kind,
            "instrument": self.key,
            "price_exp": str(self.exps.price),
            "qty_exp": str(self.exps.qty),
            "rate_exp": str(self.exps.rate),
            "quote_exp": str(self.exps.quote),
        }

    def _flush(self, groups: int) -> None:
        """Write full row groups: what a file is does not depend on how its rows came."""
        table = pa.concat_tables(self._waiting)
        if self._writer is None:
            self._writer = _open(self.path, table.schema.with_metadata(self._metadata()))
        for start in range(0, groups * _ROWS, _ROWS):
            group = table.slice(start, _ROWS).combine_chunks()
            self._writer.write_table(group, row_group_size=_ROWS)
        rest = table.slice(groups * _ROWS)
        self._waiting, self._waiting_rows = [rest] * (rest.num_rows > 0), rest.num_rows

    def _refine(self, wanted: Exps) -> None:
        have, self.exps = self.exps, wanted
        self._waiting = [rescale(table, self.kind, have, wanted) for table in self._waiting]
        if self._writer is None:
            return
        self._writer.close()
        coarse = self.path.with_name(self.path.name.removesuffix(TEMPORARY) + f".old{TEMPORARY}")
        self.path.rename(coarse)
        schema = self._writer.schema.with_metadata(self._metadata())
        self._writer = _open(self.path, schema)
        with pq.ParquetFile(coarse, pre_buffer=False) as old:
            for group in range(old.num_row_groups):
                table = rescale(old.read_row_group(group), self.kind, have, wanted)
                self._writer.write_table(table.replace_schema_metadata(schema.metadata))
        coarse.unlink()


def _open(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    """Delta encoding suits times, ids and prices: a third of the bytes, a sixth of the time."""
    whole = [field.name for field in schema if field.type == pa.int64()]
    return pq.ParquetWriter(
        path,
        schema,
        compression="zstd",
        use_dictionary=False,
        column_encoding=dict.fromkeys(whole, "DELTA_BINARY_PACKED"),
    )


def stamp(ts: int) -> str:
    """Return a time as it stands in file names: ISO, UTC, no colons, no needless zeros."""
    seconds, nanos = divmod(ts, 10**9)
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H-%M-%S")
    return f"{text}.{nanos:09d}".rstrip("0") if nanos else text
