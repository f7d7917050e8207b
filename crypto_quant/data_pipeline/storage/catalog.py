"""The Parquet catalog: ``<root>/<kind>/<key>/<start>_<end>.parquet`` and a manifest."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from crypto_quant.core.errors import DataError
from crypto_quant.data_pipeline.storage import coverage, manifest
from crypto_quant.data_pipeline.storage.coverage import Coverage
from crypto_quant.data_pipeline.storage.grid import rescale
from crypto_quant.data_pipeline.storage.kinds import KINDS, Batch, Exps
from crypto_quant.data_pipeline.storage.manifest import Part, SourceInfo
from crypto_quant.data_pipeline.storage.transaction import Transaction

_HOUR = 3_600 * 10**9


class Key(NamedTuple):
    """A folder of the catalog: a kind, and below it ``<instrument or dataset>[/<interval>]``."""

    kind: str
    key: str


class Catalog:
    """Market data by kind and key, on integer grids, immutable once written.

    Parameters
    ----------
    root : Path
        The catalog's folder; it need not exist before the first write.

    Notes
    -----
    Readers see the parts that the manifest named when they opened; parts are never changed.
    Reading neither locks nor cleans: what an import that died left behind, which no manifest
    names, is removed by the next import.
    """

    def __init__(self, root: Path) -> None:
        self.root = Path(root)
        self.parts: tuple[Part, ...] = manifest.load(self.root)
        self._whole: set[str] = set()

    def transaction(self) -> Transaction:
        """Start an import; use as a context manager, then open the catalog anew to read."""
        return Transaction(self.root)

    def write(
        self,
        kind: str,
        key: str,
        table: pa.Table,
        source: SourceInfo,
        exps: Exps,
        recv: str,
        interval: int | None = None,
    ) -> Part:
        """Add one table atomically.

        Parameters
        ----------
        kind, key : str
            Where it belongs.
        table : pa.Table
            Columns of the kind, grid integers on ``exps``.
        source : SourceInfo
            Where it came from; the same content hash is refused.
        exps : Exps
            Decimals of the grids.
        recv : str
            How ``ts_recv`` was made.
        interval : int, optional
            Period of a row in ns; none for ticks.

        Raises
        ------
        DataError
            The source is in the catalog, or its interval overlaps a part of the same key.
        """
        with self.transaction() as change:
            change.begin(source)
            for batch in table.combine_chunks().to_batches():
                change.append(Batch(kind, key, batch, exps, recv, interval))
        self.parts = manifest.load(self.root)
        return change.parts[0]

    def keys(self, kind: str | None = None) -> list[Key]:
        """Return what there is, sorted; of one kind, if given."""
        return sorted({Key(p.kind, p.key) for p in self.parts if kind in (None, p.kind)})

    @property
    def is_generated(self) -> bool:
        """Whether any part came from data that no market made."""
        return manifest.is_generated(self.parts)

    def parts_of(self, kind: str, key: str) -> list[Part]:
        """Return the parts of a key in time order.

        Raises
        ------
        DataError
            The catalog has no such key.
        """
        parts = sorted(
            (p for p in self.parts if (p.kind, p.key) == (kind, key)),
            key=lambda part: (part.start, part.end, part.path),
        )
        if not parts:
            have = ", ".join(k.key for k in self.keys(kind)) or "none"
            raise DataError(f"{self.root} has no {kind}/{key}; of kind {kind} it has: {have}")
        return parts

    def exps(self, kind: str, key: str) -> Exps:
        """Return the grid on which all of a key is exact; what ``scan`` returns is on it."""
        widest = Exps()
        for part in self.parts_of(kind, key):
            widest = widest.widest(part.exps)
        return widest

    def scan(
        self,
        kind: str,
        key: str,
        start: int | None = None,
        end: int | None = None,
        columns: list[str] | None = None,
    ) -> pa.Table:
        """Read rows with ``start <= ts_event < end``, in time order, on one grid.

        The grid (``price_exp`` …) is in the table's schema metadata, and is that of the
        whole key whatever is read of it.
        """
        tables = [table for _, table in self.pieces(kind, key, start, end, columns)]
        if tables:
            return pa.concat_tables(tables, promote_options="default")
        schema = self._schema(self.parts_of(kind, key)[0])
        if columns is not None:
            schema = pa.schema([schema.field(name) for name in columns])
        return schema.with_metadata(self._metadata(kind, key)).empty_table()

    def pieces(
        self,
        kind: str,
        key: str,
        start: int | None = None,
        end: int | None = None,
        columns: list[str] | None = None,
    ) -> Iterator[tuple[Part, pa.Table]]:
        """Yield what ``scan`` returns, a row group at a time, with the part that it is of.

        Memory stays flat.
        """
        low = -(2**63) if start is None else start
        high = 2**63 - 1 if end is None else end
        exps, metadata = self.exps(kind, key), self._metadata(kind, key)
        for part in self.parts_of(kind, key):
            if part.end < low or part.start >= high:
                continue
            for table in self._groups(part, low, high, columns):
                table = rescale(table, kind, part.exps, exps)
                yield part, table.replace_schema_metadata(metadata)

    def columns(self, kind: str, key: str) -> tuple[str, ...]:
        """Return the columns that any part of a key has, in the order in which they appear."""
        schemas = [self._schema(part) for part in self.parts_of(kind, key)]
        return tuple(dict.fromkeys(name for schema in schemas for name in schema.names))

    def coverage(self, kind: str, key: str) -> Coverage:
        """Compute segments and holes from the rows themselves."""
        parts = self.parts_of(kind, key)
        if KINDS[kind].ticks or any(part.interval is None for part in parts):
            return coverage.of_parts([(p.start, p.end, p.rows) for p in parts])
        names = ["ts_event"] + ["interval_h"] * (kind == "funding")
        times, steps = [], []
        for part in parts:
            with self._reading(part) as path, pq.ParquetFile(path) as file:
                table = file.read(columns=names)
            times.append(table.column("ts_event").to_numpy())
            steps.append(np.full(part.rows, part.interval, dtype=np.int64))
            if kind == "funding":
                hours = table.column("interval_h").fill_null(0).to_numpy()
                steps[-1] = np.where(hours > 0, hours * _HOUR, steps[-1])
        return coverage.of_rows(np.concatenate(times), np.concatenate(steps))

    def _groups(
        self, part: Part, low: int, high: int, columns: list[str] | None
    ) -> Iterator[pa.Table]:
        needed = None if columns is None else list(dict.fromkeys([*columns, "ts_event"]))
        with self._reading(part) as path, pq.ParquetFile(path, pre_buffer=False) as file:
            for group in range(file.num_row_groups):
                span = file.metadata.row_group(group).column(0).statistics
                if span.max < low or span.min >= high:
                    continue
                table = file.read_row_group(group, columns=needed)
                if span.min < low or span.max >= high:
                    times = table.column("ts_event").to_numpy()
                    table = table.filter(pa.array((times >= low) & (times < high)))
                yield table if columns is None else table.select(columns)

    def _schema(self, part: Part) -> pa.Schema:
        with self._reading(part) as path:
            return pq.read_schema(path)

    @contextmanager
    def _reading(self, part: Part) -> Iterator[Path]:
        """Give the file of a part, whose hash is compared before it is first read."""
        path = self.root / part.path
        try:
            if part.path not in self._whole:
                if manifest.sha256(path) != part.sha256:
                    raise DataError(
                        f"{path}: damaged, its hash is not what it was; "
                        f"import {part.source.name} again"
                    )
                self._whole.add(part.path)
            yield path
        except (OSError, pa.ArrowException) as err:
            words = os.strerror(err.errno) if isinstance(err, OSError) and err.errno else err
            raise DataError(
                f"{path}: cannot be read ({words}); import {part.source.name} again"
            ) from err

    def _metadata(self, kind: str, key: str) -> dict[str, str]:
        exps = self.exps(kind, key)
        methods = {part.recv for part in self.parts_of(kind, key)}
        return {
            "cq_kind": kind,
            "instrument": key,
            "price_exp": str(exps.price),
            "qty_exp": str(exps.qty),
            "rate_exp": str(exps.rate),
            "quote_exp": str(exps.quote),
            "ts_recv_method": "; ".join(sorted(methods)),
        }
