"""A made-up market: a seeded random book of one contract. It says nothing about any market."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from crypto_quant.backtesting.simulator import Market
from crypto_quant.core.instruments import Instrument
from crypto_quant.core.terms import terms_at
from crypto_quant.data_pipeline.storage.flags import LAST, SNAPSHOT

START_NS = 1_722_470_400 * 10**9
MS_NS = 10**6
DEPTH = 30
"""Levels a side."""

Row = tuple[int, int, int, int, int]
"""ms, side, tick, lots, flags."""


class Book:
    """A random book on the grid of ticks and lots, and what happened in it."""

    def __init__(self, seed: int) -> None:
        self._draw = np.random.default_rng(seed)
        self.bids = {600_000 - n: self._size() for n in range(DEPTH)}
        self.asks = {600_001 + n: self._size() for n in range(DEPTH)}
        self.levels = [(0, 1, px, qty, SNAPSHOT) for px, qty in self.bids.items()]
        self.levels += [(0, -1, px, qty, SNAPSHOT) for px, qty in self.asks.items()]
        self.trades: list[Row] = []
        self._end_frame()

    def step(self, ms: int) -> None:
        """Somebody may trade, the heavier side advances, and a level a side is drawn anew."""
        bid, ask = self.bids[max(self.bids)], self.asks[min(self.asks)]
        side = 1 if self._draw.random() < bid / (bid + ask) else -1
        if self._draw.random() < 0.4:
            self._take(ms, side, int(400 * self._draw.pareto(1.1)) + 1)
        if min(self.asks) - max(self.bids) > 1:
            self._set(ms, side, max(self.bids) + 1 if side > 0 else min(self.asks) - 1)
        for mark, book, outer in (
            (1, self.bids, min(self.bids) - 1),
            (-1, self.asks, max(self.asks) + 1),
        ):
            at = int(self._draw.choice(list(book))) if len(book) >= DEPTH else outer
            self._set(ms, mark, at)
        self._end_frame()

    def _size(self) -> int:
        return int(self._draw.integers(50, 2_000))

    def _take(self, ms: int, side: int, left: int) -> None:
        book = self.asks if side > 0 else self.bids
        while left and len(book) > DEPTH // 2:
            px = min(book) if side > 0 else max(book)
            size = min(left, book[px])
            left -= size
            self.trades.append((ms, side, px, size, 0))
            self._set(ms, -side, px, book[px] - size)

    def _set(self, ms: int, side: int, px: int, qty: int | None = None) -> None:
        book = self.bids if side > 0 else self.asks
        book[px] = self._size() if qty is None else qty
        self.levels.append((ms, side, px, book[px], 0))
        if not book[px]:
            del book[px]

    def _end_frame(self) -> None:
        ms, side, px, qty, flags = self.levels[-1]
        self.levels[-1] = (ms, side, px, qty, flags | LAST)


def made_up(instrument: Instrument, seed: int = 1, steps: int = 6_000) -> Market:
    """Return a made-up market of a step each 50 ms, known 2 ms later."""
    terms, book = terms_at(instrument, START_NS, "VIP0"), Book(seed)
    for step in range(1, steps):
        book.step(step * 50)
    streams: dict[str, dict[str, NDArray[Any]]] = {}
    for kind, rows in (("delta", book.levels), ("trade", book.trades)):
        ms, side, px, qty, flags = np.array(rows, dtype=np.int64).T
        streams[kind] = {
            "ts_event": START_NS + ms * MS_NS,
            "ts_recv": START_NS + (ms + 2) * MS_NS,
            "side": side.astype(np.int8),
            "px": px * terms.tick,
            "qty": qty * terms.lot,
            "flags": flags.astype(np.uint32),
        }
    streams["trade"]["id"] = np.arange(len(book.trades), dtype=np.int64)
    return Market.of_columns(instrument, streams)
