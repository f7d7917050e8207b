"""Fifty times the latency, of orders and of the feed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from crypto_quant.backtesting.stress.shocks.rows import Reach
from crypto_quant.backtesting.stress.tape import Changed, Key, Parts, SessionTape, Shock, Way
from crypto_quant.runtime.segments import Span
from crypto_quant.runtime.tape import Columns, Ints

TIMES: Final = 50


def _slow(tape: SessionTape, span: Span) -> SessionTape:
    def stamps(rows: Columns) -> Ints:
        event, recv = rows["ts_event"], rows["ts_recv"]
        return np.where(event >= span.start, event + TIMES * (recv - event), recv)

    def slower(parts: Parts) -> Iterator[Columns]:
        reach = Reach()
        for part in parts:
            # What is sent later is not known earlier: a feed keeps its order.
            yield {**part, "ts_recv": reach.take(stamps(part))}

    out: dict[Key, Parts] = {key: Changed(parts, slower) for key, parts in tape.streams.items()}
    ways = {venue: Way(w.entry * TIMES, w.response * TIMES) for venue, w in tape.ways.items()}
    return tape.changed(out).travelled(ways)


LATENCY: Final = Shock(
    key="latency_x50",
    label="Latency x 50",
    claim="Orders, answers and market data, of every venue, take 50 times as long from the first "
    "decision on.",
    bars="an order decided at a bar's close fills at the next bar's open however many seconds it "
    "takes: latency does not show on bars",
    ticks=_slow,
    from_first=frozenset({"ticks"}),
)
