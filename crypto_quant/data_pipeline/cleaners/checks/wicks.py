"""Highs and lows that no other market of the same asset had."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np

from crypto_quant.data_pipeline.cleaners.findings import Finding, Severity
from crypto_quant.data_pipeline.cleaners.rows import Bars, Floats, Rows, Tables
from crypto_quant.data_pipeline.cleaners.trading import hardly_traded, turnover

NAME = "wicks"
_FLOOR: Final = 60e-4
_SHARE: Final = 0.5
"""Two markets' extremes may differ by this share of the bar's range, as both saw it."""
_AROUND: Final = 12
_REACH_NS: Final = 5 * 60 * 10**9
"""Two markets in a rush are apart by what one of them does in minutes."""


class _Pair(NamedTuple):
    """The same periods in two markets."""

    one: Bars
    other: Bars


def find(rows: Rows, tables: Tables) -> Iterator[Finding]:
    """Find extremes beyond those of the market of the same asset that shares most time."""
    if rows.kind != "bar" or len(rows) < 4 * _AROUND:
        return
    others = tables.same_asset(rows)
    if not others:
        return
    other = others[0]
    step = max(rows.interval or 1, other.interval or 1)
    pair = _paired(tables.bars(rows.key, step), tables.bars(other.key, step))
    if pair.one.ts.size < 4 * _AROUND:
        return
    yield from _closes(rows, other, pair, step)
    for name, sign in (("high", 1.0), ("low", -1.0)):
        beyond, limit = _beyond(pair, name, sign)
        for i in np.flatnonzero(beyond > limit):
            start = int(pair.one.ts[i])
            if not _traded_through(other, start, start + step):
                continue
            row = _row(rows, start, step, name, sign)
            found = rows.finding(
                NAME,
                f"{name} alone",
                Severity.WARNING,
                row,
                f"{name} {rows.text(name, row)}, {sign * beyond[i] * 1e4:+.0f} bp",
                f"{other.key} did not go there; whether this market did cannot be told from here",
            )
            yield found._replace(bps=float(beyond[i]) * 1e4)


def _closes(rows: Rows, other: Rows, pair: _Pair, step: int) -> Iterator[Finding]:
    """Find closes away from the other market's that are back with the next one.

    Sources that open a bar at the close before it hide such a print from its neighbours.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        basis = np.log(pair.one.close / pair.other.close)
        ranges = [_median(np.log(bars.high / bars.low)) for bars in (pair.one, pair.other)]
    off = np.nan_to_num(basis - _median(basis), nan=0.0, posinf=0.0, neginf=0.0)
    limit = np.maximum(_FLOOR, _SHARE * np.minimum(*ranges))
    calm = np.abs(off) < limit / 3
    alone = np.abs(off) > limit
    alone[1:] &= calm[:-1]
    alone[:-1] &= calm[1:]
    for i in np.flatnonzero(alone):
        end = int(pair.one.ts[i]) + step
        row = int(np.searchsorted(rows.ts, end)) - 1
        last = end - (other.interval or step)
        is_live = not _is_empty(rows, row) and _traded_through(other, last, end)
        if not is_live or abs(off[i]) <= _SHARE * _reach(rows, other, row, end):
            continue
        found = rows.finding(
            NAME,
            "close alone",
            Severity.WARNING,
            row,
            f"close {rows.text('close', row)}, {off[i] * 1e4:+.0f} bp",
            f"{other.key} did not go there, and this market was back at once",
        )
        yield found._replace(bps=float(abs(off[i])) * 1e4)


def _is_empty(rows: Rows, row: int) -> bool:
    volume = turnover(rows)
    return volume is not None and bool(volume[row] == 0)


def _traded_through(other: Rows, start: int, end: int) -> bool:
    """Whether every bar of another market from ``start`` to ``end`` has trades as usual.

    A market that paused says nothing about where price went.
    """
    volume = turnover(other)
    if volume is None:
        return True
    first, last = np.searchsorted(other.ts, (start, end))
    if last - first > 1:
        return bool((volume[first:last] > 0).all())
    return not hardly_traded(other, np.arange(first, last)).any()


def _reach(rows: Rows, other: Rows, row: int, end: int) -> float:
    """Return the range, a logarithm, of the finer market in the minutes around a close.

    The close in question, and the open after it, are left out of it.
    """
    is_own = (rows.interval or 0) < (other.interval or 0)
    finer = rows if is_own else other
    first, last = np.searchsorted(finer.ts, (end - _REACH_NS, end + _REACH_NS))
    at = np.arange(first, last)
    if is_own:
        at = at[(at != row) & (at != row + 1)]
    if not at.size or (finer.interval or 0) > _REACH_NS:
        return 0.0
    highs, lows = finer.floats("high")[at], finer.floats("low")[at]
    return float(np.log(highs.max() / lows.min()))


def _paired(one: Bars, other: Bars) -> _Pair:
    """Return the periods that both have in full."""
    _, i, j = np.intersect1d(one.ts, other.ts, assume_unique=False, return_indices=True)
    both = one.whole[i] & other.whole[j]
    i, j = i[both], j[both]
    return _Pair(one.take(i), other.take(j))


def _beyond(pair: _Pair, name: str, sign: float) -> tuple[Floats, Floats]:
    """Return how far the extreme goes beyond the other market's, and how far it may.

    The difference of the two markets' prices is taken from the bodies of the bars around.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        basis = _median(np.log(pair.one.close / pair.other.close))
        extreme = np.log(getattr(pair.one, name) / getattr(pair.other, name))
        bodies = [
            sign * (np.log(getattr(pair.one, body) / getattr(pair.other, body)) - basis)
            for body in ("open", "close")
        ]
        ranges = [np.log(bars.high / bars.low) for bars in (pair.one, pair.other)]
    shared = np.minimum(*ranges)
    limit = np.maximum(_FLOOR, _SHARE * np.maximum(shared, _median(shared)))
    # Where the bodies are apart as well, the markets were, and not one print.
    apart = np.maximum(0.0, np.maximum(*bodies))
    beyond = np.nan_to_num(sign * (extreme - basis) - apart, nan=0.0, posinf=0.0, neginf=0.0)
    return beyond, limit


def _median(values: Floats) -> Floats:
    padded = np.pad(values, _AROUND, mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * _AROUND + 1)
    return np.median(windows, axis=1)


def _row(rows: Rows, start: int, step: int, name: str, sign: float) -> int:
    """Return the row that made the extreme of a longer period."""
    first, end = np.searchsorted(rows.ts, (start, start + step))
    part = sign * rows.ints(name)[first:end]
    return int(first + part.argmax())
