"""Auto-deleveraging: the market moves to where our position wins, and the venue takes it.

The venue closes bankrupt positions against those that win most. A loser is never taken, so prices
move in favour of what is held of the contract; a hedge elsewhere is left alone and bare.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Final

import numpy as np

from crypto_quant.backtesting.stress.shocks.book import first_cut, middle
from crypto_quant.backtesting.stress.shocks.mark import NO_MARK, marking
from crypto_quant.backtesting.stress.shocks.price_gap import moved, moved_book
from crypto_quant.backtesting.stress.shocks.rows import cut, stamped
from crypto_quant.backtesting.stress.tape import (
    Apply,
    Changed,
    Deleverage,
    InapplicableError,
    Parts,
    Positions,
    S,
    SessionTape,
    Shock,
    StressTape,
)
from crypto_quant.runtime.segments import Span
from crypto_quant.runtime.tape import Columns

MOVE: Final = Decimal("0.10")


def _taken(move: Apply[S], legs: tuple[int, ...]) -> Apply[S]:
    """Take what is held of some legs, on bars or where none is named of each contract."""

    def apply(tape: StressTape[S], span: Span) -> StressTape[S]:
        contracts = tape.contracts()
        taken = [Deleverage(span.start, index, Decimal(1)) for index in legs or contracts]
        return replace(move(tape, span), deleverages=(*tape.deleverages, *taken))

    return apply


def _moved_with_mark(tape: SessionTape, span: Span, factor: Decimal) -> SessionTape:
    """Move the book, and see to it that a moved mark stands at the start: it is the price.

    Where none is recorded before the start, the middle of the moved book is stated as the first.
    """
    out = moved_book(tape, span, factor)
    for index in tape.contracts():
        first = next((cut(p, slice(0, 1)) for p in marking(tape, index) if len(p["mark"])), None)
        if first is None:
            raise InapplicableError(f"{NO_MARK}, and it takes at one")
        event, recv = int(first["ts_event"][0]), int(first["ts_recv"][0])
        if event >= span.start:
            book = first_cut(out.streams["delta", index], span.start + 1).standing()
            known = min(span.start + recv - event, recv)
            row = {**stamped(first, span.start, known), "mark": np.array([round(middle(book))])}
            out = out.changed({("mark", index): _preceded(row, out.streams["mark", index])})
    return out


def _preceded(row: Columns, parts: Parts) -> Changed:
    def go(parts: Parts) -> Iterator[Columns]:
        yield row
        yield from parts

    return Changed(parts, go)


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
