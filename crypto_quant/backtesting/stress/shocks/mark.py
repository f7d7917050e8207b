"""The mark price leaves the market: it stands still, or stands away from the last trade."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import numpy as np

from crypto_quant.backtesting.stress.shocks import levels
from crypto_quant.backtesting.stress.tape import (
    DAY_NS,
    HOUR_NS,
    MINUTE_NS,
    InapplicableError,
    Key,
    Shock,
    StressTape,
    scaled,
)
from crypto_quant.runtime.segments import Span
from crypto_quant.runtime.tape import Columns, Ints


def marks_of_bars(bars: Columns, interval_ns: int) -> Columns:
    """Return the marks that a line takes from bars where none are recorded.

    The mark is the open of the bar that begins, and at a bar's end its close. An open is known
    right after the decision at its moment, a close with its bar: so are they on the line.
    """
    begin, end = bars["ts_event"], bars["ts_event"] + interval_ns
    columns = {
        "ts_event": np.stack([begin, end - 1], axis=1).ravel(),
        "ts_recv": np.stack([begin + 1, np.maximum(bars["ts_recv"], begin + 1)], axis=1).ravel(),
        "mark": np.stack([bars["open"], bars["close"]], axis=1).ravel(),
    }
    columns["ts_recv"] = np.maximum.accumulate(columns["ts_recv"])
    return columns


def _marks(tape: StressTape, *, is_ticks: bool) -> dict[int, Columns]:
    found = {}
    for index in tape.contracts():
        if ("mark", index) in tape.streams:
            found[index] = tape.streams["mark", index]
        elif is_ticks:
            raise InapplicableError("no mark price is recorded on this tape")
        else:
            found[index] = marks_of_bars(tape.streams["bar", index], tape.interval_ns[index])
    return found


def _still(tape: StressTape, span: Span, *, is_ticks: bool) -> StressTape:
    out: dict[Key, Columns] = {}
    for index, marks in _marks(tape, is_ticks=is_ticks).items():
        before = marks["mark"][marks["ts_event"] < span.start]
        if not before.size:
            raise InapplicableError("no mark price is known before its start")
        last = int(before[-1])

        def change(rows: Columns, last: int = last) -> Columns:
            return {**rows, "mark": np.full_like(rows["mark"], last)}

        out["mark", index] = levels.within(marks, span, change)
    return tape.changed(out)


def _away(tape: StressTape, span: Span, factor: Decimal, *, is_ticks: bool) -> StressTape:
    def change(rows: Columns) -> Columns:
        moved: Ints = scaled(rows["mark"], factor, 1)
        return {**rows, "mark": moved}

    found = _marks(tape, is_ticks=is_ticks)
    out: dict[Key, Columns] = {
        ("mark", index): levels.within(marks, span, change) for index, marks in found.items()
    }
    return tape.changed(out)


INDEX_OUTAGE: Final = Shock(
    key="index_outage",
    label="Index outage",
    claim="The mark price stands still within the span; trades go on.",
    bars=lambda tape, span: _still(tape, span, is_ticks=False),
    ticks=lambda tape, span: _still(tape, span, is_ticks=True),
    bars_ns=12 * HOUR_NS,
    ticks_ns=5 * MINUTE_NS,
)


def divergence(key: str, label: str, size: Decimal) -> Shock:
    """Make the shock of a mark that stands away from the last price; trades are as recorded."""
    return Shock(
        key=key,
        label=label,
        claim=f"The mark price within the span is {size:+%} away from the recorded one; trades "
        "are as recorded.",
        bars=lambda tape, span: _away(tape, span, 1 + size, is_ticks=False),
        ticks=lambda tape, span: _away(tape, span, 1 + size, is_ticks=True),
        bars_ns=DAY_NS,
        ticks_ns=5 * MINUTE_NS,
    )
