"""Funding at its cap: one side pays the most that the venue lets it, settlement by settlement."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import numpy as np

from crypto_quant.backtesting.stress.shocks.rows import within
from crypto_quant.backtesting.stress.tape import DAY_NS, BarTape, InapplicableError, Key, Shock
from crypto_quant.core.instruments import Instrument
from crypto_quant.runtime.segments import Span
from crypto_quant.runtime.tape import Columns

SHARE: Final = Decimal("0.75")
"""Of the lowest bracket's maintenance rate: Binance, texts of 2023-08 and of 2025-05-02."""

_NO_TIME: Final = "a session of minutes settles no funding for three days"


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


def _capped(tape: BarTape, span: Span, sign: int) -> BarTape:
    out: dict[Key, Columns] = {}
    for index in tape.of("funding"):
        rate = sign * cap(tape.instruments[index], span.start).scaleb(tape.rate_exp)

        def change(rows: Columns, rate: int = int(rate)) -> Columns:
            return {**rows, "rate": np.full_like(rows["rate"], rate)}

        out["funding", index] = within(tape.streams["funding", index], span, change)
    if not out:
        raise InapplicableError("nothing on this tape settles funding")
    return tape.changed(out)


def capped(key: str, label: str, sign: int) -> Shock:
    """Make the shock of funding at its cap (``sign`` 1: longs pay) for three days."""
    payer = "longs" if sign > 0 else "shorts"
    return Shock(
        key=key,
        label=label,
        claim=f"Each settlement of three days is at the cap, 0.75 of the lowest maintenance rate, "
        f"and {payer} pay; settlements come as often as recorded.",
        bars=lambda tape, span: _capped(tape, span, sign),
        ticks=_NO_TIME,
        bars_ns=3 * DAY_NS,
    )
