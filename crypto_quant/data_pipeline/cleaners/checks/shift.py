"""Series stamped one interval off, seen by whether their returns run with another's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from crypto_quant.data_pipeline.cleaners.findings import Finding, Severity
from crypto_quant.data_pipeline.cleaners.rows import Bars, Floats, Rows, Tables, runs

NAME = "shift"
_BLOCK: Final = 96
"""Rows over which returns are held against the other market's."""
_LAGS: Final = (-2, -1, 1, 2)
_LEAST: Final = 0.5
_MORE: Final = 0.3
"""A lag counts if its correlation is at least this, and this much above that without lag."""


def find(rows: Rows, tables: Tables) -> Iterator[Finding]:
    """Find stretches that run with another market only when moved by a row or two."""
    if rows.kind != "bar":
        return
    for other in _references(rows, tables):
        step = max(rows.interval or 1, other.interval or 1)
        one, two = tables.bars(rows.key, step), tables.bars(other.key, step)
        lag = _lags(one, two)
        if lag is None:
            continue
        found = False
        for k in _LAGS:
            for block, count in runs(lag == k):
                found = True
                yield _finding(rows, other, one, block, count, k)
        if found or step == rows.interval:
            return


def _references(rows: Rows, tables: Tables) -> list[Rows]:
    """Return what to hold the series against: the same asset, else what trades beside it."""
    same = tables.same_asset(rows) + tables.same_instrument(rows)
    if same:
        return [r for r in same if (r.interval or 0) <= 3_600 * 10**9][:3]
    venue = rows.instrument.split(".")[-1]
    beside = [
        tables.rows(kind, key)
        for kind, key in tables.all_keys()
        if kind == "bar" and key != rows.key and key.split("/")[0].split(".")[-1] == venue
    ]
    return [other for other in beside if (other.interval or 0) <= (rows.interval or 0)][:1]


def _lags(one: Bars, two: Bars) -> np.ndarray | None:
    """Return the best lag of each block of ``one``'s rows, 0 where there is none better."""
    at = np.searchsorted(two.ts, one.ts)
    there = at < two.ts.size
    at = np.minimum(at, two.ts.size - 1)
    there &= two.ts[at] == one.ts
    blocks = one.ts.size // _BLOCK
    if blocks == 0 or there.sum() < _BLOCK:
        return None
    mine, theirs = _returns(one.close), np.where(there, _returns(two.close)[at], np.nan)
    by_lag = np.stack([_correlation(mine, theirs, k, blocks) for k in (0, *_LAGS)])
    best = by_lag[1:].argmax(axis=0)
    size = by_lag[1:].max(axis=0)
    is_off = (size >= _LEAST) & (size > by_lag[0] + _MORE)
    return np.where(is_off, np.array(_LAGS)[best], 0)


def _returns(close: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        values = np.diff(np.log(close), prepend=np.nan)
    return np.where(np.isfinite(values), values, np.nan)


def _correlation(mine: Floats, theirs: Floats, lag: int, blocks: int) -> Floats:
    """Return the correlation of mine with theirs ``lag`` rows before, per block; -1 if unknown."""
    moved = np.roll(theirs, lag)
    a = mine[: blocks * _BLOCK].reshape(blocks, _BLOCK)
    b = moved[: blocks * _BLOCK].reshape(blocks, _BLOCK)
    known = np.isfinite(a) & np.isfinite(b)
    count = known.sum(axis=1)
    a, b = np.where(known, a, 0.0), np.where(known, b, 0.0)
    scale = np.sqrt((a * a).sum(axis=1) * (b * b).sum(axis=1))
    enough = (count > _BLOCK // 2) & (scale > 0)
    out = np.full(blocks, -1.0)
    np.divide((a * b).sum(axis=1), scale, out=out, where=enough)
    return out


def _finding(rows: Rows, other: Rows, one: Bars, block: int, count: int, lag: int) -> Finding:
    first = int(np.searchsorted(rows.ts, one.ts[block * _BLOCK]))
    end = int(
        np.searchsorted(rows.ts, one.ts[min((block + count) * _BLOCK, one.ts.size) - 1], "right")
    )
    way = "late" if lag > 0 else "early: look-ahead"
    return rows.finding(
        NAME,
        "stamped off",
        Severity.ERROR,
        first,
        f"{lag:+d} rows",
        f"runs with {other.key} only when moved: stamped {abs(lag)} too {way}",
        None,
        end - first,
    )
