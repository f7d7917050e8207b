"""Bars of two lengths of one instrument that do not add up to one another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from crypto_quant.data_pipeline.cleaners.findings import Finding, Severity
from crypto_quant.data_pipeline.cleaners.rows import Bars, Floats, Rows, Tables, runs

NAME = "agreement"
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
        ends, extremes, volume = (
            _apart(ours, theirs, i, j, names)
            for names in (("open", "close"), ("high", "low"), ("volume",))
        )
        prices, is_end = np.maximum(ends, extremes), ends > _EXACT
        for what, size, mask in (
            ("price", prices, is_end),
            ("extreme", prices, (extremes > _EXACT) & ~is_end),
            ("volume", volume, volume > _VOLUME),
        ):
            for row, count in runs(mask):
                worst = float(size[row : row + count].max())
                yield _finding(rows, other, what, row, count, worst)


def _finding(rows: Rows, other: Rows, what: str, row: int, count: int, worst: float) -> Finding:
    is_volume = what == "volume"
    name = "volume" if is_volume else "close"
    finding = rows.finding(
        NAME,
        f"{what} of {other.key.split('/')[1]}",
        Severity.NOTE if is_volume else Severity.WARNING,
        row,
        f"{name} {rows.text(name, row)}",
        f"bars of {other.key} put together give another {'volume' if is_volume else 'price'}",
        None,
        count,
    )
    return finding if is_volume else finding._replace(bps=worst * 1e4)


def _apart(
    ours: Bars, theirs: Bars, i: np.ndarray, j: np.ndarray, names: tuple[str, ...]
) -> Floats:
    """Return the largest difference of some values, as a share of them, shape (n,) of ours."""
    apart = np.zeros(ours.ts.size)
    for name in names:
        a, b = getattr(ours, name)[i], getattr(theirs, name)[j]
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.abs(a - b) / np.maximum(np.abs(a), np.abs(b))
        apart[i] = np.maximum(apart[i], np.nan_to_num(share, nan=0.0, posinf=0.0))
    return apart
