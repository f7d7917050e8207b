"""Values in another unit: a price or a volume a thousand times too large or too small.

Single rows and stretches are told from the rows around them, whole series from the others of
the same asset (``peers``). A whole file in another unit is not found where there is no other
series of its asset, but for two tests that need none: turnover divided by volume must be near
the price, and a trade must be of 5 to 200,000 dollars on average. Nor is a volume found that is
off by less than the hundredfold by which markets may differ, where only other markets tell.
Volumes of trades and quotes are not compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from crypto_quant.data_pipeline.cleaners import peers
from crypto_quant.data_pipeline.cleaners.findings import Finding, Mend, Severity
from crypto_quant.data_pipeline.cleaners.levels import WINDOW
from crypto_quant.data_pipeline.cleaners.marks import Marks, log, marks, none
from crypto_quant.data_pipeline.cleaners.rows import Bools, Floats, Ints, Rows, Tables, runs

NAME = "units"
_PRICE: Final = 1.0
"""Prices do not change tenfold from one row to the next (decimal logarithm)."""
_VOLUME: Final = 1.5
"""Volume against another market's: thirtyfold."""
_VOLUME_ALONE: Final = 2.0
"""Volume per trade, or against nothing but its neighbours: hundredfold."""
_TURNOVER: Final = float(np.log10(3))
_TRADE: Final = (5.0, 200_000.0)
"""Dollars per trade; medians of markets known are 840 to 3,700."""
_SHARE: Final = 0.25
"""If more rows than this are off, and nothing else tells, the others may be."""
_COLUMNS: Final = {
    "bar": ("open", "high", "low", "close"),
    "trade": ("px",),
    "agg_trade": ("px",),
}
_AROUND: Final = (
    "on another scale than the rows around it, as with a unit mistaken by a power of ten"
)
_EDGE: Final = "at the edge of a stretch on another scale, and too odd to tell on which side"


def find(rows: Rows, tables: Tables) -> Iterator[Finding]:
    """Find rows, stretches and whole series on another scale than what is around them."""
    main = peers.PRICE.get(rows.kind)
    if main is None or not len(rows) or not rows.has(main):
        return
    no = np.zeros(len(rows), dtype=bool)
    found = {name: _marks(rows, name, no) for name in _COLUMNS.get(rows.kind, (main,))}
    scale = log(rows.floats(main)) - found[main].offset
    said = peers.verdict(peers.prices(rows, scale, tables))
    yield from _whole(rows, "prices", main, found[main], said)
    for name in _COLUMNS.get(rows.kind, ()):
        yield from _rows(rows, name, found[name], said)
    if rows.kind == "bar":
        is_off = said.off if _is_sure(found[main], said) else 0.0
        yield from _volumes(rows, 10.0 ** (scale - is_off), tables)


def _marks(rows: Rows, name: str, there: Bools) -> Marks:
    """Return what stands out among prices; cheap where none is thrice the one before."""
    values = rows.ints(name)
    before, after = values[:-1], values[1:]
    if not ((after > 3 * before) | (before > 3 * after)).any():
        return none(len(rows), _PRICE)
    return marks(log(rows.floats(name)), _PRICE, there)


def _volumes(rows: Rows, price: Floats, tables: Tables) -> Iterator[Finding]:
    name = "volume" if rows.has("volume") else "quote_volume"
    base = peers.base_volume(rows, price, tables)
    if base is None:
        return
    found = none(len(rows), _VOLUME)
    if rows.has("volume"):
        scale, limit = _volume(rows, tables)
        found = marks(scale, limit, rows.ints("volume") > 0)
    base = base / 10.0**found.offset
    said = peers.verdict(peers.volumes(rows, base, tables))
    yield from _whole(rows, "volumes", name, found, said)
    if rows.has("volume"):
        yield from _rows(rows, "volume", found, said)
    if said.off == 0 and rows.instrument in tables.instruments:
        yield from _turnover(rows, base, price)
        yield from _trades(rows, base * price)


def _volume(rows: Rows, tables: Tables) -> tuple[Floats, float]:
    """Return volume on the steadiest scale there is.

    Per trade, where trades are counted; against a market of the same asset with bars as
    fine, where there is one; else volume itself.
    """
    volume = rows.floats("volume")
    if rows.has("count") and rows.known("count").all():
        trades = rows.floats("count")
        return log(np.where(trades > 0, volume / np.maximum(trades, 1), 0.0)), _VOLUME_ALONE
    for other in tables.same_asset(rows):
        if not other.has("volume") or (other.interval or 0) > (rows.interval or 0):
            continue
        bars = tables.bars(other.key, rows.interval or 1)
        at = np.minimum(np.searchsorted(bars.ts, rows.ts), bars.ts.size - 1)
        shared = (bars.ts[at] == rows.ts) & bars.whole[at] & (bars.volume[at] > 0)
        if shared.mean() > 0.9:
            ratio = np.where(shared, volume / np.where(shared, bars.volume[at], 1.0), 0.0)
            return log(ratio), _VOLUME
    return log(volume), _VOLUME_ALONE


def _turnover(rows: Rows, base: Floats, price: Floats) -> Iterator[Finding]:
    """Hold turnover against volume: their ratio is a price within the bar."""
    if not (rows.has("volume") and rows.has("quote_volume")):
        return
    known = np.flatnonzero((base > 0) & (price > 0) & (rows.floats("quote_volume") > 0))
    if not known.size:
        return
    ratio = rows.floats("quote_volume")[known] / base[known] / price[known]
    off = float(np.median(log(ratio)))
    if abs(off) > _TURNOVER:
        yield rows.finding(
            NAME,
            "turnover apart",
            Severity.ERROR,
            int(known[0]),
            f"{_times(off)} the price",
            "turnover divided by volume is no price of these bars: one of the three is in another "
            "unit; import the file anew in its own",
            None,
            int(known[-1] - known[0] + 1),
        )


def _trades(rows: Rows, value: Floats) -> Iterator[Finding]:
    """Hold the value of an average trade against what trades are."""
    if not rows.has("count"):
        return
    known = np.flatnonzero((value > 0) & (rows.ints("count") > 0))
    size = float(np.median(value[known] / rows.ints("count")[known])) if known.size else _TRADE[0]
    if not _TRADE[0] <= size <= _TRADE[1]:
        yield rows.finding(
            NAME,
            "trades of odd size",
            Severity.WARNING,
            int(known[0]),
            f"{size:,.4g} dollars a trade",
            f"trades are of {_TRADE[0]:,.0f} to {_TRADE[1]:,.0f} dollars on average: price or "
            "volume seems to be in another unit",
            None,
            int(known[-1] - known[0] + 1),
        )


def _is_sure(found: Marks, said: peers.Verdict) -> bool:
    """Whether it is this series that is off: others say so, or part of it is with them."""
    limit = said.against[0].limit if said.against else 0.0
    return said.is_sure or int((np.abs(found.offset + said.off) <= limit).sum()) >= WINDOW


def _whole(
    rows: Rows, what: str, name: str, found: Marks, said: peers.Verdict
) -> Iterator[Finding]:
    """Report a series that is off from others, but for the stretches of it that are not."""
    if said.off == 0:
        return
    is_sure, off = _is_sure(found, said), found.stretches(said.off)
    first, more = said.against[0], len(said.against) - 1
    reason = f"{_times(first.size)} those of {first.key}" + (f" and {more} more" if more else "")
    if is_sure:
        reason += f": {what} in another unit; import the file anew in its own"
    else:
        reason += ": one of the two is in another unit, and nothing else tells which"
    is_exact = what == "prices" or any(a.key.split("/")[0] == rows.instrument for a in said.against)
    for row, count in runs(off != 0):
        yield rows.finding(
            NAME,
            f"{what} in another unit" if is_sure else f"{what} apart",
            Severity.ERROR if is_exact else Severity.WARNING,
            row,
            f"{name} {rows.text(name, row)}",
            reason,
            Mend.MASK if is_sure and not off.all() else None,
            count,
        )


def _times(size: float) -> str:
    return f"{10.0**size:,.4g} times"


def _rows(rows: Rows, name: str, found: Marks, said: peers.Verdict) -> Iterator[Finding]:
    """Report single rows, and stretches where the series as a whole is not off."""
    stretch = found.stretches() if said.off == 0 else np.zeros(len(rows), dtype=np.int64)
    off: Ints = np.where(found.single != 0, found.single, stretch)
    if not off.any():
        return
    is_safe = said.votes > 0 or bool((stretch != 0).mean() <= _SHARE)
    for sign, way in ((1, "high"), (-1, "low")):
        for doubtful, why in ((False, _AROUND), (True, _EDGE)):
            for row, count in runs((off == sign) & ((found.doubt != 0) == doubtful)):
                yield rows.finding(
                    NAME,
                    f"{name} too {way}",
                    Severity.ERROR,
                    row,
                    f"{name} {rows.text(name, row)}",
                    why,
                    Mend.MASK if is_safe and not doubtful else None,
                    count,
                )
