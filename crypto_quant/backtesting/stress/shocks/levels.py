"""Order books under a shock: from its start every level is another one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from crypto_quant.backtesting.stress.tape import InapplicableError, StressTape
from crypto_quant.data_pipeline.storage import flags
from crypto_quant.runtime.segments import Span
from crypto_quant.runtime.tape import Columns, Ints

Change = Callable[[Columns], Columns]
"""Changes rows of one kind."""

_BOOK: Final = ("ts_event", "ts_recv", "side", "px", "qty", "flags")


def first_frame(deltas: Columns, start: int) -> int:
    """Return the row at which the first whole frame from ``start`` on begins.

    Raises
    ------
    InapplicableError
        No frame does.
    """
    lived = np.maximum.accumulate(deltas["ts_event"])
    begins = np.concatenate(([True], deltas["flags"][:-1] & flags.LAST > 0))
    found = np.flatnonzero(begins & (lived >= start))
    if not found.size:
        raise InapplicableError("the book has no frame after its start")
    return int(found[0])


def standing(deltas: Columns, row: int) -> Columns:
    """Return the levels of the book before ``row``: ``side``, ``px``, ``qty``.

    Raises
    ------
    InapplicableError
        No snapshot came before.
    """
    is_snapshot = deltas["flags"][:row] & flags.SNAPSHOT > 0
    begins = np.flatnonzero(is_snapshot & ~np.concatenate(([False], is_snapshot[:-1])))
    if not begins.size:
        raise InapplicableError("no book is known at its start")
    side, px, qty = (deltas[name][int(begins[-1]) : row][::-1] for name in ("side", "px", "qty"))
    # Reversed, so that the first of equals is the newest.
    _, newest = np.unique(px * 2 + (side > 0), return_index=True)
    kept = newest[qty[newest] > 0]
    return {"side": side[kept], "px": px[kept], "qty": qty[kept]}


def middle(levels: Columns) -> float:
    """Return the middle of best bid and ask, in grid units."""
    bids, asks = levels["px"][levels["side"] > 0], levels["px"][levels["side"] < 0]
    if not bids.size or not asks.size:
        raise InapplicableError("the book has one side only at its start")
    return (int(bids.max()) + int(asks.min())) / 2


def spread(levels: Columns) -> int:
    """Return best ask less best bid, in grid units."""
    bids, asks = levels["px"][levels["side"] > 0], levels["px"][levels["side"] < 0]
    return int(asks.min() - bids.max())


def snapshot(levels: Columns, ts_event: int, ts_recv: int) -> Columns:
    """Return levels as the rows of a snapshot."""
    n = len(levels["px"])
    marks = np.full(n, flags.SNAPSHOT, dtype=np.uint32)
    marks[-1:] |= np.uint32(flags.LAST)
    return {
        "ts_event": np.full(n, ts_event, dtype=np.int64),
        "ts_recv": np.full(n, ts_recv, dtype=np.int64),
        **levels,
        "flags": marks,
    }


def joined(*parts: Columns) -> Columns:
    """Put rows of one kind one after another."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def cut(columns: Columns, chosen: Ints | slice) -> Columns:
    """Choose rows."""
    return {name: values[chosen] for name, values in columns.items()}


def changed_book(deltas: Columns, span: Span, change: Change) -> Columns:
    """Change every level from the span's start to its end.

    Where the change begins and ends the book is stated anew in full: an update names a level
    by its price, and that has become another.
    """
    first = first_frame(deltas, span.start)
    parts = [cut(deltas, slice(0, first)), _restated(deltas, first, change)]
    try:
        stop = first_frame(deltas, span.end)
    except InapplicableError:
        stop = len(deltas["px"])
    parts.append(_valid(change(cut(deltas, slice(first, stop)))))
    if stop < len(deltas["px"]):
        parts += [_restated(deltas, stop, lambda rows: rows), cut(deltas, slice(stop, None))]
    return joined(*({name: part[name] for name in _BOOK} for part in parts))


def _restated(deltas: Columns, row: int, change: Change) -> Columns:
    at = int(deltas["ts_event"][row]), int(deltas["ts_recv"][row])
    levels = _valid(change(standing(deltas, row)))
    return snapshot(levels, *at)


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


def shifted(tape: StressTape, index: int, span: Span, bid: int, ask: int) -> StressTape:
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
    tape: StressTape, index: int, span: Span, levels: Change, trades: Change, quotes: Change
) -> StressTape:
    """Change book, trades and quotes of an instrument within a span."""
    out = {("delta", index): changed_book(tape.streams["delta", index], span, levels)}
    for kind, change in (("trade", trades), ("quote", quotes)):
        if (kind, index) in tape.streams:
            out[kind, index] = within(tape.streams[kind, index], span, change)
    return tape.changed(out)


def within(columns: Columns, span: Span, change: Change) -> Columns:
    """Change the rows that happen in a span."""
    inside = np.flatnonzero((columns["ts_event"] >= span.start) & (columns["ts_event"] < span.end))
    new = change(cut(columns, inside))
    out = {name: values.copy() for name, values in columns.items()}
    for name in out:
        out[name][inside] = new[name]
    return out
