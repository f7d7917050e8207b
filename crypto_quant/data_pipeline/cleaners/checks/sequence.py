"""Venue counters that skip: trades or book changes that were lost on the way."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from crypto_quant.data_pipeline.cleaners.findings import Finding, Severity
from crypto_quant.data_pipeline.cleaners.rows import Ints, Rows, Tables
from crypto_quant.data_pipeline.storage import flags

NAME = "sequence"
_APART_NS = 60 * 10**9


def find(rows: Rows, tables: Tables) -> Iterator[Finding]:
    """Find skipped ids within a recording session."""
    if rows.kind == "trade":
        yield from _trades(rows)
    elif rows.kind == "delta":
        yield from _changes(rows)


def _trades(rows: Rows) -> Iterator[Finding]:
    ids, recv = rows.ints("id"), rows.ints("ts_recv")
    place = np.argsort(ids, kind="stable")
    ordered, stamps = ids[place], recv[place]
    near = np.abs(np.diff(stamps)) < _APART_NS
    for i in np.flatnonzero((np.diff(ordered) > 1) & near):
        lost = int(ordered[i + 1] - ordered[i] - 1)
        yield _finding(rows, int(place[i + 1]), f"{lost:,} trades missing", "trade ids skip")


def _changes(rows: Rows) -> Iterator[Finding]:
    """Futures name the message before (``prev_id``); spot messages follow on by one."""
    ends = np.flatnonzero((rows.ints("flags") & flags.LAST != 0) & rows.known("last_id"))
    ends = ends[(rows.ints("flags")[ends] & flags.SNAPSHOT) == 0]
    if ends.size < 2:
        return
    last, first = rows.ints("last_id")[ends], rows.ints("first_id")[ends]
    named = rows.known("prev_id")[ends]
    prev = np.where(named, rows.ints("prev_id")[ends], first - 1)
    recv = rows.ints("ts_recv")[ends]
    near = np.diff(recv) < _APART_NS
    broken = np.flatnonzero((prev[1:] != last[:-1]) & near) + 1
    for i in broken:
        value = f"follows {prev[i]}, not {last[i - 1]}"
        yield _finding(rows, _message_start(ends, int(i)), value, "book changes are missing")


def _message_start(ends: Ints, i: int) -> int:
    return int(ends[i - 1]) + 1


def _finding(rows: Rows, row: int, value: str, reason: str) -> Finding:
    return rows.finding(NAME, "skips", Severity.ERROR, row, value, reason)
