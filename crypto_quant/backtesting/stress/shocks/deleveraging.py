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
from crypto_quant.backtesting.stress.shocks.price_gap import moved, moved_book
from crypto_quant.backtesting.stress.shocks.rows import cut, stamped
from crypto_quant.backtesting.stress.tape import (
    Apply,
    Changed,
    Deleverage,
    InapplicableError,
    Parts,
    S,
    SessionTape,
    Shock,
    StressTape,
)
from crypto_quant.runtime.segments import Span
from crypto_quant.runtime.tape import Columns

MOVE: Final = Decimal("0.10")


def _taken(move: Apply[S]) -> Apply[S]:
    def apply(tape: StressTape[S], span: Span) -> StressTape[S]:
        taken = [Deleverage(span.start, index, Decimal(1)) for index in tape.contracts()]
        return replace(move(tape, span), deleverages=(*tape.deleverages, *taken))

    return apply


def _moved_with_mark(tape: SessionTape, span: Span, factor: Decimal) -> SessionTape:
    """Move the book, and see to it that a moved mark stands at the start: it is the price.

    Where none is recorded before the start, the middle of the moved book is stated as the first.
    """
    out = moved_book(tape, span, factor)
    for index in tape.contracts():
        marks = tape.streams.get(("mark", index), ())
        first = next((cut(part, slice(0, 1)) for part in marks if len(part["mark"])), None)
        if first is None:
            raise InapplicableError("no mark price is recorded on this tape, and it takes at one")
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


def _of_winner(side: str, verb: str, factor: Decimal) -> Shock:
    return Shock(
        key="deleveraging",
        label=f"ADL of the winning {side}",
        claim=f"Prices {verb} by {MOVE:.0%} for good and at that moment the venue takes the whole "
        f"{side} in the contract at the mark, free of charge.",
        bars=_taken(lambda tape, span: moved(tape, span, factor)),
        ticks=_taken(lambda tape, span: _moved_with_mark(tape, span, factor)),
        takes=True,
    )


DELEVERAGING: Final = replace(
    _of_winner("short", "fall", 1 - MOVE), for_long=_of_winner("long", "rise", 1 + MOVE)
)
