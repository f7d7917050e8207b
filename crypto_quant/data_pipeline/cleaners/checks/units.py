"""Values in another unit: a price or a volume a thousand times too large or too small."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from crypto_quant.data_pipeline.cleaners.findings import Finding, Mend, Severity
from crypto_quant.data_pipeline.cleaners.rows import Floats, Ints, Rows, Tables, runs

NAME = "units"
_PRICE: Final = 1.0
"""Prices do not change tenfold from one row to the next (decimal logarithm)."""
_VOLUME: Final = 1.5
"""Volume against another market's: thirtyfold."""
_VOLUME_ALONE: Final = 2.0
"""Volume per trade, or against nothing but its neighbours: hundredfold."""
_BLOCK: Final = 32
_WINDOW: Final = 48


def find(rows: Rows, tables: Tables) -> Iterator[Finding]:
    """Find rows, or whole stretches, on another scale than those around them."""
    if len(rows) < 2 * _WINDOW:
        return
    if rows.kind == "bar":
        for name in ("open", "high", "low", "close"):
            if _jumps(rows.ints(name)):
                yield from _report(rows, name, _off(_log(rows.floats(name)), _PRICE))
        if rows.has("volume"):
            scale, limit = _volume(rows, tables)
            yield from _report(rows, "volume", _off(scale, limit))
    elif rows.kind in ("trade", "agg_trade"):
        yield from _report(rows, "px", _off(_log(rows.floats("px")), _PRICE))


def _jumps(values: Ints) -> bool:
    """Whether any value is thrice the one before, or a third of it: cheap, and mostly not so."""
    before, after = values[:-1], values[1:]
    return bool(((after > 3 * before) | (before > 3 * after)).any())


def _volume(rows: Rows, tables: Tables) -> tuple[Floats, float]:
    """Return volume on the steadiest scale there is.

    Per trade, where trades are counted; against a market of the same asset with bars as
    fine, where there is one; else volume itself.
    """
    volume = rows.floats("volume")
    if rows.has("count") and rows.known("count").all():
        trades = rows.floats("count")
        return _log(np.where(trades > 0, volume / np.maximum(trades, 1), 0.0)), _VOLUME_ALONE
    for other in tables.same_asset(rows):
        if not other.has("volume") or (other.interval or 0) > (rows.interval or 0):
            continue
        bars = tables.bars(other.key, rows.interval or 1)
        at = np.minimum(np.searchsorted(bars.ts, rows.ts), bars.ts.size - 1)
        shared = (bars.ts[at] == rows.ts) & bars.whole[at] & (bars.volume[at] > 0)
        if shared.mean() > 0.9:
            ratio = np.where(shared, volume / np.where(shared, bars.volume[at], 1.0), 0.0)
            return _log(ratio), _VOLUME
    return _log(volume), _VOLUME_ALONE


def _log(values: Floats) -> Floats:
    """Return decimal logarithms; NaN where there is nothing to measure."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(values > 0, np.log10(values), np.nan)


def _off(scale: Floats, limit: float) -> Ints:
    """Return +1 where rows are above the scale of those around, -1 below, else 0.

    Cheap first: against medians of whole blocks, then, where that is odd, exactly.
    """
    off = np.zeros(scale.size, dtype=np.int64)
    known = np.flatnonzero(np.isfinite(scale))
    values = scale[known]
    if values.size < 2 * _WINDOW:
        return off
    apart = values - _block_medians(values)
    above, below = _tail(apart, limit), _tail(-apart, limit)
    odd = np.flatnonzero((apart > 0.7 * above) | (apart < -0.7 * below))
    near = values[odd] - _local(values, odd)
    off[known[odd[near > above]]] = 1
    off[known[odd[near < -below]]] = -1
    for first, end in _stretches(values, max(above, below)):
        inside = np.median(values[first:end])
        off[known[first:end]] = 1 if inside > np.median(values) else -1
    return off


def _tail(apart: Floats, limit: float) -> float:
    """Return how far values may stand out: thin markets have wild volumes of their own.

    Thrice what one in twenty of the values above the usual exceed is five deviations of a
    normal distribution, and is not moved by a few wrong rows.
    """
    own = apart[apart > 0]
    return max(limit, 3.0 * float(np.quantile(own, 0.95))) if own.size else limit


def _block_medians(values: Floats) -> Floats:
    blocks = -(-values.size // _BLOCK)
    padded = np.pad(values, (0, blocks * _BLOCK - values.size), mode="edge")
    each = np.median(padded.reshape(blocks, _BLOCK), axis=1)
    smooth = np.pad(each, 1, mode="edge")
    three = np.median(np.stack([smooth[:-2], smooth[1:-1], smooth[2:]]), axis=0)
    return np.repeat(three, _BLOCK)[: values.size]


def _local(values: Floats, at: Ints) -> Floats:
    if not at.size:
        return np.empty(0)
    offsets = np.r_[-_WINDOW // 2 : 0, 1 : _WINDOW // 2 + 1]
    around = at[:, None] + offsets
    around = np.where(around < 0, -around, around)
    around = np.where(around >= values.size, 2 * (values.size - 1) - around, around)
    return np.asarray(np.median(values[around], axis=1), dtype=np.float64)


def _stretches(values: Floats, limit: float) -> list[tuple[int, int]]:
    """Return stretches longer than a window whose level jumps in and jumps back out.

    A level that jumps and stays to the end is a stretch too, if it is the shorter part.
    """
    step = np.diff(values)
    places = np.flatnonzero(np.abs(step) > limit / 2) + 1
    places = places[(places >= _WINDOW // 2) & (places <= values.size - _WINDOW // 2)]
    before = values[np.maximum(places[:, None] - np.arange(1, _WINDOW + 1), 0)]
    after = values[np.minimum(places[:, None] + np.arange(_WINDOW), values.size - 1)]
    size = np.median(after, axis=1) - np.median(before, axis=1)
    jumps = [(int(p), float(s)) for p, s in zip(places, size, strict=True) if abs(s) > limit]
    kept: list[tuple[int, float]] = []
    for place, size in jumps:
        if kept and place - kept[-1][0] < _WINDOW and size * kept[-1][1] > 0:
            if abs(step[place - 1]) > abs(step[kept[-1][0] - 1]):
                kept[-1] = (place, size)
            continue
        kept.append((place, size))
    found, i = [], 0
    while i < len(kept):
        place, size = kept[i]
        if i + 1 < len(kept) and kept[i + 1][1] * size < 0:
            found.append((place, kept[i + 1][0]))
            i += 2
            continue
        found.append((place, values.size) if place > values.size // 2 else (0, place))
        i += 1
    return found


def _report(rows: Rows, name: str, off: Ints) -> Iterator[Finding]:
    for sign, way in ((1, "high"), (-1, "low")):
        for row, count in runs(off == sign):
            yield rows.finding(
                NAME,
                f"{name} too {way}",
                Severity.ERROR,
                row,
                f"{name} {rows.text(name, row)}",
                "on another scale than the rows around it, as with a unit mistaken by a power of "
                "ten",
                Mend.MASK,
                count,
            )
