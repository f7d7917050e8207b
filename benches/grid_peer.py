"""hftbacktest's grid market maker; runs in the peers' interpreter.

Takes a session as JSON (``Recording.as_peer``). Compiles and trades once, writing its fills
(order, venue time, tick, lots, side) down and telling the book that it ends with, then trades once
for each line on its standard input and answers with a line of JSON: the CPU seconds. The quoting
rule is that of ``crates/strategies/src/grid.rs``, operation by operation.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

STEP_NS = 100 * 10**6
LATENCY_NS = 5 * 10**6
ROI = 0.1
BUY, FILLED, POST_ONLY, LIMIT = 1, 3, 1, 0
NO_PRICE = 1 << 40

Rows = NDArray[np.int64]


def _trade(hbt: Any, first: int, grid: Any, rule: Any, fills: Rows) -> int:  # noqa: ANN401, C901 - compiled: the peer's type, one function
    """Quote to the end; write down as many fills as there is room for."""
    tick, lot = grid
    levels, gap, quantity, most = rule
    count, next_id, variance, before = 0, 1, 0.0, -1.0
    kept = np.empty(4 * levels, np.int64)
    stale = np.empty(4 * levels, np.uint64)
    wait = first
    while hbt.elapse(wait) == 0:
        wait = STEP_NS
        if len(fills):
            done = hbt.orders(0).values()
            while done.has_next():
                order = done.get()
                if order.status == FILLED:
                    fills[count, 0], fills[count, 1] = order.order_id, order.exch_timestamp
                    fills[count, 2] = round(order.exec_price / tick)
                    fills[count, 3], fills[count, 4] = round(order.exec_qty / lot), order.side
                    count += 1
        held = round(hbt.position(0) / lot)
        hbt.clear_inactive_orders(0)
        depth = hbt.depth(0)
        bid, ask = depth.best_bid_tick, depth.best_ask_tick
        if bid <= 0 or ask >= NO_PRICE:
            continue
        middle = (bid + ask) / 2.0
        if before >= 0.0:
            move = middle - before
            variance = 0.99 * variance + 0.01 * (move * move)
        before = middle
        half = 2.0 + 0.5 * np.sqrt(variance)
        centre = middle - 2.0 * held / quantity
        low = min(int(np.floor((centre - half) / gap) * gap), bid)
        high = max(int(np.ceil((centre + half) / gap) * gap), ask)
        buys = levels if held < most else 0
        sells = levels if held > -most else 0
        working, leaving = 0, 0
        orders = hbt.orders(0).values()
        while orders.has_next():
            order = orders.get()
            at = round(order.price / tick)
            if order.side == BUY:
                away, room = low - at, buys
            else:
                away, room = at - high, sells
            wanted = away >= 0 and away % gap == 0 and away // gap < room
            if order.cancellable and not wanted:
                stale[leaving] = order.order_id
                leaving += 1
            kept[working] = at
            working += 1
        for i in range(leaving):
            hbt.cancel(0, stale[i], False)
        for side in range(2):
            for i in range(buys if side == 0 else sells):
                at = low - i * gap if side == 0 else high + i * gap
                is_there = False
                for j in range(working):
                    is_there = is_there or kept[j] == at
                if is_there:
                    continue
                if side == 0:
                    hbt.submit_buy_order(
                        0, next_id, at * tick, quantity * lot, POST_ONLY, LIMIT, False
                    )
                else:
                    hbt.submit_sell_order(
                        0, next_id, at * tick, quantity * lot, POST_ONLY, LIMIT, False
                    )
                next_id += 1
    return count


def main(text: str) -> None:
    """Trade the events of a file as often as asked for."""
    session = json.loads(text)
    peer, numba = importlib.import_module("hftbacktest"), importlib.import_module("numba")
    events = np.load(session["path"])["data"]
    middle = float(np.median(events["px"][events["px"] > 0][:1000]))
    tick, rule = session["tick"], tuple(session["rule"])
    low, high = round(middle * (1 - ROI) / tick), round(middle * (1 + ROI) / tick)
    trade = numba.njit(_trade)
    replay = importlib.import_module("replay_peer")
    levels = numba.njit(replay.levels_within)

    def run(fills: Rows) -> tuple[float, int, NDArray[np.float64]]:
        asset = (
            peer.BacktestAsset()
            .data([events])
            .constant_order_latency(LATENCY_NS, LATENCY_NS)
            .no_partial_fill_exchange()
            .trading_value_fee_model(0.0002, 0.0005)
            .tick_size(tick)
            .lot_size(session["lot"])
            .roi_lb(low * tick)
            .roi_ub(high * tick)
        )
        asset = asset.inverse_asset(100.0) if session["is_inverse"] else asset.linear_asset(1.0)
        asset = getattr(asset, session["queue"])(*session["queue_arguments"])
        hbt = peer.ROIVectorMarketDepthBacktest([asset])
        hbt.elapse(0)
        first = STEP_NS - hbt.current_timestamp % STEP_NS
        begun = time.process_time()
        count = trade(hbt, first, (tick, session["lot"]), rule, fills)
        seconds = time.process_time() - begun
        book = levels(hbt, low, high)
        hbt.close()
        return seconds, count, book

    fills = np.zeros((len(events), 5), np.int64)
    _, count, book = run(fills)
    np.save(session["out"], fills[:count])
    print(json.dumps({"fills": count, **replay.told(book, session["lot"])}), flush=True)
    nothing = np.zeros((0, 5), np.int64)
    for _ in sys.stdin:
        print(json.dumps({"seconds": run(nothing)[0]}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
