"""The three rules in hftbacktest's own loop: ``theirs.py EVENTS.npz FOLDER``.

For an interpreter that has hftbacktest 2.4.4; ``EVENTS.npz`` is what ``cq data export`` writes.
A file a rule is put in the folder: ``fills``, a row each of order, venue time, tick, lots and
side, and ``state``, the state values at the last step.
"""

# mypy: disable-error-code="import-not-found,untyped-decorator"
from __future__ import annotations

import sys
from typing import Any

import hftbacktest as h
import numpy as np
from numba import njit

STEP, TICK, LOT, QTY = 100_000_000, 0.1, 0.001, 10
RULES = {"high_frequency_grid": 0, "order_book_imbalance": 1, "queue_based": 2}


@njit
def whole(value: float, unit: float) -> int:
    """Return how many units a value is."""
    return int(np.rint(value / unit))


@njit
def near(depth: Any, bid: int, ask: int) -> int:
    """Return bids less asks within 50 ticks, lots."""
    total = 0
    for away in range(50):
        total += whole(depth.bid_qty_at_tick(bid - away), LOT)
        total -= whole(depth.ask_qty_at_tick(ask + away), LOT)
    return total


@njit
def standard(values: Any, t: int) -> float:
    """Return the last value in standard deviations from the mean of the last 600."""
    n, total, squares = min(t + 1, 600), 0, 0
    for value in values[t + 1 - n : t + 1]:
        total += value
        squares += value * value
    spread = n * squares - total * total
    return (n * values[t] - total) / np.sqrt(spread) if spread > 0 else 0.0


@njit
def quotes(rule: int, depth: Any, position: int, values: Any, t: int) -> tuple[int, ...]:
    """Return first bid and ask, ticks between quotes, quotes a side, largest position."""
    bid, ask = depth.best_bid_tick, depth.best_ask_tick
    if rule == 0:
        centre = (bid + ask) / 2.0 - 4.0 * (position / QTY)
        low, high = min(centre - 20, bid) / 10, max(centre + 20, ask) / 10
        return int(np.floor(low)) * 10, int(np.ceil(high)) * 10, 10, 10, 50
    if rule == 1:
        values[t] = near(depth, bid, ask)
        fair = (bid + ask) / 2.0 + 8.0 * standard(values, t) - 3.0 * (position / QTY)
        return min(int(np.floor(fair - 10)), bid), max(int(np.ceil(fair + 10)), ask), 1, 1, 100
    bid_qty = whole(depth.bid_qty_at_tick(bid), LOT)
    ask_qty = whole(depth.ask_qty_at_tick(ask), LOT)
    micro = (bid * ask_qty + ask * bid_qty) / (bid_qty + ask_qty)
    fair = micro - 0.49 / 5 * (position / QTY)
    return min(int(np.floor(fair - 0.49)), bid), max(int(np.ceil(fair + 0.49)), ask), 1, 5, 50


@njit
def show(hbt: Any, low: int, high: int, gap: int, bids: int, asks: int, number: int) -> int:
    """Cancel what is not wanted, post what is; return the next order's number."""
    taken = [0]
    orders = hbt.orders(0).values()
    while orders.has_next():
        o = orders.get()
        at = whole(o.price, TICK)
        away, quoted = (low - at, bids) if o.side == h.BUY else (at - high, asks)
        if o.cancellable and not (away % gap == 0 and 0 <= away // gap < quoted):
            hbt.cancel(0, o.order_id, False)
        taken.append(at)
    for n in range(bids):
        if low - n * gap not in taken:
            px = (low - n * gap) * TICK
            hbt.submit_buy_order(0, number, px, QTY * LOT, h.GTX, h.LIMIT, False)
            number += 1
    for n in range(asks):
        if high + n * gap not in taken:
            px = (high + n * gap) * TICK
            hbt.submit_sell_order(0, number, px, QTY * LOT, h.GTX, h.LIMIT, False)
            number += 1
    return number


@njit
def note(hbt: Any, fills: Any, made: int) -> int:
    """Write down what was filled since; return how many there are."""
    orders = hbt.orders(0).values()
    while orders.has_next():
        o = orders.get()
        if o.status == h.FILLED:
            row = fills[made]
            row[0], row[1], row[4] = o.order_id, o.exch_timestamp, o.side
            row[2], row[3] = whole(o.exec_price, TICK), whole(o.exec_qty, LOT)
            made += 1
    return made


@njit
def run(hbt: Any, rule: int, first: int, fills: Any, state: Any) -> int:
    """Run a rule to the end of the tape; return how many fills there were at the last step."""
    values = np.zeros(1_000_000, np.int64)
    made, number, t = 0, 1, 0
    rc = hbt.elapse(first)
    while rc == 0:
        made = note(hbt, fills, made)
        sums = hbt.state_values(0)
        state[0], state[1], state[2] = sums.position, sums.balance, sums.fee
        state[3], state[4], state[5] = sums.num_trades, sums.trading_volume, sums.trading_value
        hbt.clear_inactive_orders(0)
        depth = hbt.depth(0)
        if depth.best_bid_tick > 0 and depth.best_ask_tick < 10_000_000_000:
            position = whole(hbt.position(0), LOT)
            low, high, gap, levels, most = quotes(rule, depth, position, values, t)
            bids = levels if position < most else 0
            asks = levels if position > -most else 0
            number = show(hbt, low, high, gap, bids, asks, number)
            t += 1
        rc = hbt.elapse(STEP)
    return made


def main(events: str, folder: str) -> None:
    """Run the rules on a file."""
    data = np.load(events)["data"]
    middle = float(np.median(data["px"][data["px"] > 0][:1000]))
    asset = h.BacktestAsset().data([data]).linear_asset(1.0).tick_size(TICK).lot_size(LOT)
    asset.constant_order_latency(5_000_000, 5_000_000).no_partial_fill_exchange()
    asset.power_prob_queue_model(2.0).trading_value_fee_model(0.0002, 0.0005)
    asset.roi_lb(round(middle * 0.9, 1)).roi_ub(round(middle * 1.1, 1))
    for name, rule in RULES.items():
        hbt = h.ROIVectorMarketDepthBacktest([asset])
        hbt.elapse(0)
        fills, state = np.zeros((1_000_000, 5), np.int64), np.zeros(6)
        made = run(hbt, rule, STEP - hbt.current_timestamp % STEP, fills, state)
        np.savez(f"{folder}/{name}.npz", fills=fills[:made], state=state)


if __name__ == "__main__":
    main(*sys.argv[1:])
