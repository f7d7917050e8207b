"""Fifty times the latency, of orders and of the feed."""

from __future__ import annotations

from typing import Final

import numpy as np

from crypto_quant.backtesting.stress.tape import Key, Shock, StressTape
from crypto_quant.runtime.segments import Span
from crypto_quant.runtime.tape import Columns

TIMES: Final = 50


def _slow(tape: StressTape, span: Span) -> StressTape:
    out: dict[Key, Columns] = {}
    for key, columns in tape.streams.items():
        if key[0] == "funding":
            continue
        event, recv = columns["ts_event"], columns["ts_recv"]
        late = np.where(event >= span.start, event + TIMES * (recv - event), recv)
        # What is sent later is not known earlier: a feed keeps its order.
        out[key] = {**columns, "ts_recv": np.maximum.accumulate(late)}
    names = ("entry_latency_ns", "response_latency_ns")
    return tape.changed(out).set({name: int(tape.sim[name]) * TIMES for name in names})


LATENCY: Final = Shock(
    key="latency_x50",
    label="Latency x 50",
    claim="Orders, answers and market data take 50 times as long from the first decision on.",
    bars="an order decided at a bar's close fills at the next bar's open however many seconds it "
    "takes: latency does not show on bars",
    ticks=_slow,
    from_first=frozenset({"ticks"}),
)
