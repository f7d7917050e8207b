"""A tenth of the depth, and of the trade that it served."""

from __future__ import annotations

from typing import Final

import numpy as np

from crypto_quant.backtesting.stress.shocks import levels
from crypto_quant.backtesting.stress.shocks.book import first_cut
from crypto_quant.backtesting.stress.shocks.rows import within
from crypto_quant.backtesting.stress.tape import (
    DAY_NS,
    MINUTE_NS,
    BarTape,
    Key,
    SessionTape,
    Shock,
)
from crypto_quant.runtime.segments import Span
from crypto_quant.runtime.tape import Columns, Ints

PART: Final = 10


def _volume(tape: BarTape, span: Span) -> BarTape:
    def change(rows: Columns) -> Columns:
        out = {**rows, "volume": rows["volume"] // PART}
        if "taker_buy" in rows:  # negative: not recorded
            bought = rows["taker_buy"]
            out["taker_buy"] = np.where(bought < 0, bought, bought // PART)
        return out

    out: dict[Key, Columns] = {
        ("bar", index): within(tape.streams["bar", index], span, change) for index in tape.of("bar")
    }
    return tape.changed(out)


def _book(tape: SessionTape, span: Span) -> SessionTape:
    """Divide every quantity; what was there stays there with at least one unit."""

    def part(quantity: Ints) -> Ints:
        return np.where(quantity > 0, np.maximum(quantity // PART, 1), quantity)

    def quantities(rows: Columns) -> Columns:
        return {**rows, "qty": part(rows["qty"])}

    def quotes(rows: Columns) -> Columns:
        return {**rows, "bid_qty": part(rows["bid_qty"]), "ask_qty": part(rows["ask_qty"])}

    for index in tape.of("delta"):
        first_cut(tape.streams["delta", index], span.start).standing()  # there is a book to thin
        tape = levels.changed(tape, index, span, quantities, quantities, quotes)
    return tape


DEPTH: Final = Shock(
    key="depth_tenth",
    label="Depth / 10",
    claim="Bars: a tenth of the volume, so fills take ten times as long and their impact grows. "
    "Ticks: a tenth of every level and of every trade.",
    bars=_volume,
    ticks=_book,
    bars_ns=3 * DAY_NS,
    ticks_ns=5 * MINUTE_NS,
)
