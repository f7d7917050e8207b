"""Whole series held against the others of their asset, to tell which is in another unit.

Prices of one asset in dollars are the same everywhere to within a few per cent, so a factor
of 3 over all the time that two series share is a unit. Volumes of one instrument are the same
in bars of every length. Those of two markets are not: over the hours they share, the medians
of markets known differ up to 54-fold (spot on a large and on a small venue), so only a factor
of 100 counts there.

One vote each: a series is off if those it is apart from are more than those that are with it,
itself included. As many on both sides means that nothing tells which is off.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from crypto_quant.data_pipeline.cleaners.rows import Floats, Ints, Rows, Tables

_SAME: Final = float(np.log10(3))
_OTHER: Final = 2.0
"""Limits (decimal logarithm): of what must be the same, and of volumes of two markets."""
_LEAST: Final = 10
"""Rows or hours that two series must share to be compared."""
_SAMPLE: Final = 5_000
_HOUR: Final = 3_600 * 10**9

PRICE: Final = {
    "bar": "close",
    "mark_bar": "close",
    "index_bar": "close",
    "quote_bar": "bid_close",
    "quote": "bid",
    "mark": "mark",
    "delta": "px",
    "trade": "px",
    "agg_trade": "px",
    "liquidation": "px",
}
"""The column that stands for the price, by kind."""


class Apart(NamedTuple):
    """By how much a series is above another, as a decimal logarithm, and how far it may be."""

    key: str
    size: float
    limit: float


class Verdict(NamedTuple):
    """What the other series say.

    ``off`` is how far the series is above them (decimal logarithm; 0: it is not off, or there
    is nothing to tell), ``against`` those it is apart from, ``is_sure`` whether it is this
    series that is off, ``votes`` how many were asked.
    """

    off: float
    against: tuple[Apart, ...]
    is_sure: bool
    votes: int


def verdict(apart: Sequence[Apart]) -> Verdict:
    """Count the votes; by how much a series is off, those say that must be the same."""
    against = tuple(sorted((a for a in apart if abs(a.size) > a.limit), key=lambda a: a.limit))
    own = 1 + len(apart) - len(against)
    if len(against) < own:
        return Verdict(0.0, (), True, len(apart))
    off = float(np.median([a.size for a in against if a.limit == against[0].limit]))
    return Verdict(off, against, len(against) > own, len(apart))


def prices(rows: Rows, scale: Floats, tables: Tables) -> list[Apart]:
    """Compare logarithms of prices, shape (n,), with the bars of that time of every other series.

    The series that shares the most time comes first.
    """
    at = np.linspace(0, len(rows) - 1, min(len(rows), _SAMPLE)).astype(np.int64)
    ts, own = rows.ts[at], scale[at]
    found = []
    for other in _others(rows, tables):
        i = np.searchsorted(other.ts, ts, "right") - 1
        close = other.floats("close")[np.maximum(i, 0)]
        near = (i >= 0) & (ts - other.ts[np.maximum(i, 0)] < 2 * (other.interval or 0))
        known = near & np.isfinite(own) & (close > 0)
        if known.sum() >= _LEAST:
            apart = own[known] - np.log10(close[known])
            found.append(Apart(other.key, float(np.median(apart)), _SAME))
    return found


def volumes(rows: Rows, base: Floats, tables: Tables) -> list[Apart]:
    """Compare volumes in base units, shape (n,), with those of every other series, by the hour."""
    found = []
    for other in _others(rows, tables):
        theirs = base_volume(other, other.floats("close"), tables)
        slot = max(_HOUR, rows.interval or 0, other.interval or 0)
        if theirs is None:
            continue
        (one, ours), (two, others) = (
            _sums(rows, base, slot, other),
            _sums(other, theirs, slot, rows),
        )
        _, i, j = np.intersect1d(one, two, return_indices=True)
        known = (ours[i] > 0) & (others[j] > 0)
        if known.sum() >= _LEAST:
            apart = float(np.median(np.log10(ours[i][known] / others[j][known])))
            limit = _SAME if other.instrument == rows.instrument else _OTHER
            found.append(Apart(other.key, apart, limit))
    return found


def base_volume(rows: Rows, price: Floats, tables: Tables) -> Floats | None:
    """Return volumes in units of the asset, shape (n,), NaN where unknown; ``None`` if all are.

    Volumes are kept in contracts; of those of an inverse contract each is worth a fixed sum.
    """
    known = tables.instruments.get(rows.instrument)
    size = 1.0 if known is None else float(known.multiplier)
    is_inverse = known is not None and known.contract == "inverse"
    with np.errstate(divide="ignore", invalid="ignore"):
        if rows.has("volume"):
            volume = rows.floats("volume") * size
            return np.where(price > 0, volume / price, np.nan) if is_inverse else volume
        if rows.has("quote_volume") and not is_inverse:
            return np.where(price > 0, rows.floats("quote_volume") / price, np.nan)
    return None


def _sums(rows: Rows, values: Floats, slot: int, other: Rows) -> tuple[Ints, Floats]:
    """Add up by slots of the time that another series has too; those filled, and their sums."""
    span = np.array((other.ts[0] // slot * slot, (other.ts[-1] // slot + 1) * slot))
    begin, end = np.searchsorted(rows.ts, span)
    slots = rows.ts[begin:end] // slot
    if not slots.size:
        return slots, np.empty(0)
    first = np.append(0, np.flatnonzero(slots[1:] != slots[:-1]) + 1)
    is_full = np.diff(first, append=slots.size) * (rows.interval or 0) == slot
    return slots[first][is_full], np.add.reduceat(values[begin:end], first)[is_full]


def _others(rows: Rows, tables: Tables) -> list[Rows]:
    """Return bars of the same instrument and asset."""
    same = [
        tables.rows(kind, key)
        for kind, key in tables.all_keys()
        if kind == "bar"
        and (kind, key) != (rows.kind, rows.key)
        and key.split("/")[0] == rows.instrument
    ]
    others = [*tables.same_asset(rows), *same]
    return [other for other in others if len(other) and other.interval]
