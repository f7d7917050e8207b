"""Receive times that cannot be: before the event, or before a period was over."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from crypto_quant.core.clock import iso
from crypto_quant.data_pipeline.cleaners.findings import Finding, Mend, Severity
from crypto_quant.data_pipeline.cleaners.rebase import DOUBT_NS, sessions
from crypto_quant.data_pipeline.cleaners.rows import Bools, Rows, Tables, runs
from crypto_quant.data_pipeline.cleaners.venue_time import REMEDY, VenueTimes, judge
from crypto_quant.data_pipeline.storage import KINDS, flags

NAME = "clock"
_LATE_NS = 60 * 10**9
"""No feed is this far behind and still alive."""


def find(rows: Rows, tables: Tables) -> Iterator[Finding]:
    """Find ``ts_recv`` that contradicts ``ts_event``."""
    if not len(rows):
        return
    if KINDS[rows.kind].ticks or rows.kind == "funding":
        yield from _recorded(rows, tables)
    else:
        yield from _periods(rows)


def _periods(rows: Rows) -> Iterator[Finding]:
    """Hold periods against when they are over: they are known then, not earlier."""
    recv, interval = rows.ints("ts_recv"), rows.interval or 0
    swapped = recv < rows.ts
    early = (recv < rows.ts + interval) & ~swapped
    late = recv > rows.ts + interval + 8 * 86_400 * 10**9
    for mask, what, reason in (
        (swapped, "swapped times", "received before it happened: the two times are swapped"),
        (early, "known too early", "stamped as known before its period was over: look-ahead"),
        (late, "known too late", "stamped as known more than eight days after its period"),
    ):
        for row, count in runs(mask):
            yield rows.finding(
                NAME,
                what,
                Severity.ERROR,
                row,
                f"ts_recv {iso(int(recv[row]))}",
                reason,
                Mend.MASK,
                count,
            )


def _recorded(rows: Rows, tables: Tables) -> Iterator[Finding]:
    """Report a recorder's clock that was behind once, and single rows each."""
    recv = rows.ints("ts_recv")
    latency = recv - rows.ts
    behind = np.zeros(len(rows), dtype=bool)
    for part in rows.parts:
        for session in sessions(tables.parts()):
            if not session.shift or not session.start <= part.start <= part.end <= session.end:
                continue
            inside = (rows.ts >= part.start) & (rows.ts <= part.end) & _raw(rows)
            behind |= inside
            yield from _alone(rows, inside, session.least_latency)
            yield rows.finding(
                NAME,
                "clock behind",
                Severity.WARNING,
                int(inside.argmax()),
                f"least latency {session.least_latency / 1e6:.3f} ms",
                session.describe(),
                count=int(inside.sum()),
            )
    usual = np.where(behind, np.median(latency[behind]) if behind.any() else 0, 0)
    odd = latency - usual
    limit = np.where(behind, _LATE_NS, DOUBT_NS)
    for mask, what, reason in (
        (odd < -limit, "swapped times", "received before it happened, and its neighbours were not"),
        (odd > _LATE_NS, "known too late", "received more than a minute after it happened"),
    ):
        for row, count in runs(mask):
            value = f"latency {latency[row] / 1e6:.3f} ms"
            yield rows.finding(NAME, what, Severity.ERROR, row, value, reason, Mend.MASK, count)


def _alone(rows: Rows, inside: Bools, least: int) -> Iterator[Finding]:
    """Report a least latency that hardly a message comes near: a time ahead of the venue's."""
    times = VenueTimes(least, int(inside.argmax()))
    judge(times, rows.kind, rows.table.filter(pa.array(inside)))
    if not times.is_met and times.lowest is not None:
        row, value = times.lowest[1].row, f"least latency {least / 1e6:,.3f} ms"
        reason = f"{times.unmet()}; {REMEDY}"
        yield rows.finding(NAME, "least latency alone", Severity.ERROR, row, value, reason)


def _raw(rows: Rows) -> Bools:
    return np.asarray(rows.ints("flags") & flags.REBASED_RECV == 0, dtype=bool)
