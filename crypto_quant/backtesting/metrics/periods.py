"""Periods: the same judgement on years, regimes, and either side of the choosing date."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from crypto_quant.backtesting.metrics.figures import Scored, scored
from crypto_quant.backtesting.metrics.result import RunResult
from crypto_quant.backtesting.metrics.tracks import Track
from crypto_quant.core.measures.arrays import DAY_NS, DAYS_PER_YEAR, Floats, Ints, steps
from crypto_quant.core.measures.regime import NAMES, UNKNOWN, regimes


class Period(NamedTuple):
    """A choice of days, by name."""

    name: str
    scored: Scored


class Month(NamedTuple):
    """A calendar month: compounded return, share of exposed days won, days without data."""

    year: int
    month: int
    ret: float
    win_rate: float
    hole_days: int


def by_year(track: Track) -> list[Period]:
    """Judge each calendar year by itself."""
    years = track.days.year
    return [Period(str(y), scored(track.days.at(years == y))) for y in np.unique(years)]


def by_side(track: Track, boundary: int | None) -> list[Period]:
    """Judge the days before and from the time until which the configuration was chosen."""
    if boundary is None:
        return []
    later = track.days.start >= boundary
    day = str(np.datetime64(boundary, "ns"))[:10]
    sides = ((f"before {day} (chosen on)", ~later), (f"from {day} (held out)", later))
    return [Period(name, scored(track.days.at(side))) for name, side in sides if side.any()]


def by_regime(track: Track, run: RunResult) -> list[Period]:
    """Judge the days of each regime, put one after another."""
    label = day_regimes(track, run)
    names = {**dict(enumerate(NAMES)), UNKNOWN: "not known yet"}
    return [
        Period(name, scored(track.days.at(label == key)))
        for key, name in names.items()
        if (label == key).any()
    ]


def day_regimes(track: Track, run: RunResult) -> Ints:
    """Label each day of a track with what was known at its beginning; shape (n_days,)."""
    known, close = _closes(track, run)
    grid = steps(known[0], known[-1], DAY_NS)
    filled = close[np.searchsorted(known, grid, side="right") - 1]
    label = regimes(filled)
    at = np.searchsorted(grid, track.days.start, side="right") - 1
    out = np.where(at >= 0, label[np.maximum(at, 0)], UNKNOWN)
    stale = track.days.start - grid[np.maximum(at, 0)] >= DAY_NS
    return np.where(stale, UNKNOWN, out)


def by_month(track: Track) -> list[Month]:
    """Return and win rate of every calendar month; NaN where all of it is a hole."""
    days, out = track.days, []
    for number in np.unique(days.month):
        chosen = days.at(days.month == number)
        seen = chosen.at(~chosen.hole)
        judged = scored(chosen)
        out.append(
            Month(
                1970 + int(number) // 12,
                int(number) % 12 + 1,
                judged.total if seen.start.size else float("nan"),
                judged.win_rate,
                int(chosen.hole.sum()),
            )
        )
    return out


def cash_yield(track: Track, run: RunResult) -> Floats:
    """Daily yield of cash known at each day's beginning, NaN without data; shape (n_days,)."""
    rate = run.market["cash_rate"].to_numpy(zero_copy_only=False).astype(np.float64)
    known = run.market["ts"].to_numpy()[np.isfinite(rate)]
    if known.size == 0:
        return np.full(track.days.start.size, np.nan)
    at = np.searchsorted(known, track.days.start, side="right") - 1
    values = rate[np.isfinite(rate)][np.maximum(at, 0)] / DAYS_PER_YEAR
    return np.where(at >= 0, values, np.nan)


def _closes(track: Track, run: RunResult) -> tuple[Ints, Floats]:
    """Daily closes with the history before the run; the run's own marks if there are none."""
    if run.market.num_rows:
        return run.market["ts"].to_numpy(), run.market["close"].to_numpy()
    marks = track.marks
    at = np.searchsorted(marks.ts, track.days.start, side="right") - 1
    return track.days.start[at >= 0], marks.held[at[at >= 0]]
