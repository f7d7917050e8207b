"""Order books under a shock: from its start every level is another one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from crypto_quant.backtesting.stress.shocks.book import Cut, pieces
from crypto_quant.backtesting.stress.shocks.moments import inside, standing, trades_of
from crypto_quant.backtesting.stress.shocks.rows import Change, cut, gaps_of
from crypto_quant.backtesting.stress.tape import Changed, Key, Parts, SessionTape
from crypto_quant.runtime.segments import Span
from crypto_quant.runtime.tape import Columns, Ints

_BOOK: Final = ("ts_event", "ts_recv", "side", "px", "qty", "flags")


def changed_book(deltas: Parts, span: Span, change: Change, gaps: Ints) -> Changed:
    """Change every level from the span's start to its end.

    There the book is stated anew in full, at those very moments: the one that stood has become
    another, and an update names a level by its price. A book that is lost (see ``pieces``) is not.
    """

    def shocked(rows: Columns) -> Columns:
        return _valid(change(rows))

    def go(parts: Parts) -> Iterator[Columns]:
        cuts = 0
        for piece in pieces(parts, (span.start, span.end), gaps):
            cuts += isinstance(piece, Cut)
            now = shocked if cuts == 1 else _as_it_is
            for rows in piece.anew(now) if isinstance(piece, Cut) else (now(piece),):
                yield {name: rows[name] for name in _BOOK}

    return Changed(deltas, go)


def _as_it_is(rows: Columns) -> Columns:
    return rows


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
    gaps = gaps_of(tape, index)
    out: dict[Key, Parts] = {
        ("delta", index): changed_book(tape.streams["delta", index], span, levels, gaps)
    }
    if (trade := ("trade", index)) in tape.streams:
        out[trade] = inside(tape.streams[trade], trades_of(span), trades)
    if (quote := ("quote", index)) in tape.streams:
        out[quote] = standing(tape.streams[quote], span, quotes, gaps)
    return tape.changed(out)
