"""A tiny market: one level a side for ten seconds, known 2 ms later."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from crypto_quant.backtesting.simulator import Market, Simulator
from crypto_quant.core.instruments import Instrument
from crypto_quant.core.terms import terms_at
from crypto_quant.data_pipeline.storage.flags import LAST, SNAPSHOT
from crypto_quant.venues.rules import load_instruments

MS = 10**6
T0 = 1_722_470_400 * 10**9
BTC, ETH = (load_instruments()[f"{base}USDT-PERP.BINANCE"] for base in ("BTC", "ETH"))
LATENCY = {"entry_latency_ns": 4 * MS, "response_latency_ns": 6 * MS}
Row = tuple[int, int, int, int]
"""ms since T0, side, tick, lots."""


def market(
    instrument: Instrument = BTC,
    levels: tuple[Row, ...] = (),
    trades: tuple[Row, ...] = (),
    marks: tuple[tuple[int, int], ...] = (),
) -> Market:
    """Return a book of 600,000 and 600,001 ticks with 500 lots each, and what comes then.

    ``marks`` are rows of ms and tick.
    """
    terms = terms_at(instrument, T0, "VIP0")
    first = ((0, 1, 600_000, 500), (0, -1, 600_001, 500))
    last = ((10_000, 1, 500_000, 1),)

    def columns(rows: tuple[Row, ...], delay: int) -> dict[str, NDArray[Any]]:
        ms, side, px, qty = np.array(rows, dtype=np.int64).T
        return {
            "ts_event": T0 + ms * MS,
            "ts_recv": T0 + (ms + delay) * MS,
            "side": side.astype(np.int8),
            "px": px * terms.tick,
            "qty": qty * terms.lot,
        }

    book = columns((*first, *levels, *last), 2)
    flags = np.full(len(book["side"]), LAST, dtype=np.uint32)
    flags[:2] = SNAPSHOT, SNAPSHOT | LAST
    streams: dict[str, dict[str, NDArray[Any]]] = {"delta": {**book, "flags": flags}}
    if trades:
        streams["trade"] = {**columns(trades, 3), "id": np.arange(len(trades), dtype=np.int64)}
    if marks:
        ms, px = np.array(marks, dtype=np.int64).T
        stamps = {"ts_event": T0 + ms * MS, "ts_recv": T0 + (ms + 3) * MS}
        streams["mark"] = {**stamps, "mark": px * terms.tick}
    return Market.of_columns(instrument, streams)


def simulator(*markets: Market, **sim: object) -> Simulator:
    """Return a simulator of these markets that has begun: 5 ms after T0."""
    made = Simulator(markets or (market(),), sim={**LATENCY, **sim})
    assert made.elapse(3 * MS)
    return made
