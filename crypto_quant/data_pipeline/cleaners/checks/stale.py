"""Series that stopped moving: the same row again and again."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from crypto_quant.data_pipeline.cleaners.findings import Finding, Mend, Severity
from crypto_quant.data_pipeline.cleaners.rows import Bools, Rows, Tables, runs

NAME = "stale"
_CHANCE = 0.01
"""A run is stale if a series like this one would have one by chance less often than this."""
_LEAST = 4
"""Values are rounded: fewer repeats of one are nothing."""
_USUAL = 0.02
"""A value that this share of the other rows has is one to return to, like a default rate."""
_APART = 7
_LEADING = 5
"""Equal values at the start of a series, this many, are no measurements."""
_PRICES = ("open", "high", "low", "close")


def find(rows: Rows, tables: Tables) -> Iterator[Finding]:
    """Find runs of equal rows longer than the series' own history makes likely."""
    if len(rows) < 50:
        return
    if rows.kind == "bar":
        yield from _bars(rows)
    elif rows.kind == "funding":
        yield from _values(rows, "rate", rows.ints("rate"), rows.known("rate"))
    elif rows.kind == "series":
        for name in rows.names:
            known = rows.known(name)
            yield from _values(rows, name, np.where(known, rows.floats(name), 0.0), known)


def _bars(rows: Rows) -> Iterator[Finding]:
    """Find bars that equal the one before in everything though they were traded.

    How often that is chance is seen from bars some rows apart: no stale run makes these equal.
    """
    names = [*_PRICES, *(name for name in ("volume", "quote_volume") if rows.has(name))]
    same = _equal(rows, names, 1)
    traded = np.ones_like(same)
    for name in names[len(_PRICES) :]:
        traded &= ((rows.ints(name) > 0) | ~rows.known(name))[1:]
    chance = float((_equal(rows, names, _APART) & traded[_APART - 1 :]).mean())
    yield from _report(rows, same & traded, chance, "the bar is a copy of the one before it")
    if len(names) > len(_PRICES):
        one_price = rows.ints("high") == rows.ints("low")
        still = _equal(rows, list(_PRICES), 1) & one_price[1:] & traded & ~same
        apart = _equal(rows, list(_PRICES), _APART)
        chance = float((apart & one_price[_APART:] & traded[_APART - 1 :]).mean())
        yield from _report(rows, still, chance, "price stands still while volume goes on")


def _equal(rows: Rows, names: list[str], apart: int) -> Bools:
    """Return which rows equal, in all of ``names``, the row ``apart`` before them."""
    equal = np.ones(len(rows) - apart, dtype=bool)
    for name in names:
        values = rows.ints(name)
        equal &= values[apart:] == values[:-apart]
    return equal


def _report(rows: Rows, same: Bools, chance: float, reason: str) -> Iterator[Finding]:
    for first, count in runs(same):
        if same.size * max(chance, 1 / same.size) ** count < _CHANCE:
            value = f"close {rows.text('close', first)}, {count + 1} rows alike"
            yield rows.finding(
                NAME, "copied bars", Severity.ERROR, first + 1, value, reason, Mend.MASK, count
            )


def _unlikely(same: Bools) -> list[tuple[int, int]]:
    """Return runs that the rest of the series makes unlikely, each judged without itself."""
    found = runs(same)
    repeats = int(same.sum())
    kept = []
    for first, count in found:
        share = max(repeats - count, 0) / max(same.size - count, 1)
        if same.size * share**count < _CHANCE:
            kept.append((first, count))
    return kept


def _values(rows: Rows, name: str, values: np.ndarray, known: Bools) -> Iterator[Finding]:
    """Find the one run that stands out: daily values stand still for days, and runs cluster."""
    same = np.asarray((values[1:] == values[:-1]) & known[1:] & known[:-1], dtype=bool)
    start = int(known.argmax())
    leading = int((~same[start:]).argmax()) if (~same[start:]).any() else same.size - start
    if leading >= _LEADING and rows.kind == "series":
        yield rows.finding(
            NAME,
            "constant start",
            Severity.NOTE,
            start,
            f"{name} {values[start]:.6g}, {leading + 1} rows alike",
            "the series begins with one value: not yet measured, rather than measured",
            None,
            leading + 1,
        )
    same[start : start + leading] = False
    found = _unlikely(same)
    lengths = sorted((count for _, count in runs(same)), reverse=True)
    for first, count in found:
        longest = max(lengths[0] if count < lengths[0] else 0, *lengths[1:2], 0)
        elsewhere = int((known & (values == values[first])).sum()) - count - 1
        is_usual = elsewhere >= _USUAL * values.size
        if count >= _LEAST and count > 2 * longest and not is_usual:
            yield rows.finding(
                NAME,
                "value stands still",
                Severity.WARNING,
                first + 1,
                f"{name} {values[first]:.6g}, {count + 1} rows alike",
                f"no other run of this series is half as long (the next has {longest + 1} rows)",
                None,
                count,
            )
