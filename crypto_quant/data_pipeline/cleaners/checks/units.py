"""Values in another unit: a price or a volume a thousand times too large or too small."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from crypto_quant.data_pipeline.cleaners.findings import Finding, Mend, Severity
from crypto_quant.data_pipeline.cleaners.levels import WINDOW, levels, local
from crypto_quant.data_pipeline.cleaners.rows import Bools, Floats, Ints, Rows, Tables, runs

NAME = "units"
_PRICE: Final = 1.0
"""Prices do not change tenfold from one row to the next (decimal logarithm)."""
_VOLUME: Final = 1.5
"""Volume against another market's: thirtyfold."""
_VOLUME_ALONE: Final = 2.0
"""Volume per trade, or against nothing but its neighbours: hundredfold."""
_BLOCK: Final = 32
_WHY: Final = "on another scale than the rows around it, as with a unit mistaken by a power of ten"
_EDGE: Final = "at the edge of a stretch on another scale, and too odd to tell on which side"


def find(rows: Rows, tables: Tables) -> Iterator[Finding]:
    """Find rows, or whole stretches, on another scale than those around them."""
    if len(rows) < 2 * WINDOW:
        return
    no = np.zeros(len(rows), dtype=bool)
    if rows.kind == "bar":
        for name in ("open", "high", "low", "close"):
            if _jumps(rows.ints(name)):
                yield from _report(rows, name, _off(_log(rows.floats(name)), _PRICE, no))
        if rows.has("volume"):
            scale, limit = _volume(rows, tables)
            yield from _report(rows, "volume", _off(scale, limit, rows.ints("volume") > 0))
    elif rows.kind in ("trade", "agg_trade"):
        yield from _report(rows, "px", _off(_log(rows.floats("px")), _PRICE, no))


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


def _off(scale: Floats, limit: float, there: Bools) -> tuple[Ints, Bools]:
    """Return +1 where rows are above the scale of those around, -1 below, else 0; and if surely.

    First whole stretches, then, these put right, single values. Rows that are ``there``
    without a scale of their own are what the stretch around them is.
    """
    off, sure = np.zeros(scale.size, dtype=np.int64), np.ones(scale.size, dtype=bool)
    known = np.flatnonzero(np.isfinite(scale))
    values = scale[known]
    if values.size < 2 * WINDOW:
        return off, sure
    apart = values - _block_medians(values)
    above, below = _tail(apart, limit), _tail(-apart, limit)
    level = levels(values, max(above, below))
    stretch = _sign(level.offset, limit)
    single = _single(values - level.offset, above, below)
    off[known] = np.where(single != 0, single, stretch)
    doubtful = level.doubt != 0
    off[known[doubtful]] = _sign(level.doubt[doubtful], limit)
    sure[known[doubtful]] = False
    between = np.flatnonzero(there & ~np.isfinite(scale))
    right = np.searchsorted(known, between)
    is_inside = (right > 0) & (right < known.size)
    between, right = between[is_inside], right[is_inside]
    off[between] = np.where(stretch[right - 1] == stretch[right], stretch[right], 0)
    sure[between] = ~(doubtful[right - 1] | doubtful[right])
    return off, sure


def _sign(offset: Floats, limit: float) -> Ints:
    return np.where(np.abs(offset) > limit, np.sign(offset), 0.0).astype(np.int64)


def _single(values: Floats, above: float, below: float) -> Ints:
    """Return what single values are: cheaply against medians of blocks, where odd exactly."""
    apart = values - _block_medians(values)
    odd = np.flatnonzero((apart > 0.7 * above) | (apart < -0.7 * below))
    near = values[odd] - local(values, odd)
    single = np.zeros(values.size, dtype=np.int64)
    single[odd[near > above]] = 1
    single[odd[near < -below]] = -1
    return single


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


def _report(rows: Rows, name: str, found: tuple[Ints, Bools]) -> Iterator[Finding]:
    off, sure = found
    for sign, way in ((1, "high"), (-1, "low")):
        for is_sure, why, mend in ((True, _WHY, Mend.MASK), (False, _EDGE, None)):
            for row, count in runs((off == sign) & (sure == is_sure)):
                yield rows.finding(
                    NAME,
                    f"{name} too {way}",
                    Severity.ERROR,
                    row,
                    f"{name} {rows.text(name, row)}",
                    why,
                    mend,
                    count,
                )
