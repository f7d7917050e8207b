"""The quote asset leaves its peg: prices in it move the other way."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Final

from crypto_quant.backtesting.stress.shocks.price_gap import moved, moved_book
from crypto_quant.backtesting.stress.tape import (
    DAY_NS,
    InapplicableError,
    S,
    Shock,
    StressTape,
    Worth,
)
from crypto_quant.runtime.segments import Span

DOLLAR: Final = "USD"


def depeg(key: str, label: str, size: Decimal) -> Shock:
    """Make the shock of a quote asset worth ``1 + size`` dollars.

    What trades in it keeps its worth in dollars, so its price is divided by that.
    """
    factor = 1 / (1 + size)

    def worth(tape: StressTape[S], span: Span) -> StressTape[S]:
        if any(one.quote == DOLLAR for one in tape.instruments):
            raise InapplicableError("prices are in dollars")
        return replace(tape, worth=(*tape.worth, Worth(span, float(1 + size))))

    return Shock(
        key=key,
        label=label,
        claim=f"The quote asset is worth {1 + size} dollars within the span: every price in it is "
        f"divided by that, and results are counted in dollars.",
        bars=lambda tape, span: worth(moved(tape, span, factor), span),
        ticks=lambda tape, span: worth(moved_book(tape, span, factor), span),
        bars_ns=3 * DAY_NS,
        ticks_ns=0,
    )
