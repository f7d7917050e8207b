"""Hand-made tapes for the tests of the shocks: bars of two instruments, and a book of ticks."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from typing import Any

import numpy as np

from crypto_quant.backtesting.stress.tape import (
    HOUR_NS,
    MINUTE_NS,
    BarTape,
    SessionTape,
    StressTape,
    Way,
)
from crypto_quant.core.instruments import Dated, Instrument, Row
from crypto_quant.data_pipeline.storage import flags
from crypto_quant.runtime.config import RunConfig
from crypto_quant.runtime.segments import Span
from crypto_quant.runtime.tape import Columns
from crypto_quant.venues.rules import load_instruments

PERP, SPOT = 0, 1
T0 = int(np.datetime64("2022-03-01T00:00", "ns").astype(np.int64))
HOURS = 240
MS = 10**6


def instruments() -> tuple[Instrument, Instrument]:
    """Return the venue's own, with a tick of 0.1 on a grid of 0.01."""
    known = load_instruments()
    tick = Dated((Row(0, Decimal("0.1"), "made up"),))
    pair = known["BTCUSDT-PERP.BINANCE"], known["BTCUSDT.BINANCE"]
    perp, spot = (replace(one, price_exp=2, qty_exp=3, tick=tick) for one in pair)
    return perp, spot


def _bars(rng: np.random.Generator, interval: int, count: int) -> Columns:
    begin = T0 + np.arange(count, dtype=np.int64) * interval
    steps = rng.integers(-300, 301, count)
    close = 4_000_000 + np.cumsum(steps) * 10
    opened = np.concatenate(([4_000_000], close[:-1]))
    high = np.maximum(opened, close) + rng.integers(0, 20, count) * 10
    low = np.minimum(opened, close) - rng.integers(0, 20, count) * 10
    volume = rng.integers(0, 90_000, count)
    bought = np.where(rng.random(count) < 0.1, -1, volume // 3)
    return {
        "ts_event": begin,
        "ts_recv": begin + interval,
        "open": opened,
        "high": high,
        "low": low,
        "close": close,
        "volume": volume,
        "taker_buy": bought,
        "flags": np.zeros(count, dtype=np.uint32),
    }


def bar_tape(seed: int = 1) -> BarTape:
    """Return ten days of hourly and of minute bars with funding every eight hours."""
    rng = np.random.default_rng(seed)
    settled = T0 + np.arange(0, HOURS, 8, dtype=np.int64) * HOUR_NS + 3 * MS
    funding: Columns = {
        "ts_event": settled,
        "ts_recv": settled,
        "rate": rng.integers(-5_000, 20_000, settled.size),
        "interval_h": np.full(settled.size, 8),
    }
    return StressTape(
        instruments=instruments(),
        streams={
            ("bar", PERP): _bars(rng, HOUR_NS, HOURS),
            ("bar", SPOT): _bars(rng, MINUTE_NS, HOURS * 60),
            ("funding", PERP): funding,
        },
        interval_ns={PERP: HOUR_NS, SPOT: MINUTE_NS},
        rate_exp=8,
        sim=RunConfig().sim.native(),
    )


TICK_SPAN = Span(T0 + 500 * MS, T0 + 1_500 * MS)
FRAMES = 200


def tick_tape(seed: int = 2) -> SessionTape:
    """Return two seconds of a book that begins with a snapshot, with trades, quotes, marks.

    Funding is settled at 0.3, 1.0 and 1.7 s.
    """
    rng = np.random.default_rng(seed)
    book = {(1, 4_000_000 - 10 * (n + 1)): 5_000 for n in range(30)}
    book |= {(-1, 4_000_000 + 10 * n): 5_000 for n in range(30)}
    rows = [(T0, side, px, qty, flags.SNAPSHOT) for (side, px), qty in book.items()]
    rows[-1] = (*rows[-1][:4], flags.SNAPSHOT | flags.LAST)
    for frame in range(1, FRAMES):
        ts = T0 + frame * 10 * MS
        for n in range(3):
            side = 1 if rng.random() < 0.5 else -1
            level = int(rng.integers(0, 30))
            px = 4_000_000 - 10 * (level + 1) if side > 0 else 4_000_000 + 10 * level
            qty = 0 if level > 0 and rng.random() < 0.3 else int(rng.integers(1, 9_000))
            rows.append((ts, side, px, qty, flags.LAST if n == 2 else 0))
    table = np.array(rows, dtype=np.int64)
    deltas: Columns = {
        "ts_event": table[:, 0],
        "ts_recv": table[:, 0] + 4 * MS,
        "side": table[:, 1].astype(np.int8),
        "px": table[:, 2],
        "qty": table[:, 3],
        "flags": table[:, 4].astype(np.uint32),
    }
    at = T0 + np.arange(1, FRAMES, dtype=np.int64) * 10 * MS + MS
    sides = rng.choice(np.array([-1, 1], dtype=np.int8), at.size)
    marks = np.zeros(at.size, dtype=np.uint32)
    stamps = {"ts_event": at, "ts_recv": at + 4 * MS}
    trades: Columns = {
        **stamps,
        "id": np.arange(at.size),
        "px": np.where(sides > 0, 4_000_000, 3_999_990),
        "qty": rng.integers(1, 500, at.size),
        "side": sides,
        "flags": marks,
    }
    quotes: Columns = {
        **stamps,
        "bid": np.full(at.size, 3_999_990),
        "bid_qty": np.full(at.size, 5_000),
        "ask": np.full(at.size, 4_000_000),
        "ask_qty": np.full(at.size, 5_000),
        "flags": marks,
    }
    recorded: Columns = {**stamps, "mark": 4_000_000 + rng.integers(-50, 50, at.size)}
    settled = T0 + np.array([300, 1_000, 1_700], dtype=np.int64) * MS
    funding: Columns = {
        "ts_event": settled,
        "ts_recv": settled + 4 * MS,
        "rate": rng.integers(-5_000, 20_000, settled.size),
    }
    perp, _ = instruments()
    return StressTape(
        instruments=(perp,),
        streams={
            ("funding", PERP): [funding],
            ("delta", PERP): [deltas],
            ("trade", PERP): [trades],
            ("quote", PERP): [quotes],
            ("mark", PERP): [{**recorded, "flags": marks}],
        },
        interval_ns={},
        rate_exp=8,
        ways={"BINANCE": Way(5 * MS, 5 * MS)},
    )


def together(tape: SessionTape) -> BarTape:
    """Return a session with each stream in one piece."""
    streams = {}
    for key, parts in tape.streams.items():
        held = list(parts)
        streams[key] = {name: np.concatenate([part[name] for part in held]) for name in held[0]}
    return StressTape(**{**fields(tape), "streams": streams})


def cut_at(tape: SessionTape, places: Sequence[int]) -> SessionTape:
    """Return a session with each stream cut before these rows, where it has so many."""
    streams = {}
    for key, rows in together(tape).streams.items():
        n = len(rows["ts_recv"])
        ends = [0, *sorted(min(place, n) for place in places), n]
        streams[key] = [
            {name: values[first:stop] for name, values in rows.items()}
            for first, stop in pairwise(ends)
        ]
    return tape.changed(streams)


def fields(tape: SessionTape) -> dict[str, Any]:
    """Return a tape's fields by name."""
    return {field.name: getattr(tape, field.name) for field in dataclasses.fields(tape)}


def book_at(deltas: Columns, ts: int) -> dict[tuple[int, int], int]:
    """Return the levels after all rows up to ``ts``: a plain loop beside the shocks' own."""
    book: dict[tuple[int, int], int] = {}
    loading = False
    for row in range(len(deltas["px"])):
        if deltas["ts_event"][row] > ts:
            break
        is_snapshot = bool(deltas["flags"][row] & flags.SNAPSHOT)
        if is_snapshot and not loading:
            book.clear()
        loading = is_snapshot and not deltas["flags"][row] & flags.LAST
        key = int(deltas["side"][row]), int(deltas["px"][row])
        if deltas["qty"][row]:
            book[key] = int(deltas["qty"][row])
        else:
            book.pop(key, None)
    return book
