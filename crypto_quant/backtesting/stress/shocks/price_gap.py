"""A price gap: between two trades the market is somewhere else, beyond every stop."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import numpy as np

from crypto_quant.backtesting.stress.shocks import levels
from crypto_quant.backtesting.stress.shocks.book import first_cut, middle
from crypto_quant.backtesting.stress.shocks.mark import first_mark, marking
from crypto_quant.backtesting.stress.shocks.moments import standing
from crypto_quant.backtesting.stress.shocks.rows import stamped, within
from crypto_quant.backtesting.stress.tape import (
    PRICES,
    BarTape,
    Changed,
    Key,
    Parts,
    SessionTape,
    Shock,
    scaled,
    tick_units,
)
from crypto_quant.runtime.segments import Span
from crypto_quant.runtime.tape import Columns


def moved(tape: BarTape, span: Span, factor: Decimal) -> BarTape:
    """Multiply the prices of all bars, and recorded marks, within a span; to the tick."""
    out: dict[Key, Columns] = {}
    for kind, names in (("bar", PRICES), ("mark", ("mark",))):
        for index in tape.of(kind):
            step = tick_units(tape.instruments[index], span.start) if kind == "bar" else 1

            def change(rows: Columns, names: tuple[str, ...] = names, step: int = step) -> Columns:
                return {**rows, **{name: scaled(rows[name], factor, step) for name in names}}

            out[kind, index] = within(tape.streams[kind, index], span, change)
    return tape.changed(out)


def moved_book(tape: SessionTape, span: Span, factor: Decimal) -> SessionTape:
    """Move books, trades, quotes and marks by ``factor - 1`` of the middle at the start.

    One distance in whole ticks for all of an instrument: a factor would round two levels into one.
    Where no mark is recorded, trades mark the account (see ``marking``): these marks move then.
    """
    for index in tape.of("delta"):
        marks = marking(tape, index)
        before = first_cut(tape.streams["delta", index], span.start).standing()
        step = tick_units(tape.instruments[index], span.start)
        move = round(float(factor - 1) * middle(before) / step) * step
        tape = levels.shifted(tape, index, span, move, move)
        own = _moved_marks(marks, span, move, round(middle(before)) + move)
        tape = tape.changed({("mark", index): own})
    return tape


def _moved_marks(marks: Parts, span: Span, move: int, middle_then: int) -> Parts:
    """Move marks; where the first one comes later, the middle of the moved book is the first."""

    def shifted(rows: Columns) -> Columns:
        return {**rows, "mark": rows["mark"] + move}

    moved_ones, first = standing(marks, span, shifted), first_mark(marks)
    if first is None or (event := int(first["ts_event"][0])) < span.start:
        return moved_ones
    recv = int(first["ts_recv"][0])
    known = min(span.start + recv - event, recv)
    row = {**stamped(first, span.start, known), "mark": np.array([middle_then])}

    def preceded(parts: Parts) -> Iterator[Columns]:
        yield row
        yield from parts

    return Changed(moved_ones, preceded)


def price_gap(key: str, label: str, size: Decimal) -> Shock:
    """Make the shock of a gap by a fraction, for good."""
    return Shock(
        key=key,
        label=label,
        claim=f"Every price from the start on is {size:+%} away from the recorded one.",
        bars=lambda tape, span: moved(tape, span, 1 + size),
        ticks=lambda tape, span: moved_book(tape, span, 1 + size),
    )
