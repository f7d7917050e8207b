"""Bars that no market can print, and values that have no meaning."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from crypto_quant.data_pipeline.cleaners.findings import Finding, Mend, Severity
from crypto_quant.data_pipeline.cleaners.rows import Bools, Rows, Tables, runs

NAME = "impossible"
_RATE_LIMIT = 0.05
"""A funding rate beyond 5 % an interval is above every venue's cap."""


def find(rows: Rows, tables: Tables) -> Iterator[Finding]:
    """Find rows that contradict themselves."""
    for what, mask, name, reason in _faults(rows):
        for row, count in runs(mask):
            value = f"{name} {rows.text(name, row)}"
            yield rows.finding(NAME, what, Severity.ERROR, row, value, reason, Mend.MASK, count)


def _faults(rows: Rows) -> Iterator[tuple[str, Bools, str, str]]:
    if rows.kind in ("bar", "mark_bar", "index_bar"):
        yield from _bars(rows)
    elif rows.kind in ("trade", "agg_trade", "liquidation"):
        for name in ("px", "qty"):
            yield f"{name} not positive", rows.ints(name) <= 0, name, "a trade has both above zero"
        odd = ~np.isin(rows.ints("side"), (-1, 1))
        yield "side unknown", odd, "side", "the aggressor bought (+1) or sold (-1)"
    elif rows.kind == "funding":
        wild = np.abs(rows.floats("rate")) > _RATE_LIMIT
        yield "rate beyond caps", wild, "rate", "no venue lets a rate go there; is it a percentage?"
    elif rows.kind == "delta":
        yield "px not positive", rows.ints("px") <= 0, "px", "a level has a price"
        yield "qty negative", rows.ints("qty") < 0, "qty", "a level has a quantity or is deleted"


def _bars(rows: Rows) -> Iterator[tuple[str, Bools, str, str]]:
    first, high, low, last = (rows.ints(name) for name in ("open", "high", "low", "close"))
    yield "price not positive", np.minimum(low, np.minimum(first, last)) <= 0, "low", "price <= 0"
    yield "high too low", high < np.maximum(first, last), "high", "the high is below open or close"
    yield "low too high", low > np.minimum(first, last), "low", "the low is above open or close"
    if rows.has("volume"):
        volume, known = rows.ints("volume"), rows.known("volume")
        yield "negative volume", (volume < 0) & known, "volume", "volume below zero"
        if rows.has("taker_buy"):
            taker, both = rows.ints("taker_buy"), known & rows.known("taker_buy")
            wrong = both & ((taker > volume) | (taker < 0))
            yield "taker above volume", wrong, "taker_buy", "takers bought more than was traded"
        if rows.has("count"):
            count, both = rows.ints("count"), known & rows.known("count")
            wrong = both & ((count < 0) | ((count == 0) != (volume == 0)))
            yield "count against volume", wrong, "count", "trades without volume, or the reverse"
