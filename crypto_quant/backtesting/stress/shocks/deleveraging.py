"""Auto-deleveraging: the market moves to where our position wins, and the venue takes it.

The venue closes bankrupt positions against those that win most. A loser is never taken, so prices
move in favour of what is held of the contract; a hedge elsewhere is left alone and bare.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Final

from crypto_quant.backtesting.stress.shocks.price_gap import moved, moved_book
from crypto_quant.backtesting.stress.tape import Apply, Deleverage, S, Shock, StressTape
from crypto_quant.runtime.segments import Span

MOVE: Final = Decimal("0.10")


def _taken(move: Apply[S]) -> Apply[S]:
    def apply(tape: StressTape[S], span: Span) -> StressTape[S]:
        taken = [Deleverage(span.start, index, Decimal(1)) for index in tape.contracts()]
        return replace(move(tape, span), deleverages=(*tape.deleverages, *taken))

    return apply


def _of_winner(side: str, verb: str, factor: Decimal) -> Shock:
    return Shock(
        key="deleveraging",
        label=f"ADL of the winning {side}",
        claim=f"Prices {verb} by {MOVE:.0%} for good and at that moment the venue takes the whole "
        f"{side} in the contract at the mark, free of charge.",
        bars=_taken(lambda tape, span: moved(tape, span, factor)),
        ticks=_taken(lambda tape, span: moved_book(tape, span, factor)),
        takes=True,
    )


DELEVERAGING: Final = replace(
    _of_winner("short", "fall", 1 - MOVE), for_long=_of_winner("long", "rise", 1 + MOVE)
)
