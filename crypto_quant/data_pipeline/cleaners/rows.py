"""Rows under test as arrays, and the other series they can be held against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from crypto_quant.core.errors import DataError
from crypto_quant.core.instruments import Instrument
from crypto_quant.data_pipeline.cleaners.findings import Finding, Mend, Severity
from crypto_quant.data_pipeline.storage import KINDS, Catalog, Exps, Key, Part

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Rows:
    """All rows of one key, as the catalog returns them.

    ``interval`` is a row's period in ns (``None``: ticks).
    """

    kind: str
    key: str
    interval: int | None
    exps: Exps
    table: pa.Table
    parts: tuple[Part, ...] = ()
    _cache: dict[str, NDArray[np.generic]] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, catalog: Catalog, kind: str, key: str) -> Rows:
        """Read a key of a catalog; ``DataError`` if there is none."""
        parts = tuple(catalog.parts_of(kind, key))
        table = catalog.scan(kind, key)
        return cls(kind, key, parts[0].interval, catalog.exps(kind, key), table, parts)

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @property
    def instrument(self) -> str:
        """The instrument's id, or the data set's name."""
        return self.key.split("/")[0]

    @property
    def ts(self) -> Ints:
        """Event times, ns UTC, shape (n,)."""
        return self.ints("ts_event")

    @property
    def names(self) -> list[str]:
        """Columns of an open kind that are not fixed: one per series."""
        fixed = {column.name for column in KINDS[self.kind].columns}
        return [name for name in self.table.column_names if name not in fixed]

    def ints(self, name: str) -> Ints:
        """Return a column's grid integers, shape (n,); 0 where missing."""
        if name not in self._cache:
            column = self.table.column(name)
            if column.null_count:
                column = column.fill_null(0)
            self._cache[name] = column.to_numpy()
        return self._cache[name].astype(np.int64, copy=False)

    def known(self, name: str) -> Bools:
        """Return where a column has a value, shape (n,)."""
        column = self.table.column(name)
        if column.null_count == 0 and not pa.types.is_floating(column.type):
            return np.ones(len(self), dtype=bool)
        if pa.types.is_floating(column.type):
            return np.isfinite(self.floats(name))
        return np.asarray(column.is_valid().to_numpy(), dtype=bool)

    def has(self, name: str) -> bool:
        """Whether a column has any value at all."""
        return name in self.table.column_names and self.table.column(name).null_count < len(self)

    def floats(self, name: str) -> Floats:
        """Return a column in its unit for statistics, shape (n,); NaN where missing."""
        slot = f"float {name}"
        if slot not in self._cache:
            column = self.table.column(name)
            grid = KINDS[self.kind].grids().get(name)
            if grid is None:
                values = np.asarray(column.to_numpy(), dtype=np.float64)
            else:
                values = self.ints(name).astype(np.float64) * 10.0 ** -self.exps.of(grid)
                if column.null_count:
                    values = np.where(self.known(name), values, np.nan)
            self._cache[slot] = values
        return np.asarray(self._cache[slot], dtype=np.float64)

    def logs(self, name: str) -> Floats:
        """Return the logarithms of a column of prices, shape (n,); NaN where there is none."""
        values = self.floats(name)
        return np.log(np.where(values > 0, values, np.nan))

    def finding(
        self,
        check: str,
        what: str,
        severity: Severity,
        row: int,
        value: str,
        reason: str,
        mend: Mend | None = None,
        count: int = 1,
    ) -> Finding:
        """Make a finding about ``count`` rows from ``row`` on."""
        ts = int(self.ts[row]) if len(self) else 0
        return Finding(
            check,
            what,
            severity,
            self.kind,
            self.key,
            int(row),
            int(count),
            ts,
            value,
            reason,
            mend,
        )

    def text(self, name: str, row: int) -> str:
        """Return one value as people write it."""
        grid = KINDS[self.kind].grids().get(name)
        exp = 0 if grid is None else self.exps.of(grid)
        return f"{self.ints(name)[row] / 10**exp:.10g}"


def runs(mask: Bools) -> list[tuple[int, int]]:
    """Return (first, count) of every stretch of true rows."""
    edges = np.flatnonzero(np.diff(mask.astype(np.int8), prepend=0, append=0))
    return [(int(a), int(b - a)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


class Bars(NamedTuple):
    """Bars of one length in value units, shape (n,) each; ``whole``: no minute of it missing."""

    ts: Ints
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    whole: Bools

    def take(self, rows: Ints) -> Bars:
        """Return some of the bars."""
        return Bars(
            self.ts[rows],
            self.open[rows],
            self.high[rows],
            self.low[rows],
            self.close[rows],
            self.volume[rows],
            self.whole[rows],
        )


def resampled(rows: Rows, step: int) -> Bars:
    """Put bars together to longer ones of ``step`` ns, a multiple of their own."""
    prices = {name: rows.floats(name) for name in ("open", "high", "low", "close")}
    volume = rows.floats("volume")
    if step == rows.interval:
        whole = np.ones(len(rows), dtype=bool)
        return Bars(rows.ts, **prices, volume=volume, whole=whole)
    slot = rows.ts // step
    first = np.flatnonzero(np.diff(slot, prepend=slot[:1] - 1))
    last = np.append(first[1:], slot.size) - 1
    return Bars(
        ts=slot[first] * step,
        open=prices["open"][first],
        high=np.maximum.reduceat(prices["high"], first),
        low=np.minimum.reduceat(prices["low"], first),
        close=prices["close"][last],
        volume=np.add.reduceat(volume, first),
        whole=(last - first + 1) * (rows.interval or step) == step,
    )


class Tables:
    """Every key that may be held against another: those of a catalog, or copies of them.

    Parameters
    ----------
    catalog : Catalog, optional
        Where keys are read from when they are first needed.
    instruments : Mapping[str, Instrument]
        What is known of the instruments, by id.
    given : Mapping[Key, Rows]
        Rows that stand in for, or beside, those of the catalog.
    """

    def __init__(
        self,
        catalog: Catalog | None,
        instruments: Mapping[str, Instrument],
        given: Mapping[Key, Rows] | None = None,
    ) -> None:
        self.catalog = catalog
        self.instruments = instruments
        self._rows: dict[Key, Rows] = dict(given or {})
        self._bars: dict[tuple[Key, int], Bars] = {}

    def replaced(self, rows: Rows) -> Tables:
        """Return tables in which ``rows`` stand for the key they are of."""
        key = Key(rows.kind, rows.key)
        other = Tables(self.catalog, self.instruments, {**self._rows, key: rows})
        other._bars = {slot: bars for slot, bars in self._bars.items() if slot[0] != key}
        return other

    def all_keys(self) -> list[Key]:
        """Return all keys, sorted."""
        there = self.catalog.keys() if self.catalog is not None else []
        return sorted({*there, *self._rows})

    def rows(self, kind: str, key: str) -> Rows:
        """Return the rows of a key; ``DataError`` if there is none."""
        found = self._rows.get(Key(kind, key))
        if found is None:
            if self.catalog is None:
                raise DataError(f"there is no {kind}/{key}")
            found = Rows.of(self.catalog, kind, key)
            self._rows[Key(kind, key)] = found
        return found

    def parts(self) -> tuple[Part, ...]:
        """Return every part of the catalog."""
        return self.catalog.parts if self.catalog is not None else ()

    def bars(self, key: str, step: int) -> Bars:
        """Return the bars of a key, put together to ``step`` ns."""
        slot = (Key("bar", key), step)
        if slot not in self._bars:
            self._bars[slot] = resampled(self.rows("bar", key), step)
        return self._bars[slot]

    def same_instrument(self, rows: Rows) -> list[Rows]:
        """Return bars of other lengths of the same instrument, the finest first."""
        others = [
            self.rows(kind, key)
            for kind, key in self.all_keys()
            if kind == rows.kind and key != rows.key and key.split("/")[0] == rows.instrument
        ]
        return sorted(others, key=lambda other: other.interval or 0)

    def same_asset(self, rows: Rows) -> list[Rows]:
        """Return bars of other instruments that quote the same asset in dollars.

        The one that shares the most time with ``rows`` comes first, then the finer one.
        """
        own = self._asset(rows.instrument)
        if own is None or not len(rows):
            return []
        kept = []
        for kind, key in self.all_keys():
            name = key.split("/")[0]
            if kind == "bar" and name != rows.instrument and self._asset(name) == own:
                first, last = self._span(Key(kind, key))
                shared = min(int(rows.ts[-1]), last) - max(int(rows.ts[0]), first)
                if shared > 0:
                    kept.append((-shared, self.rows(kind, key).interval or 0, key))
        return [self.rows("bar", key) for _, _, key in sorted(kept)]

    def _span(self, key: Key) -> tuple[int, int]:
        given = self._rows.get(key)
        if given is not None and len(given):
            return int(given.ts[0]), int(given.ts[-1])
        parts = self.catalog.parts_of(*key) if self.catalog is not None else []
        return min(p.start for p in parts), max(p.end for p in parts)

    def _asset(self, instrument: str) -> str | None:
        known = self.instruments.get(instrument)
        is_dollar = known is not None and known.quote.startswith("USD")
        return known.base if known is not None and is_dollar else None
