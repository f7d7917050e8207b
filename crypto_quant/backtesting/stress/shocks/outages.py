"""Outages: the venue is down, or it trades on and we do not see it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

import numpy as np

from crypto_quant.backtesting.stress.shocks.book import Cut, first_cut, pieces
from crypto_quant.backtesting.stress.shocks.moments import NO_GAPS, inside, standing
from crypto_quant.backtesting.stress.shocks.rows import cut, each, gaps_of, joined
from crypto_quant.backtesting.stress.tape import (
    HOUR_NS,
    MINUTE_NS,
    BarTape,
    Changed,
    Key,
    Parts,
    Positions,
    S,
    SessionTape,
    Shock,
    StressTape,
    Trip,
    Way,
)
from crypto_quant.core.instruments import venue_of
from crypto_quant.runtime.segments import Span
from crypto_quant.runtime.tape import Columns, Ints

_MARKET: Final = ("bar", "delta", "trade", "quote", "mark", "gap")


def _venue(tape: StressTape[S], named: str) -> str:
    """Return the venue that fails: the named one, else that of the first instrument."""
    return named or venue_of(tape.instruments[0].id)


def _listed(tape: StressTape[S], named: str) -> list[int]:
    """List the instruments that trade on the venue that fails."""
    venue, all_ = _venue(tape, named), enumerate(tape.instruments)
    return [n for n, instrument in all_ if venue_of(instrument.id) == venue]


def _no_bars(tape: BarTape, span: Span, venue: str) -> BarTape:
    out: dict[Key, Columns] = {}
    for index in _listed(tape, venue):
        columns = tape.streams["bar", index]
        ends = columns["ts_event"] + tape.interval_ns[index]
        out["bar", index] = _without(
            columns, (ends > span.start) & (columns["ts_event"] < span.end)
        )
    return tape.changed(out)


def _no_ticks(tape: SessionTape, span: Span, named: str) -> SessionTape:
    """Leave out what happens within the span, and let in nothing: a gap, then the whole market.

    What rests stays where it was, without a place in its queue, and meets the first book.
    """
    out: dict[Key, Parts] = {}
    for index in _listed(tape, named):
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
    venue = _venue(tape, named)
    return tape.changed(out).travelled({venue: _no_way_in(tape.ways[venue], span)})


def _no_way_in(way: Way, span: Span) -> Way:
    """Let what would arrive within the span arrive when the venue is up again.

    Its gateway takes nothing while it is down, so a client sends again until something gets
    through: at best that is sent at the span's end, and everything before it arrives with it.
    """
    entry, up = way.entry, span.end + way.entry
    # The first row keeps the usual way for all that arrives in time.
    ways = (span.start - 1 - entry, span.start - 1), (span.start - entry, up), (span.end, up)
    trips = tuple(Trip(sent, venue, venue + way.response) for sent, venue in ways)
    return way._replace(trips=trips)


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


def _market(tape: StressTape[S], venue: str) -> Iterator[tuple[Key, S]]:
    for index in _listed(tape, venue):
        for kind in _MARKET:
            if (kind, index) in tape.streams:
                yield (kind, index), tape.streams[kind, index]


def _blind_bars(tape: BarTape, span: Span, venue: str) -> BarTape:
    return tape.changed({key: _hidden(rows, span) for key, rows in _market(tape, venue)})


def _blind_ticks(tape: SessionTape, span: Span, venue: str) -> SessionTape:
    def hidden(parts: Parts) -> Changed:
        return each(parts, lambda rows: _hidden(rows, span))

    return tape.changed({key: hidden(parts) for key, parts in _market(tape, venue)})


def _down(venue: str, why: str) -> Shock:
    claim = (
        f"Nothing is traded or quoted on {venue or 'the venue'} within the span and no order is "
        "filled; what is sent to it reaches it when it is up again, what rests meets the market of "
        f"then; funding is settled as recorded.{why}"
    )
    return _outage("venue_down", "Venue down", venue, claim, _no_bars, _no_ticks)


def _blind(venue: str, why: str) -> Shock:
    claim = (
        f"{venue or 'The venue'} trades on, but nothing of it that would become known within the "
        f"span is known before its end.{why}"
    )
    return _outage("data_gap", "Data gap", venue, claim, _blind_bars, _blind_ticks)


def _outage(
    key: str,
    label: str,
    venue: str,
    claim: str,
    bars: Callable[[BarTape, Span, str], BarTape],
    ticks: Callable[[SessionTape, Span, str], SessionTape],
) -> Shock:
    return Shock(
        key=key,
        label=f"{label}: {venue}" if venue else label,
        claim=claim,
        bars=lambda tape, span: bars(tape, span, venue),
        ticks=lambda tape, span: ticks(tape, span, venue),
        bars_ns=6 * HOUR_NS,
        ticks_ns=2 * MINUTE_NS,
    )


def _where_most_is_held(made: Callable[[str, str], Shock]) -> Shock:
    """Let one venue fail: that of the first instrument, or of what is held where most of it is."""

    def aimed(held: Positions) -> Shock:
        over = dict.fromkeys((one.venue for one in held), 0.0)
        for one in held:
            over[one.venue] += abs(one.over)
        why = " Of the run's venues it is the one where most was held." if len(over) > 1 else ""
        return made(max(over, key=lambda venue: over[venue]), why)

    return replace(made("", ""), aimed=aimed)


VENUE_DOWN: Final = _where_most_is_held(_down)
DATA_GAP: Final = _where_most_is_held(_blind)
