"""Auto-deleveraging: in a crash the venue takes the short that wins, and leaves its hedge alone."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Final

from crypto_quant.backtesting.stress.shocks.price_gap import moved, moved_book
from crypto_quant.backtesting.stress.tape import Apply, Deleverage, S, Shock, StressTape
from crypto_quant.runtime.segments import Span

FALL: Final = Decimal("-0.10")


def _taken(fall: Apply[S]) -> Apply[S]:
    def apply(tape: StressTape[S], span: Span) -> StressTape[S]:
        taken = [Deleverage(span.start, index, Decimal(1)) for index in tape.contracts()]
        return replace(fall(tape, span), deleverages=(*tape.deleverages, *taken))

    return apply


DELEVERAGING: Final = Shock(
    key="deleveraging",
    label="ADL of the winning leg",
    claim="Prices fall by 10 % for good and at that moment the venue takes the whole position in "
    "the contract at the mark, free of charge.",
    bars=_taken(lambda tape, span: moved(tape, span, 1 + FALL)),
    ticks=_taken(lambda tape, span: moved_book(tape, span, 1 + FALL)),
    takes=True,
)
