"""Rows out of time order, and values that stand at each other's time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from crypto_quant.core.clock import iso
from crypto_quant.data_pipeline.cleaners.findings import Finding, Mend, Severity
from crypto_quant.data_pipeline.cleaners.rows import Rows, Tables, runs
from crypto_quant.data_pipeline.cleaners.venue_time import BACK_NS, REMEDY, VenueTimes, judge
from crypto_quant.data_pipeline.storage import KINDS

NAME = "order"
_LEAST = 3e-4
_CALM = 8
"""Rows on each side that say how well one bar's close meets the next one's open."""


def find(rows: Rows, tables: Tables) -> Iterator[Finding]:
    """Find steps back in time; for bars, neighbours whose values were exchanged."""
    if KINDS[rows.kind].ticks:
        yield from _ticks(rows)
        return
    for row, count in runs(np.diff(rows.ts, prepend=rows.ts[:1]) < 0):
        yield rows.finding(
            NAME,
            "time goes back",
            Severity.ERROR,
            row,
            iso(int(rows.ts[row])),
            f"the row before is of {iso(int(rows.ts[row - 1]))}",
            Mend.SORT,
            count,
        )
    if rows.kind == "bar" and len(rows) > 4 * _CALM:
        yield from _exchanged(rows)


def _ticks(rows: Rows) -> Iterator[Finding]:
    recv = rows.ints("ts_recv")
    for row, count in runs(np.diff(recv, prepend=recv[:1]) < 0):
        yield rows.finding(
            NAME,
            "received out of order",
            Severity.ERROR,
            row,
            iso(int(recv[row])),
            f"received {(recv[row - 1] - recv[row]) / 1e6:.3f} ms before the row above it",
            Mend.SORT,
            count,
        )
    for found in judge(VenueTimes(), rows.kind, rows.table):
        yield rows.finding(
            NAME,
            "venue time goes back far",
            Severity.ERROR,
            found.behind.row,
            f"by {(found.ahead.ts - found.behind.ts) / 1e6:,.3f} ms",
            f"{found.describe()}; {REMEDY}",
        )
    step = np.diff(rows.ts)
    back = np.flatnonzero((step < 0) & (step >= -BACK_NS)) + 1
    if back.size:
        most = int((rows.ts[back - 1] - rows.ts[back]).max())
        yield rows.finding(
            NAME,
            "venue time goes back",
            Severity.NOTE,
            int(back[0]),
            f"by up to {most / 1e6:.3f} ms",
            f"{back.size:,} rows are older than the row received before them; rows are in the "
            "order of receipt",
            count=int(back.size),
        )


def _exchanged(rows: Rows) -> Iterator[Finding]:
    """Two neighbours are exchanged where all three borders fit only the other way round.

    A bar opens where the one before it closed, give or take a tick; that is far tighter than
    what price does within a bar.
    """
    first, last = rows.logs("open"), rows.logs("close")
    n = len(rows)
    border = np.abs(first[1:] - last[:-1])
    i = np.arange(1, n - 2)
    as_is = border[i - 1] + border[i] + border[i + 1]
    other = (
        np.abs(first[i + 1] - last[i - 1])
        + np.abs(first[i] - last[i + 1])
        + np.abs(first[i + 2] - last[i])
    )
    maybe = i[(as_is > _LEAST) & (other < as_is / 5)]
    step = np.diff(rows.ts)
    for row in maybe:
        around = np.r_[border[max(0, row - 1 - _CALM) : row - 1], border[row + 2 : row + 2 + _CALM]]
        usual = max(float(np.quantile(around, 0.9)), 2e-5)
        tight = min(border[row - 1], border[row], border[row + 1]) > 5 * usual
        fits = other[row - 1] < 4 * usual
        if tight and fits and (step[row - 1 : row + 2] == rows.interval).all():
            yield rows.finding(
                NAME,
                "neighbours exchanged",
                Severity.ERROR,
                int(row),
                f"{rows.text('open', row)} after {rows.text('close', row - 1)}",
                "this bar and the next fit their neighbours only the other way round: their "
                "times were swapped",
                Mend.MASK,
                2,
            )
