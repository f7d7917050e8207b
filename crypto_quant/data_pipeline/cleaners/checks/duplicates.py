"""Rows with the time, or the id, of another row."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from crypto_quant.data_pipeline.cleaners.findings import Finding, Mend, Severity
from crypto_quant.data_pipeline.cleaners.rows import Bools, Ints, Rows, Tables, runs
from crypto_quant.data_pipeline.storage import KINDS

NAME = "duplicates"
_KEYED = {"trade": "id", "agg_trade": "id", "liquidation": "id"}
_NOT_COMPARED = frozenset({"ts_recv", "flags"})
_MINUTE = 60 * 10**9


def find(rows: Rows, tables: Tables) -> Iterator[Finding]:
    """Find repeated rows: with equal values (one of them can go) and with others."""
    if KINDS[rows.kind].ticks and rows.kind not in _KEYED:
        return
    by, stamps = _identity(rows)
    place = np.argsort(stamps, kind="stable")
    ordered = stamps[place]
    again = np.flatnonzero(ordered[1:] == ordered[:-1]) + 1
    if not again.size:
        return
    alike = np.zeros(len(rows), dtype=bool)
    other = np.zeros(len(rows), dtype=bool)
    equal = _equal(rows, place[again], place[again - 1])
    alike[place[again[equal]]] = True
    other[place[again[~equal]]] = True
    for row, count in runs(alike):
        yield rows.finding(
            NAME,
            "repeated",
            Severity.WARNING,
            row,
            f"{by} {stamps[row]}",
            "the same row is there before",
            Mend.DROP_REPEATED,
            count,
        )
    for row, count in runs(other):
        yield rows.finding(
            NAME,
            "two values",
            Severity.ERROR,
            row,
            _value(rows, row),
            f"another row with this {by} has other values; which is right cannot be told from "
            "these rows alone",
            None,
            count,
        )


def _identity(rows: Rows) -> tuple[str, Ints]:
    """Return what tells rows apart: an id, or a time; funding is due in a whole minute."""
    if rows.kind == "funding":
        return "scheduled time", (rows.ts + _MINUTE // 2) // _MINUTE * _MINUTE
    by = _KEYED.get(rows.kind, "ts_event")
    return by, rows.ints(by)


def _equal(rows: Rows, some: np.ndarray, others: np.ndarray) -> Bools:
    equal = np.ones(some.size, dtype=bool)
    for name in rows.table.column_names:
        if name in _NOT_COMPARED or (name == "ts_event" and rows.kind == "funding"):
            continue
        column = rows.table.column(name)
        a, b = column.take(some), column.take(others)
        known_a, known_b = (np.asarray(c.is_valid().to_numpy(), dtype=bool) for c in (a, b))
        same = np.asarray(a.fill_null(0).to_numpy() == b.fill_null(0).to_numpy(), dtype=bool)
        equal &= (known_a == known_b) & (same | ~known_a)
    return equal


def _value(rows: Rows, row: int) -> str:
    for name in ("close", "px", "rate"):
        if rows.has(name):
            return f"{name} {rows.text(name, row)}"
    return f"row {row}"
