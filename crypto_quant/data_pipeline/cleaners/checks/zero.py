"""Zeros that mean nothing traded, told apart from zeros that stand for missing."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from crypto_quant.data_pipeline.cleaners.findings import Finding, Mend, Severity
from crypto_quant.data_pipeline.cleaners.rows import Bools, Rows, Tables, runs

NAME = "zero"
_MORE = 1.001
"""Sources round volumes: only more than this times ours is volume that we lack."""
_LEADING = 20
"""Zeros at the start of a series, this many at least, are a series not yet measured."""


def find(rows: Rows, tables: Tables) -> Iterator[Finding]:
    """Find bars whose volume is zero or missing, and series that begin with zeros."""
    if rows.kind == "series":
        yield from _series(rows)
    elif rows.kind == "bar" and rows.has("volume"):
        yield from _bars(rows, tables)


def _bars(rows: Rows, tables: Tables) -> Iterator[Finding]:
    yield from _missing(rows)
    empty = (rows.ints("volume") == 0) & rows.known("volume")
    if not empty.any():
        return
    flat = rows.ints("high") == rows.ints("low")
    filler = empty & _traded_elsewhere(rows, tables, empty)
    for mask, what, severity, reason, mend in (
        (
            empty & ~flat,
            "moved without volume",
            Severity.WARNING,
            "price moved though nothing traded: the volume is missing, not zero",
            None,
        ),
        (
            filler & flat,
            "filler",
            Severity.WARNING,
            "flat and without volume where other bars of the same instrument have trades: the row "
            "was filled in, its values are missing",
            Mend.MASK,
        ),
        (
            empty & flat & ~filler,
            "no trade or filler",
            Severity.NOTE,
            "flat and without volume: nothing traded, or the row was filled in; nothing here "
            "tells which",
            None,
        ),
    ):
        for row, count in runs(mask):
            value = f"close {rows.text('close', row)}, volume 0"
            yield rows.finding(NAME, what, severity, row, value, reason, mend, count)


def _missing(rows: Rows) -> Iterator[Finding]:
    for row, count in runs(~rows.known("volume")):
        yield rows.finding(
            NAME,
            "volume missing",
            Severity.NOTE,
            row,
            f"close {rows.text('close', row)}, no volume",
            "the source has no volume here: it is missing, not zero",
            count=count,
        )


def _traded_elsewhere(rows: Rows, tables: Tables, empty: Bools) -> Bools:
    """Return rows in whose time bars of another length of the instrument have more volume."""
    seen = np.zeros(len(rows), dtype=bool)
    step = rows.interval or 1
    at = np.flatnonzero(empty)
    for other in tables.same_instrument(rows):
        if not other.has("volume"):
            continue
        longer = max(step, other.interval or 1)
        theirs, ours = tables.bars(other.key, longer), tables.bars(rows.key, longer)
        slot = rows.ts[at] // longer * longer
        there, row = _look_up(theirs.ts, slot)
        here, mine = _look_up(ours.ts, slot)
        lacks = here & (theirs.volume[row] > _MORE * ours.volume[mine])
        seen[at] |= there & lacks & (theirs.volume[row] > 0)
    return seen


def _look_up(times: np.ndarray, wanted: np.ndarray) -> tuple[Bools, np.ndarray]:
    row = np.minimum(np.searchsorted(times, wanted), times.size - 1)
    return times[row] == wanted, row


def _series(rows: Rows) -> Iterator[Finding]:
    for name in rows.names:
        values = rows.floats(name)
        known = np.flatnonzero(np.isfinite(values))
        if not known.size:
            continue
        nonzero = np.flatnonzero(values[known] != 0)
        leading = int(nonzero[0]) if nonzero.size else 0
        if leading >= _LEADING or (leading == 1 and known.size > 10 * _LEADING):
            what = "leading zeros" if leading > 1 else "partial first row"
            yield rows.finding(
                NAME,
                what,
                Severity.NOTE,
                int(known[0]),
                f"{name} 0",
                "the series begins with zeros: not yet measured, or cut, rather than zero",
                count=leading,
            )
