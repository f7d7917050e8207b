"""The mark price leaves the market: it stands still, or stands away from the last trade."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Final

import numpy as np

from crypto_quant.backtesting.stress.shocks.moments import standing
from crypto_quant.backtesting.stress.shocks.rows import Change, cut, within
from crypto_quant.backtesting.stress.tape import (
    DAY_NS,
    HOUR_NS,
    MINUTE_NS,
    BarTape,
    Changed,
    InapplicableError,
    Key,
    Parts,
    SessionTape,
    Shock,
    scaled,
)
from crypto_quant.data_pipeline.storage import flags
from crypto_quant.runtime.segments import Span
from crypto_quant.runtime.tape import Columns, Ints

NO_MARK: Final = "no mark price is recorded on this tape, and no trade that could stand for one"


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


def _of_bars(tape: BarTape) -> dict[int, Columns]:
    found = {}
    for index in tape.contracts():
        if ("mark", index) in tape.streams:
            found[index] = tape.streams["mark", index]
        else:
            found[index] = marks_of_bars(tape.streams["bar", index], tape.interval_ns[index])
    return found


def marking(tape: SessionTape, index: int) -> Parts:
    """Return what marks an instrument in a session: recorded marks, else its trades.

    A line that is given no marks marks with the last trade, those apart that a fund or a
    deleveraging made; so it does with these, and they can be changed as recorded ones are.
    """
    recorded = tape.streams.get(("mark", index))
    trades = tape.streams.get(("trade", index), ())
    return Changed(trades, _of_trades) if recorded is None else recorded


def _of_trades(trades: Parts) -> Iterator[Columns]:
    for rows in trades:
        made = np.flatnonzero(rows["flags"] & flags.NOT_MARKET == 0)
        yield {
            "ts_event": rows["ts_event"][made],
            "ts_recv": rows["ts_recv"][made],
            "mark": rows["px"][made],
        }


def first_mark(marks: Parts) -> Columns | None:
    """Return the first row of marks, if there is one."""
    return next((cut(part, slice(0, 1)) for part in marks if len(part["mark"])), None)


def _of_ticks(tape: SessionTape) -> dict[int, Parts]:
    found = {index: marking(tape, index) for index in tape.contracts()}
    for index, parts in found.items():
        if first_mark(parts) is None:
            raise InapplicableError(f"{NO_MARK} of {tape.instruments[index].id}")
    return found


def _still(marks: Parts, start: int) -> Change:
    """Return what keeps the last mark from before the start, for which they are all read."""
    last = None
    for part in marks:
        before = part["mark"][part["ts_event"] < start]
        last = int(before[-1]) if before.size else last
    if last is None:
        raise InapplicableError("no mark price is known before its start")
    kept = last

    def change(rows: Columns) -> Columns:
        return {**rows, "mark": np.full_like(rows["mark"], kept)}

    return change


def _away(factor: Decimal) -> Change:
    def change(rows: Columns) -> Columns:
        moved: Ints = scaled(rows["mark"], factor, 1)
        return {**rows, "mark": moved}

    return change


def _on_bars(tape: BarTape, span: Span, made: Callable[[Parts], Change]) -> BarTape:
    out: dict[Key, Columns] = {
        ("mark", index): within(marks, span, made([marks]))
        for index, marks in _of_bars(tape).items()
    }
    return tape.changed(out)


def _on_ticks(tape: SessionTape, span: Span, made: Callable[[Parts], Change]) -> SessionTape:
    out: dict[Key, Parts] = {
        ("mark", index): standing(marks, span, made(marks))
        for index, marks in _of_ticks(tape).items()
    }
    return tape.changed(out)


INDEX_OUTAGE: Final = Shock(
    key="index_outage",
    label="Index outage",
    claim="The mark price stands still within the span; trades go on.",
    bars=lambda tape, span: _on_bars(tape, span, lambda marks: _still(marks, span.start)),
    ticks=lambda tape, span: _on_ticks(tape, span, lambda marks: _still(marks, span.start)),
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
        bars=lambda tape, span: _on_bars(tape, span, lambda _: _away(1 + size)),
        ticks=lambda tape, span: _on_ticks(tape, span, lambda _: _away(1 + size)),
        bars_ns=DAY_NS,
        ticks_ns=5 * MINUTE_NS,
    )
