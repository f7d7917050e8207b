"""nautilus_trader's grid market maker; runs in the peers' interpreter.

Trades once for a line on its standard input and answers with a line of JSON: the CPU seconds
of the run, the orders and the fills. The quoting rule is that of ``grid_peer.py``; fills differ,
for its venue fills by other rules.
"""

from __future__ import annotations

import datetime
import importlib
import json
import sys
import time
from typing import Any

import numpy as np

LATENCY_NS = 5 * 10**6
STEP_MS = 100
LEVELS, GAP, QUANTITY, MOST = 5, 1, 0.01, 0.2
DEPTH, TRADE, SNAPSHOT, BUY_SIDE = 1, 2, 4, 1 << 29
LAST = 128


def _part(module: str, name: str) -> Any:  # noqa: ANN401 - the peer is not there when this is checked
    return getattr(importlib.import_module(f"nautilus_trader.{module}"), name)


def _strategy(instrument: Any) -> Any:  # noqa: ANN401 - as above
    """Return the market maker."""
    side = _part("model.enums", "OrderSide")
    price, amount = _part("model.objects", "Price"), _part("model.objects", "Quantity")
    key = instrument.id

    def on_start(self: Any) -> None:  # noqa: ANN401 - as above
        self.middle, self.variance, self.held, self.sent, self.filled = None, 0.0, 0.0, 0, 0
        self.subscribe_order_book_deltas(key, _part("model.enums", "BookType").L2_MBP)
        self.subscribe_trade_ticks(key)
        every = datetime.timedelta(milliseconds=STEP_MS)
        self.clock.set_timer("quote", every, callback=self.quote)

    def quote(self: Any, _: object) -> None:  # noqa: ANN401 - as above
        book = self.cache.order_book(key)
        best_bid = book.best_bid_price() if book else None
        best_ask = book.best_ask_price() if book else None
        if best_bid is None or best_ask is None:
            return
        bid, ask = round(best_bid.as_double() * 10), round(best_ask.as_double() * 10)
        middle = (bid + ask) / 2
        if self.middle is not None:
            self.variance = 0.99 * self.variance + 0.01 * (middle - self.middle) ** 2
        self.middle = middle
        half = 2 + 0.5 * self.variance**0.5
        centre = middle - 2.0 * self.held / QUANTITY
        low, high = min(int((centre - half) // 1), bid), max(-int(-(centre + half) // 1), ask)
        wanted = {
            side.BUY: {low - i * GAP for i in range(LEVELS)} if self.held < MOST else set(),
            side.SELL: {high + i * GAP for i in range(LEVELS)} if self.held > -MOST else set(),
        }
        there: dict[Any, set[int]] = {side.BUY: set(), side.SELL: set()}
        cache = self.cache
        working = cache.orders_open(instrument_id=key) + cache.orders_inflight(instrument_id=key)
        for order in working:
            at = round(order.price.as_double() * 10)
            there[order.side].add(at)
            if at not in wanted[order.side] and order.is_open and not order.is_pending_cancel:
                self.cancel_order(order)
        for which, ticks in wanted.items():
            for at in ticks - there[which]:
                order = self.order_factory.limit(
                    key, which, amount(QUANTITY, 3), price(at / 10, 1), post_only=True
                )
                self.submit_order(order)
                self.sent += 1

    def on_order_filled(self: Any, event: Any) -> None:  # noqa: ANN401 - as above
        self.filled += 1
        self.held += event.last_qty.as_double() * (1 if event.order_side == side.BUY else -1)

    parts = {"on_start": on_start, "quote": quote, "on_order_filled": on_order_filled}
    return type("Grid", (_part("trading.strategy", "Strategy"),), parts)()


def _data(path: str, instrument: Any) -> tuple[list[Any], list[Any]]:  # noqa: ANN401 - as above
    """Return the file's frames and trades as the peer's objects."""
    key = instrument.id
    events = np.load(path)["data"]
    precision = _part("model.objects", "FIXED_PRECISION")
    unit_px, unit_qty = 10 ** (precision - 1), 10 ** (precision - 3)
    delta, frame = _part("model.data", "OrderBookDelta"), _part("model.data", "OrderBookDeltas")
    tick, name = _part("model.data", "TradeTick"), _part("model.identifiers", "TradeId")
    action, side = _part("model.enums", "BookAction"), _part("model.enums", "OrderSide")
    aggressor = _part("model.enums", "AggressorSide")
    frames: list[Any] = []
    trades: list[Any] = []
    rows: list[Any] = []
    kinds = (events["ev"] & 0xFF).tolist()
    buys = ((events["ev"] & BUY_SIDE) != 0).tolist()
    prices = np.round(events["px"] * 10).astype(np.int64).tolist()
    sizes = np.round(events["qty"] * 1000).astype(np.int64).tolist()
    stamps = zip(events["exch_ts"].tolist(), events["local_ts"].tolist(), strict=True)
    before = None
    columns = zip(kinds, buys, prices, sizes, stamps, strict=True)
    for n, (kind, buy, px, qty, (at, known)) in enumerate(columns):
        if rows and kind != TRADE and (at, known) != before:
            frames.append(frame(key, rows))
            rows = []
        if kind == TRADE:
            which = aggressor.BUYER if buy else aggressor.SELLER
            trades.append(
                tick.from_raw(
                    instrument.id,
                    px * unit_px,
                    1,
                    qty * unit_qty,
                    3,
                    which,
                    name(str(n)),
                    at,
                    known,
                )
            )
        elif kind in (DEPTH, SNAPSHOT):
            what = action.UPDATE if qty else action.DELETE
            which = side.BUY if buy else side.SELL
            rows.append(
                delta.from_raw(
                    instrument.id,
                    what,
                    which,
                    px * unit_px,
                    1,
                    qty * unit_qty,
                    3,
                    0,
                    0,
                    n,
                    at,
                    known,
                )
            )
            before = (at, known)
    if rows:
        frames.append(frame(key, rows))
    return frames, trades


def _engine() -> Any:  # noqa: ANN401 - as above
    """Return an engine with one venue, 5 ms of latency and a silent log."""
    quiet = _part("config", "LoggingConfig")(bypass_logging=True)
    config = _part("backtest.config", "BacktestEngineConfig")(logging=quiet, run_analysis=False)
    engine = _part("backtest.engine", "BacktestEngine")(config)
    money, enums = _part("model.objects", "Money"), "model.enums"
    usdt = _part("model.currencies", "USDT")
    engine.add_venue(
        venue=_part("model.identifiers", "Venue")("BINANCE"),
        oms_type=_part(enums, "OmsType").NETTING,
        account_type=_part(enums, "AccountType").MARGIN,
        starting_balances=[money(10_000_000, usdt)],
        base_currency=usdt,
        book_type=_part(enums, "BookType").L2_MBP,
        latency_model=_part("backtest.models", "LatencyModel")(LATENCY_NS),
        trade_execution=True,
    )
    return engine


def main(path: str) -> None:
    """Trade the events of a file once a line."""
    instrument = _part("test_kit.providers", "TestInstrumentProvider").btcusdt_perp_binance()
    frames, trades = _data(path, instrument)
    for _ in sys.stdin:
        engine = _engine()
        engine.add_instrument(instrument)
        engine.add_data(frames)
        engine.add_data(trades)
        strategy = _strategy(instrument)
        engine.add_strategy(strategy)
        begun = time.process_time()
        engine.run()
        seconds = time.process_time() - begun
        counts = {"orders": strategy.sent, "fills": strategy.filled}
        print(json.dumps({"seconds": seconds} | counts), flush=True)
        engine.dispose()


if __name__ == "__main__":
    main(sys.argv[1])
