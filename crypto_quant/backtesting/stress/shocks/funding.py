"""Funding at its cap: one side pays the most that the venue lets it, settlement by settlement."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

import numpy as np

from crypto_quant.backtesting.stress.shocks.rows import Change, each, within
from crypto_quant.backtesting.stress.tape import (
    DAY_NS,
    BarTape,
    InapplicableError,
    Key,
    Parts,
    SessionTape,
    Shock,
)
from crypto_quant.core.instruments import Instrument
from crypto_quant.runtime.segments import Span
from crypto_quant.runtime.tape import Columns, Ints

SHARE: Final = Decimal("0.75")
"""Of the lowest bracket's maintenance rate: Binance, texts of 2023-08 and of 2025-05-02."""


def cap(instrument: Instrument, ts: int) -> Decimal:
    """Return the largest rate of one settlement, a fraction.

    Raises
    ------
    InapplicableError
        The instrument has no sourced margin brackets, from which it follows.
    """
    if instrument.margin_brackets is None:
        raise InapplicableError(
            f"{instrument.id} has no sourced margin brackets, which the cap needs"
        )
    return SHARE * instrument.margin_brackets.at(ts)[0][0].mmr


def _capped(instrument: Instrument, rate_exp: int, span: Span, sign: int) -> Change:
    rate = int(sign * cap(instrument, span.start).scaleb(rate_exp))

    def change(rows: Columns) -> Columns:
        return {**rows, "rate": np.full_like(rows["rate"], rate)}

    return lambda rows: within(rows, span, change)


def _on_bars(tape: BarTape, span: Span, sign: int) -> BarTape:
    out: dict[Key, Columns] = {}
    for index in tape.of("funding"):
        change = _capped(tape.instruments[index], tape.rate_exp, span, sign)
        out["funding", index] = change(tape.streams["funding", index])
    if not out:
        raise InapplicableError("nothing on this tape settles funding")
    return tape.changed(out)


def _times(parts: Parts) -> Iterator[Ints]:
    return (part["ts_event"] for part in parts)


def _on_ticks(tape: SessionTape, span: Span, sign: int) -> SessionTape:
    out: dict[Key, Parts] = {}
    for index in tape.of("funding"):
        parts = tape.streams["funding", index]
        if any(((ts >= span.start) & (ts < span.end)).any() for ts in _times(parts)):
            change = _capped(tape.instruments[index], tape.rate_exp, span, sign)
            out["funding", index] = each(parts, change)
    if not out:
        raise InapplicableError("no funding is settled in this session")
    return tape.changed(out)


def capped(key: str, label: str, sign: int) -> Shock:
    """Make the shock of funding at its cap (``sign`` 1: longs pay) for three days."""
    payer = "longs" if sign > 0 else "shorts"
    return Shock(
        key=key,
        label=label,
        claim=f"Each settlement of three days (ticks: of the session) is at the cap, 0.75 of the "
        f"lowest maintenance rate, and {payer} pay; settlements come as often as recorded.",
        bars=lambda tape, span: _on_bars(tape, span, sign),
        ticks=lambda tape, span: _on_ticks(tape, span, sign),
        bars_ns=3 * DAY_NS,
        from_first=frozenset({"ticks"}),
    )
