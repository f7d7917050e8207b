"""Missing rows, odd steps, stamps that jitter, and how a series begins and ends."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from crypto_quant.core.clock import iso
from crypto_quant.data_pipeline.cleaners.findings import Finding, Severity
from crypto_quant.data_pipeline.cleaners.rows import Ints, Rows, Tables

NAME = "gaps"
_DAY = 86_400 * 10**9


def find(rows: Rows, tables: Tables) -> Iterator[Finding]:
    """Find holes against the interval; a stamp may jitter by a thousandth of it."""
    if rows.interval is None or not len(rows):
        return
    steps = _steps(rows)
    ts = np.unique(rows.ts) if (np.diff(rows.ts) <= 0).any() else rows.ts
    apart = np.diff(ts)
    usual = steps[: apart.size]
    seams = _seams(rows)
    for i in np.flatnonzero(apart > usual + usual // 2):
        step = int(usual[i])
        row = int(np.searchsorted(rows.ts, ts[i + 1]))
        missing = round(int(apart[i]) / step) - 1
        edges = int(ts[i]), int(ts[i + 1])
        hole = rows.finding(
            NAME,
            "hole between files" if edges in seams else "hole",
            Severity.WARNING,
            row,
            f"{missing:,} rows missing",
            f"nothing from {iso(edges[0] + step)} to {iso(edges[1])}",
            count=0,
        )
        yield hole._replace(missing=missing)
    yield from _jitter(rows)
    yield from _ends(rows)


def _seams(rows: Rows) -> set[tuple[int, int]]:
    """Return the last and next first stamp, ns UTC, wherever another source file begins."""
    return {
        (one.end, other.start)
        for one, other in pairwise(rows.parts)
        if one.source.sha256 != other.source.sha256
    }


def _steps(rows: Rows) -> Ints:
    """Return the period of each row but the first, in ns."""
    interval = rows.interval or 1
    if rows.kind == "funding" and rows.has("interval_h"):
        hours = rows.ints("interval_h")
        return np.where(hours > 0, hours * 3_600 * 10**9, interval)[1:]
    return np.full(max(len(rows) - 1, 0), interval, dtype=np.int64)


def _jitter(rows: Rows) -> Iterator[Finding]:
    interval = rows.interval or 1
    off = (rows.ts + interval // 2) % interval - interval // 2
    rows_off = np.flatnonzero(off)
    if not rows_off.size:
        return
    worst = int(rows_off[np.abs(off[rows_off]).argmax()])
    is_small = abs(int(off[worst])) * 1_000 <= interval
    yield rows.finding(
        NAME,
        "stamps jitter" if is_small else "off the grid",
        Severity.NOTE if is_small else Severity.ERROR,
        worst,
        f"{off[worst] / 1e6:+.0f} ms",
        f"{rows_off.size:,} stamps are off the full interval, this one most",
        count=int(rows_off.size),
    )


def _ends(rows: Rows) -> Iterator[Finding]:
    """Report a first or last day that is cut: collectors start and stop when they like."""
    interval = rows.interval or 1
    if interval >= _DAY:
        return
    first, last = int(rows.ts[0]), int(rows.ts[-1])
    slack = interval // 1_000
    if first % _DAY > slack:
        yield rows.finding(
            NAME,
            "starts within a day",
            Severity.NOTE,
            0,
            iso(first),
            "the first row may be partial: recording or trading began within it",
        )
    if (last + interval) % _DAY > slack:
        yield rows.finding(
            NAME,
            "ends within a day",
            Severity.NOTE,
            len(rows) - 1,
            iso(last),
            "the last day is cut; the last row may be partial",
        )
