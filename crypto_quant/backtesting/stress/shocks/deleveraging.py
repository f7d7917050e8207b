"""Auto-deleveraging: the market moves to where our position wins, and the venue takes it.

The venue closes bankrupt positions against those that win most. A loser is never taken, so prices
move in favour of what is held of the contract; a hedge elsewhere is left alone and bare.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Final

from crypto_quant.backtesting.stress.shocks.mark import NO_MARK, first_mark, marking
from crypto_quant.backtesting.stress.shocks.price_gap import moved, moved_book
from crypto_quant.backtesting.stress.tape import (
    Apply,
    Deleverage,
    InapplicableError,
    Positions,
    S,
    SessionTape,
    Shock,
    StressTape,
)
from crypto_quant.runtime.segments import Span

MOVE: Final = Decimal("0.10")


def _taken(move: Apply[S], legs: tuple[int, ...]) -> Apply[S]:
    """Take what is held of some legs, on bars or where none is named of each contract."""

    def apply(tape: StressTape[S], span: Span) -> StressTape[S]:
        contracts = tape.contracts()
        taken = [Deleverage(span.start, index, Decimal(1)) for index in legs or contracts]
        return replace(move(tape, span), deleverages=(*tape.deleverages, *taken))

    return apply


def _moved_with_mark(tape: SessionTape, span: Span, factor: Decimal) -> SessionTape:
    """Move the book and the marks; one is needed, as it is the price."""
    for index in tape.contracts():
        if first_mark(marking(tape, index)) is None:
            raise InapplicableError(f"{NO_MARK}, and it takes at one")
    return moved_book(tape, span, factor)


def _of_winner(winners: Positions, is_long: bool) -> Shock:
    side, verb, factor = ("long", "rise", 1 + MOVE) if is_long else ("short", "fall", 1 - MOVE)
    books = " and ".join(one.book for one in winners if one.book)
    legs = tuple(one.at for one in winners)
    return Shock(
        key="deleveraging",
        label=f"ADL of the winning {side}" + (f": {books}" if books else ""),
        claim=f"Prices {verb} by {MOVE:.0%} for good and at that moment the venue takes the whole "
        f"{side} in the contract at the mark, free of charge"
        + (f": that of {books}; every other position stays." if books else "."),
        bars=_taken(lambda tape, span: moved(tape, span, factor), legs),
        ticks=_taken(lambda tape, span: _moved_with_mark(tape, span, factor), legs),
        takes=True,
    )


def _aimed(held: Positions) -> Shock:
    contracts = [one for one in held if one.is_contract]
    is_long = sum(one.over for one in contracts) > 0
    won = (one for one in contracts if one.over and (one.over > 0) == is_long)
    return _of_winner(tuple(won), is_long)


DELEVERAGING: Final = replace(_of_winner((), is_long=False), aimed=_aimed)
