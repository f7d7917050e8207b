"""Bars of two lengths of one instrument that do not add up to one another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from crypto_quant.data_pipeline.cleaners.findings import Finding, Severity
from crypto_quant.data_pipeline.cleaners.rows import Bars, Bools, Rows, Tables, runs

NAME = "agreement"
_PRICES: Final = ("open", "high", "low", "close")
_EXACT: Final = 1e-9
_VOLUME: Final = 1e-3
"""Sources round volumes; a difference beyond a thousandth is another number."""


def find(rows: Rows, tables: Tables) -> Iterator[Finding]:
    """Hold bars against the finer ones of the same instrument, where these are whole."""
    if rows.kind != "bar" or not len(rows):
        return
    for other in tables.same_instrument(rows):
        step = rows.interval or 1
        if (other.interval or step) >= step or step % (other.interval or 1):
            continue
        ours, theirs = tables.bars(rows.key, step), tables.bars(other.key, step)
        _, i, j = np.intersect1d(ours.ts, theirs.ts, return_indices=True)
        i, j = i[theirs.whole[j]], j[theirs.whole[j]]
        for what, names, limit in (
            ("price", _PRICES, _EXACT),
            ("volume", ("volume",), _VOLUME),
        ):
            apart = np.zeros(len(rows), dtype=bool)
            apart[i] = _apart(ours, theirs, i, j, names, limit)
            for row, count in runs(apart):
                yield rows.finding(
                    NAME,
                    f"{what} of {other.key.split('/')[1]}",
                    Severity.WARNING if what == "price" else Severity.NOTE,
                    row,
                    f"{names[-1]} {rows.text(names[-1], row)}",
                    f"bars of {other.key} put together give another {what}",
                    None,
                    count,
                )


def _apart(
    ours: Bars, theirs: Bars, i: np.ndarray, j: np.ndarray, names: tuple[str, ...], limit: float
) -> Bools:
    apart = np.zeros(i.size, dtype=bool)
    for name in names:
        a, b = getattr(ours, name)[i], getattr(theirs, name)[j]
        known = np.isfinite(a) & np.isfinite(b)
        apart |= known & (np.abs(a - b) > limit * np.maximum(np.abs(a), np.abs(b)))
    return apart
