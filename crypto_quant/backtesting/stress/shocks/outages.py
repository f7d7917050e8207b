"""Outages: the venue is down, or it trades on and we do not see it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np

from crypto_quant.backtesting.stress.shocks.book import Cut, first_cut, pieces
from crypto_quant.backtesting.stress.shocks.moments import NO_GAPS, inside, standing
from crypto_quant.backtesting.stress.shocks.rows import cut, each, gaps_of, joined
from crypto_quant.backtesting.stress.tape import (
    HOUR_NS,
    LATENCIES,
    MINUTE_NS,
    BarTape,
    Changed,
    Key,
    Parts,
    S,
    SessionTape,
    Shock,
    StressTape,
    Trip,
)
from crypto_quant.runtime.segments import Span
from crypto_quant.runtime.tape import Columns, Ints

_MARKET: Final = ("bar", "delta", "trade", "quote", "mark", "gap")


def _of_first_venue(tape: StressTape[S]) -> list[int]:
    """List the instruments of the venue that the first one trades on."""
    venue = tape.instruments[0].venue
    return [n for n, instrument in enumerate(tape.instruments) if instrument.venue == venue]


def _no_bars(tape: BarTape, span: Span) -> BarTape:
    out: dict[Key, Columns] = {}
    for index in _of_first_venue(tape):
        columns = tape.streams["bar", index]
        ends = columns["ts_event"] + tape.interval_ns[index]
        out["bar", index] = _without(
            columns, (ends > span.start) & (columns["ts_event"] < span.end)
        )
    return tape.changed(out)


def _no_ticks(tape: SessionTape, span: Span) -> SessionTape:
    """Leave out what happens within the span, and let in nothing: a gap, then the whole market.

    What rests stays where it was, without a place in its queue, and meets the first book.
    """
    out: dict[Key, Parts] = {}
    for index in _of_first_venue(tape):
        deltas, gaps = tape.streams["delta", index], gaps_of(tape, index)
        lost = first_cut(deltas, span.start).ts_recv
        out["delta", index] = _no_book(deltas, span, gaps)
        if (trade := ("trade", index)) in tape.streams:
            # One at the very end met a book that was not there yet.
            out[trade] = inside(tape.streams[trade], Span(span.start, span.end + 1), _none)
        for kind, ends in (("quote", gaps), ("mark", NO_GAPS)):
            if (kind, index) in tape.streams:
                out[kind, index] = standing(tape.streams[kind, index], span, _none, ends)
        out["gap", index] = [_with_gap(tape.streams.get(("gap", index), ()), span.start, lost)]
    return replace(tape.changed(out), trips=_no_way_in(tape, span))


def _no_way_in(tape: SessionTape, span: Span) -> tuple[Trip, ...]:
    """Let what would arrive within the span arrive when the venue is up again.

    Its gateway takes nothing while it is down, so a client sends again until something gets
    through: at best that is sent at the span's end, and everything before it arrives with it.
    """
    entry, response = (int(tape.sim[name]) for name in LATENCIES)
    up = span.end + entry
    # The first row keeps the usual way for all that arrives in time.
    ways = (span.start - 1 - entry, span.start - 1), (span.start - entry, up), (span.end, up)
    return tuple(Trip(sent, venue, venue + response) for sent, venue in ways)


def _no_book(deltas: Parts, span: Span, gaps: Ints) -> Changed:
    def go(parts: Parts) -> Iterator[Columns]:
        cuts = 0
        for piece in pieces(parts, (span.start, span.end), gaps):
            cuts += isinstance(piece, Cut)
            if cuts != 1:
                yield from piece.anew(lambda rows: rows) if isinstance(piece, Cut) else (piece,)

    return Changed(deltas, go)


def _none(rows: Columns) -> Columns:
    return cut(rows, slice(0, 0))


def _with_gap(gaps: Parts, event: int, known: int) -> Columns:
    new: Columns = {"ts_event": np.array([event]), "ts_recv": np.array([known])}
    names = tuple(new)
    all_ = joined(*({name: part[name] for name in names} for part in gaps), new)
    return cut(all_, np.argsort(all_["ts_recv"], kind="stable"))


def _without(columns: Columns, bad: np.ndarray) -> Columns:
    return cut(columns, np.flatnonzero(~bad))


def _hidden(rows: Columns, span: Span) -> Columns:
    """Let what would become known within the span become known at its end."""
    recv = rows["ts_recv"]
    late = (recv >= span.start) & (recv < span.end)
    return {**rows, "ts_recv": np.where(late, span.end, recv)}


def _market(tape: StressTape[S]) -> Iterator[tuple[Key, S]]:
    for index in _of_first_venue(tape):
        for kind in _MARKET:
            if (kind, index) in tape.streams:
                yield (kind, index), tape.streams[kind, index]


def _blind_bars(tape: BarTape, span: Span) -> BarTape:
    return tape.changed({key: _hidden(rows, span) for key, rows in _market(tape)})


def _blind_ticks(tape: SessionTape, span: Span) -> SessionTape:
    hidden = {key: each(parts, lambda rows: _hidden(rows, span)) for key, parts in _market(tape)}
    return tape.changed(hidden)


VENUE_DOWN: Final = Shock(
    key="venue_down",
    label="Venue down",
    claim="Nothing is traded or quoted on the venue within the span and no order is filled; "
    "what is sent to it reaches it when it is up again, what rests meets the market of then; "
    "funding is settled as recorded.",
    bars=_no_bars,
    ticks=_no_ticks,
    bars_ns=6 * HOUR_NS,
    ticks_ns=2 * MINUTE_NS,
)
DATA_GAP: Final = Shock(
    key="data_gap",
    label="Data gap",
    claim="The venue trades on, but nothing that would become known within the span is known "
    "before its end.",
    bars=_blind_bars,
    ticks=_blind_ticks,
    bars_ns=6 * HOUR_NS,
    ticks_ns=2 * MINUTE_NS,
)
