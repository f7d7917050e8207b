"""A seeded market on which the checks find nothing, to be spoilt by tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from crypto_quant.data_pipeline.cleaners.findings import Finding
from crypto_quant.data_pipeline.cleaners.rows import Rows, Tables
from crypto_quant.data_pipeline.cleaners.validator import DataValidator
from crypto_quant.data_pipeline.storage import KINDS, Exps, Key

HOUR = 3_600 * 10**9
Columns = dict[str, NDArray[np.int64]]
Spoil = Callable[[Columns], None]


def bars(rows: int = 600, seed: int = 7, key: str = "TEST/1h") -> Rows:
    """Return hourly bars that open within a tick of the close before."""
    rng = np.random.default_rng(seed)
    close = np.round(100_000 * np.exp(np.cumsum(rng.normal(0, 0.005, rows)))).astype(np.int64)
    first = np.r_[close[0], close[:-1]] + rng.integers(-1, 2, rows)
    width = rng.integers(50, 400, rows)
    ts = np.arange(rows, dtype=np.int64) * HOUR
    columns: Columns = {
        "ts_event": ts,
        "ts_recv": ts + HOUR,
        "open": first,
        "high": np.maximum(first, close) + width,
        "low": np.minimum(first, close) - width[::-1],
        "close": close,
        "volume": np.round(np.exp(rng.normal(10, 0.4, rows))).astype(np.int64),
        "flags": np.full(rows, 4, dtype=np.int64),
    }
    return of("bar", key, columns, HOUR)


def of(
    kind: str, key: str, columns: Mapping[str, NDArray[np.generic]], interval: int | None
) -> Rows:
    """Put columns into rows of a kind; columns not given are missing."""
    extra = tuple(name for name in columns if name not in {c.name for c in KINDS[kind].columns})
    schema = KINDS[kind].schema(extra if KINDS[kind].open else ())
    size = columns["ts_event"].size
    arrays = [
        pa.array(columns[field.name]).cast(field.type)
        if field.name in columns
        else pa.nulls(size, field.type)
        for field in schema
    ]
    exps = Exps(price=2, qty=3, rate=8)
    return Rows(kind, key, interval, exps, pa.table(arrays, schema=schema))


def spoilt(rows: Rows, spoil: Spoil) -> Rows:
    """Return a copy whose columns were changed."""
    names = [name for name in rows.table.column_names if rows.has(name)]
    columns = {name: rows.ints(name).copy() for name in names}
    spoil(columns)
    return of(rows.kind, rows.key, columns, rows.interval)


def found(rows: Rows, *others: Rows) -> list[Finding]:
    """Run every check, with no explanations."""
    given = {Key(r.kind, r.key): r for r in (rows, *others)}
    validator = DataValidator(Tables(None, {}, given), table=())
    return validator.validate([Key(rows.kind, rows.key)])


def named(findings: list[Finding]) -> set[tuple[str, str, int, int]]:
    """Return what was found where, notes on how the series begins and ends aside."""
    return {(f.check, f.what, f.row, f.rows) for f in findings if "within a day" not in f.what}
