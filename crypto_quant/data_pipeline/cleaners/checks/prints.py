"""Prices that the market never had: a print off by a per cent that is gone at once.

A bar opens where the one before it closed, to within what price does in moments, not within
what it does in a bar. A close or an open off that border by far more is a bad print, however
wild the hour was; a crash goes from bar to bar without such a border.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np

from crypto_quant.data_pipeline.cleaners.findings import Finding, Mend, Severity
from crypto_quant.data_pipeline.cleaners.rows import Bools, Floats, Ints, Rows, Tables
from crypto_quant.data_pipeline.storage import flags

NAME = "prints"
_FLOOR: Final = 50e-4
"""Smaller jumps are not looked at: venues print them every few months."""
_SHARE: Final = 0.75
"""A border may open by this share of what price usually does in one minute there."""
_MINUTE: Final = 60 * 10**9
_SAME: Final = 1e-9
_AROUND: Final = 12
_TICKS: Final = 25


def find(rows: Rows, tables: Tables) -> Iterator[Finding]:
    """Find closes, opens, whole bars and trades that stand apart from all around them."""
    if rows.kind == "bar" and len(rows) > 2 * _AROUND and (rows.ints("low") > 0).all():
        yield from _bars(rows, tables)
    elif rows.kind in ("trade", "agg_trade"):
        yield from _ticks(rows, rows.floats("px"), "px")
    elif rows.kind == "quote":
        for name in ("bid", "ask"):
            yield from _ticks(rows, rows.floats(name), name)


class _Prices(NamedTuple):
    """Logarithms of a key's prices, shape (n,)."""

    open: Floats
    high: Floats
    low: Floats
    close: Floats


def _bars(rows: Rows, tables: Tables) -> Iterator[Finding]:
    p = _Prices(*(rows.logs(name) for name in _Prices._fields))
    jump = p.open[1:] - p.close[:-1]
    jump[np.diff(rows.ts) != rows.interval] = 0.0
    wide = np.flatnonzero(np.abs(jump) > _FLOOR)
    limit = _limits(rows, p, wide)
    at = wide[np.abs(jump[wide]) > limit]
    done = -1
    for border in at:
        if border == done:
            continue
        size, after = float(jump[border]), border + 1
        whole = after < jump.size and after in at and -1.5 < jump[after] / size < -1 / 1.5
        if whole:
            done = after
            yield _finding(rows, "bar off", int(border + 1), size, "the whole bar stands apart")
            continue
        yield _one_price(rows, tables, p, int(border), size)


def _limits(rows: Rows, p: _Prices, borders: Ints) -> Floats:
    """Return how far each border may open: a share of a minute's range around it."""
    offsets = np.r_[-_AROUND:0, 2 : _AROUND + 2]
    around = np.clip(borders[:, None] + offsets, 0, len(rows) - 1)
    usual = np.nanmedian(p.high[around] - p.low[around], axis=1) if borders.size else np.empty(0)
    moment = np.sqrt(min(1.0, _MINUTE / (rows.interval or _MINUTE)))
    return np.asarray(np.maximum(_FLOOR, _SHARE * moment * usual), dtype=np.float64)


def _one_price(rows: Rows, tables: Tables, p: _Prices, border: int, size: float) -> Finding:
    """Say which side of a border is off, if that can be told.

    It is the one that makes its own bar's extreme, while the other lies within that bar;
    where this holds for both or neither, the one that another market was not at.
    """
    left, right = border, border + 1
    edge_left = p.high[left] if size < 0 else p.low[left]
    edge_right = p.high[right] if size > 0 else p.low[right]
    back_left = p.low[left] <= p.open[right] <= p.high[left]
    back_right = p.low[right] <= p.close[left] <= p.high[right]
    is_left = bool(abs(p.close[left] - edge_left) < _SAME and back_left)
    is_right = bool(abs(p.open[right] - edge_right) < _SAME and back_right)
    if is_left == is_right and (back_left or back_right):
        is_left, is_right = _by_other_market(rows, tables, p, border)
    if is_left and not is_right:
        return _finding(rows, "close off", left, -size, "the next bar opens where price was before")
    if is_right and not is_left:
        return _finding(
            rows, "open off", right, size, "the bar before closed where price went back"
        )
    jump = rows.finding(
        NAME,
        "jump between bars",
        Severity.WARNING,
        right,
        f"{size * 1e4:+.0f} bp",
        f"opens at {rows.text('open', right)} after a close of {rows.text('close', left)}: one of "
        "the two is off, or rows are missing, or the market was not trading; nothing here tells "
        "which",
    )
    return jump._replace(bps=abs(size) * 1e4)


def _by_other_market(rows: Rows, tables: Tables, p: _Prices, border: int) -> tuple[bool, bool]:
    """Say whether the close, or the open, is thrice as far from another market as its fellow."""
    first, end = max(0, border - _AROUND), min(len(rows), border + _AROUND + 2)
    for other in tables.same_asset(rows):
        if (other.interval or 0) > (rows.interval or 0):
            continue
        bars = tables.bars(other.key, rows.interval or 1)
        at = np.searchsorted(bars.ts, rows.ts[first:end])
        at = np.minimum(at, bars.ts.size - 1)
        if not (bars.ts[at] == rows.ts[first:end]).all() or not bars.whole[at].all():
            continue
        reference = np.log(bars.close[at])
        basis = float(np.median(p.close[first:end] - reference))
        there = float(reference[border - first]) + basis
        close_off, open_off = abs(p.close[border] - there), abs(p.open[border + 1] - there)
        return bool(close_off > 3 * open_off), bool(open_off > 3 * close_off)
    return False, False


def _finding(rows: Rows, what: str, row: int, size: float, reason: str) -> Finding:
    name = "open" if what == "open off" else "close"
    value = f"{name} {rows.text(name, row)}, {size * 1e4:+.0f} bp"
    off = rows.finding(NAME, what, Severity.ERROR, row, value, reason, Mend.MASK)
    return off._replace(bps=abs(size) * 1e4)


def _ticks(rows: Rows, price: Floats, name: str) -> Iterator[Finding]:
    """Find ticks away from those around them whose neighbours agree with one another."""
    if price.size <= _TICKS or not (price > 0).all():
        return
    value = np.log(price)
    middle = _median(value)
    off = value - middle
    spread = _median(np.abs(off))
    far = np.abs(off) > np.maximum(_FLOOR, 20 * spread)
    is_market = rows.ints("flags") & flags.NOT_MARKET == 0
    for row in np.flatnonzero(far & is_market & _same_segment(rows)).tolist():
        yield rows.finding(
            NAME,
            f"{name} off",
            Severity.ERROR,
            row,
            f"{name} {rows.text(name, row)}, {off[row] * 1e4:+.0f} bp",
            f"{_TICKS} ticks around it agree on another price",
            Mend.MASK,
        )


def _median(values: Floats) -> Floats:
    """Return the running median over ``_TICKS`` values, shape (n,)."""
    half = _TICKS // 2
    padded = np.pad(values, half, mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, _TICKS)
    return np.median(windows, axis=1)


def _same_segment(rows: Rows) -> Bools:
    """Return rows whose window lies within one recording session."""
    apart = np.diff(rows.ints("ts_recv")) > 60 * 10**9
    half = _TICKS // 2
    near = np.convolve(np.r_[apart, False].astype(int), np.ones(2 * half + 1, dtype=int), "same")
    return np.asarray(near == 0, dtype=bool)
