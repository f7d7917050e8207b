"""Order books under a shock: from its start every level is another one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from crypto_quant.backtesting.stress.shocks.book import Cut, pieces, snapshot
from crypto_quant.backtesting.stress.shocks.rows import Change, cut, inside
from crypto_quant.backtesting.stress.tape import Changed, Key, Parts, SessionTape
from crypto_quant.runtime.segments import Span
from crypto_quant.runtime.tape import Columns

_BOOK: Final = ("ts_event", "ts_recv", "side", "px", "qty", "flags")


def changed_book(deltas: Parts, span: Span, change: Change) -> Changed:
    """Change every level from the span's start to its end.

    Where the change begins and ends the book is stated anew in full: an update names a level
    by its price, and that has become another.
    """

    def go(parts: Parts) -> Iterator[Columns]:
        cuts = 0
        for piece in pieces(parts, span.start, span.end):
            is_cut = isinstance(piece, Cut)
            cuts += is_cut
            rows = piece.standing() if isinstance(piece, Cut) else piece
            rows = _valid(change(rows)) if cuts == 1 else rows
            if isinstance(piece, Cut):
                rows = snapshot(rows, piece.ts_event, piece.ts_recv)
            yield {name: rows[name] for name in _BOOK}

    return Changed(deltas, go)


def _valid(rows: Columns) -> Columns:
    """Leave out levels whose price is none any more; the frame's last row stays the last."""
    bad = rows["px"] <= 0
    if not bad.any():
        return rows
    if "flags" in rows:
        # Deleting a level that is not there does nothing, and keeps the end of the frame.
        out = dict(rows)
        out["px"] = np.where(bad, 1, rows["px"])
        out["qty"] = np.where(bad, 0, rows["qty"])
        return out
    return cut(rows, np.flatnonzero(~bad))


def shifted(tape: SessionTape, index: int, span: Span, bid: int, ask: int) -> SessionTape:
    """Move bids and asks of an instrument by grid units; trades and quotes move with them."""

    def levels(rows: Columns) -> Columns:
        move = np.where(rows["side"] > 0, bid, ask)
        return {**rows, "px": rows["px"] + move}

    def trades(rows: Columns) -> Columns:
        move = np.where(rows["side"] > 0, ask, bid)  # the aggressor's side
        return {**rows, "px": np.maximum(rows["px"] + move, 1)}

    def quotes(rows: Columns) -> Columns:
        low, high = np.maximum(rows["bid"] + bid, 1), np.maximum(rows["ask"] + ask, 1)
        return {**rows, "bid": low, "ask": high}

    return changed(tape, index, span, levels, trades, quotes)


def changed(
    tape: SessionTape, index: int, span: Span, levels: Change, trades: Change, quotes: Change
) -> SessionTape:
    """Change book, trades and quotes of an instrument within a span; its book is known there."""
    out: dict[Key, Parts] = {
        ("delta", index): changed_book(tape.streams["delta", index], span, levels)
    }
    for kind, change in (("trade", trades), ("quote", quotes)):
        if (kind, index) in tape.streams:
            out[kind, index] = inside(tape.streams[kind, index], span, change)
    return tape.changed(out)
