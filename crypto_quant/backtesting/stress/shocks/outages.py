"""Outages: the venue is down, or it trades on and we do not see it."""

from __future__ import annotations

from typing import Final

import numpy as np

from crypto_quant.backtesting.stress.shocks import levels
from crypto_quant.backtesting.stress.tape import (
    HOUR_NS,
    MINUTE_NS,
    InapplicableError,
    Key,
    Shock,
    StressTape,
)
from crypto_quant.runtime.segments import Span
from crypto_quant.runtime.tape import Columns

_MARKET: Final = ("bar", "delta", "trade", "quote", "mark", "gap")


def _of_first_venue(tape: StressTape) -> list[int]:
    """List the instruments of the venue that the first one trades on."""
    venue = tape.instruments[0].venue
    return [n for n, instrument in enumerate(tape.instruments) if instrument.venue == venue]


def _no_bars(tape: StressTape, span: Span) -> StressTape:
    out: dict[Key, Columns] = {}
    for index in _of_first_venue(tape):
        columns = tape.streams["bar", index]
        ends = columns["ts_event"] + tape.interval_ns[index]
        out["bar", index] = _without(
            columns, (ends > span.start) & (columns["ts_event"] < span.end)
        )
    return tape.changed(out)


def _no_ticks(tape: StressTape, span: Span) -> StressTape:
    """Leave out what happens within the span: a gap, then the whole book anew."""
    out: dict[Key, Columns] = {}
    for index in _of_first_venue(tape):
        deltas = tape.streams["delta", index]
        first = levels.first_frame(deltas, span.start)
        try:
            stop = levels.first_frame(deltas, span.end)
        except InapplicableError:
            stop = len(deltas["px"])
        parts = [levels.cut(deltas, slice(0, first))]
        if stop < len(deltas["px"]):
            back = int(deltas["ts_event"][stop]), int(deltas["ts_recv"][stop])
            parts.append(levels.snapshot(levels.standing(deltas, stop), *back))
            parts.append(levels.cut(deltas, slice(stop, None)))
        out["delta", index] = levels.joined(*({n: p[n] for n in parts[0]} for p in parts))
        for kind in ("trade", "quote", "mark"):
            if (kind, index) in tape.streams:
                rows = tape.streams[kind, index]
                at = rows["ts_event"]
                out[kind, index] = _without(rows, (at >= span.start) & (at < span.end))
        lost = int(deltas["ts_recv"][first])
        out["gap", index] = _with_gap(tape.streams.get(("gap", index)), span.start, lost)
    return tape.changed(out)


def _with_gap(gaps: Columns | None, event: int, known: int) -> Columns:
    new = {"ts_event": np.array([event]), "ts_recv": np.array([known])}
    if gaps is None:
        return new
    all_ = levels.joined(gaps, new)
    return levels.cut(all_, np.argsort(all_["ts_recv"], kind="stable"))


def _without(columns: Columns, bad: np.ndarray) -> Columns:
    return levels.cut(columns, np.flatnonzero(~bad))


def _blind(tape: StressTape, span: Span) -> StressTape:
    """Let what would become known within the span become known at its end."""
    out: dict[Key, Columns] = {}
    for index in _of_first_venue(tape):
        for kind in (kind for kind in _MARKET if (kind, index) in tape.streams):
            columns = tape.streams[kind, index]
            recv = columns["ts_recv"]
            late = (recv >= span.start) & (recv < span.end)
            out[kind, index] = {**columns, "ts_recv": np.where(late, span.end, recv)}
    return tape.changed(out)


VENUE_DOWN: Final = Shock(
    key="venue_down",
    label="Venue down",
    claim="Nothing is traded or quoted on the venue within the span and no order is filled; "
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
    bars=_blind,
    ticks=_blind,
    bars_ns=6 * HOUR_NS,
    ticks_ns=2 * MINUTE_NS,
)
