"""Series stamped a row or two off, seen by whether their returns run with another's.

Stretches from a day of hourly rows on are found, to within a few rows of where they begin and
end: of 24 rows nearly all, of 18 four in five, of 12 none. Where only another asset of the
venue can be held against them, it takes 96 rows to find all. Where the market stands still,
nothing is seen; which of two markets is off is not told.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np

from crypto_quant.data_pipeline.cleaners.findings import Finding, Severity
from crypto_quant.data_pipeline.cleaners.rows import Bars, Floats, Rows, Tables

NAME = "shift"
_LAGS: Final = (-2, -1, 1, 2)
_SHARE: Final = 0.15
_FLOOR: Final = 1e-6
_MOST: Final = 2.0
"""A row's return at most counts for this much; see ``_gain``."""
_THRESHOLD: Final = 30.0
"""What a stretch must add up to; in no pair of markets known does chance reach 20."""
_WINDOW: Final = 25
_LEAST: Final = 12
"""Rows of the shortest stretch."""
_CORRELATED: Final = 0.5
_MORE: Final = 0.3
"""A lag counts if its correlation is at least this, and this much above that without lag."""


class _Stretch(NamedTuple):
    """Rows that run with another market's ``lag`` rows before; ``score``: how surely."""

    first: int
    end: int
    lag: int
    score: float


def find(rows: Rows, tables: Tables) -> Iterator[Finding]:
    """Find stretches that run with another market only when moved by a row or two."""
    if rows.kind != "bar" or not len(rows):
        return
    for other in _references(rows, tables):
        step = max(rows.interval or 1, other.interval or 1)
        one, two = tables.bars(rows.key, step), tables.bars(other.key, step)
        found = _stretches(one, two)
        for stretch in found:
            yield _finding(rows, other, one, stretch)
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
    finer = [r for r in beside if len(r) and (r.interval or 0) <= (rows.interval or 0)]
    return sorted(finer, key=lambda other: (-_shared(rows, other), other.key))[:1]


def _shared(rows: Rows, other: Rows) -> int:
    """Return how long both series last together, ns."""
    return int(min(rows.ts[-1], other.ts[-1]) - max(rows.ts[0], other.ts[0]))


def _stretches(one: Bars, two: Bars) -> list[_Stretch]:
    """Return the stretches of ``one``'s rows that run with ``two`` at another lag, in order."""
    at = np.minimum(np.searchsorted(two.ts, one.ts), two.ts.size - 1)
    there = two.ts[at] == one.ts
    if there.sum() < _LEAST:
        return []
    mine, theirs = _returns(one.close), np.where(there, _returns(two.close)[at], np.nan)
    found: list[_Stretch] = []
    for lag in _LAGS:
        gain = _gain(mine, theirs, lag)
        found += [
            _Stretch(first, end, lag, score)
            for first, end, score in _excursions(gain)
            if end - first >= _LEAST and _runs_with(mine, theirs, first, end, lag)
        ]
    kept: list[_Stretch] = []
    for stretch in sorted(found, key=lambda each: -each.score):
        if all(stretch.end <= other.first or other.end <= stretch.first for other in kept):
            kept.append(stretch)
    return sorted(kept)


def _gain(mine: Floats, theirs: Floats, lag: int) -> Floats:
    """Return how much nearer each return is to the other's ``lag`` rows before than to its own.

    In units of how far the two usually are apart, or of a share of what returns are around
    there, where that is more: wild hours count no more than calm ones. No row counts for
    more than ``_MOST``.
    """
    apart, moved = np.abs(mine - theirs), np.abs(mine - np.roll(theirs, lag))
    known = np.isfinite(apart) & np.isfinite(moved)
    gain = np.zeros(mine.size)
    if known.any():
        usual = np.median(np.minimum(apart, moved)[known])
        size = np.maximum(_SHARE * _around(np.nan_to_num(np.abs(theirs))), max(usual, _FLOOR))
        gain[known] = np.clip((apart - moved)[known] / size[known], -_MOST, _MOST)
    return gain


def _around(values: Floats) -> Floats:
    """Return the mean of the values within ``_WINDOW`` of each."""
    total = np.concatenate(([0.0], np.cumsum(values)))
    at = np.arange(values.size)
    first, end = np.maximum(at - _WINDOW, 0), np.minimum(at + _WINDOW + 1, values.size)
    return np.asarray((total[end] - total[first]) / (end - first), dtype=np.float64)


def _excursions(gain: Floats) -> list[tuple[int, int, float]]:
    """Return (first, end, sum) of the stretches over which the gain adds up to the threshold.

    A stretch begins where the sum was least (Page's cumulative sum), and ends where it was
    most before it fell by the threshold.
    """
    total = np.concatenate(([0.0], np.cumsum(gain)))
    found, start = [], 0
    while start < gain.size:
        part = total[start:]
        above = part - np.minimum.accumulate(part)
        crossed = np.flatnonzero(above > _THRESHOLD)
        if not crossed.size:
            break
        first = int(part[: crossed[0] + 1].argmin())
        later = part[crossed[0] :]
        fell = np.flatnonzero(np.maximum.accumulate(later) - later > _THRESHOLD)
        end = int(crossed[0] + later[: fell[0] if fell.size else None].argmax())
        found.append((start + first, start + end, float(part[end] - part[first])))
        start += end
    return found


def _runs_with(mine: Floats, theirs: Floats, first: int, end: int, lag: int) -> bool:
    """Whether the stretch is correlated with the other market at a lag, and less without."""
    here, there = mine[first:end], np.roll(theirs, lag)[first:end]
    moved = _correlation(here, there)
    return moved >= _CORRELATED and moved > _correlation(here, theirs[first:end]) + _MORE


def _returns(close: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        values = np.diff(np.log(close), prepend=np.nan)
    return np.where(np.isfinite(values), values, np.nan)


def _correlation(a: Floats, b: Floats) -> float:
    """Return the correlation of two markets' returns about 0; -1 if unknown."""
    known = np.isfinite(a) & np.isfinite(b)
    a, b = a[known], b[known]
    scale = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / scale if scale > 0 else -1.0


def _finding(rows: Rows, other: Rows, one: Bars, stretch: _Stretch) -> Finding:
    first = int(np.searchsorted(rows.ts, one.ts[stretch.first]))
    end = int(np.searchsorted(rows.ts, one.ts[stretch.end - 1], "right"))
    way = "late" if stretch.lag > 0 else "early: look-ahead"
    return rows.finding(
        NAME,
        "stamped off",
        Severity.ERROR,
        first,
        f"{stretch.lag:+d} rows",
        f"runs with {other.key} only when moved: stamped {abs(stretch.lag)} too {way}",
        None,
        end - first,
    )
