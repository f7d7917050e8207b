"""The spread ten times as wide."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from crypto_quant.backtesting.stress.shocks import levels
from crypto_quant.backtesting.stress.shocks.book import first_cut, spread
from crypto_quant.backtesting.stress.tape import (
    MINUTE_NS,
    BarTape,
    SessionTape,
    Shock,
    tick_units,
)
from crypto_quant.runtime.segments import Span

TIMES: Final = 10


def _settings(tape: BarTape, span: Span) -> BarTape:
    return tape.set(
        {
            name: Decimal(tape.sim[name]) * TIMES
            for name in ("half_spread_bps", "slippage_floor_bps")
        }
    )


def _book(tape: SessionTape, span: Span) -> SessionTape:
    """Move bids down and asks up by what makes the spread of the start ten times as wide."""
    for index in tape.of("delta"):
        now = spread(first_cut(tape.streams["delta", index], span.start).standing())
        step = tick_units(tape.instruments[index], span.start)
        wider = (TIMES - 1) * now
        down = wider // (2 * step) * step
        tape = levels.shifted(tape, index, span, -down, wider - down)
    return tape


SPREAD: Final = Shock(
    key="spread_x10",
    label="Spread x 10",
    claim="Bars: half spread and least slippage of every fill times 10. Ticks: asks and bids move "
    "apart until the spread at the start is 10 times as wide; trades move with their side.",
    bars=_settings,
    ticks=_book,
    ticks_ns=5 * MINUTE_NS,
    from_first=frozenset({"bars"}),
)
