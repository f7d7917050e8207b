"""hftbacktest's replay of an event file; runs in the peers' interpreter.

Compiles first, then replays once for each line on its standard input, and answers with a line
of JSON: the CPU seconds, the wake-ups, and the levels of the book that it ends with, those
within a tenth of the first price: its fastest depth holds no others.
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
TICK, LOT = 0.1, 0.001
ROI = 0.1


def elapse(hbt: Any, step: int) -> tuple[int, float]:  # noqa: ANN401 - compiled: the peer's type
    """Wake each step and read the touch."""
    wakes, read = 0, 0.0
    while hbt.elapse(step) == 0:
        depth = hbt.depth(0)
        read += depth.best_bid_tick + depth.best_ask_tick
        wakes += 1
    return wakes, read


def levels_within(hbt: Any, low: int, high: int) -> NDArray[np.float64]:  # noqa: ANN401 - as above
    """Return tick, bid and ask quantity of each tick in a range."""
    depth = hbt.depth(0)
    out = np.zeros((high - low, 3))
    for row in range(high - low):
        tick = low + row
        out[row, 0] = tick
        out[row, 1] = depth.bid_qty_at_tick(tick)
        out[row, 2] = depth.ask_qty_at_tick(tick)
    return out


def told(book: NDArray[np.float64], lot: float) -> dict[str, list[tuple[int, int]]]:
    """Return the levels of a book that there are: (tick, lots) of bids and asks."""
    bids = [(int(t), round(q / lot)) for t, q, _ in book[book[:, 1] > 0]]
    asks = [(int(t), round(q / lot)) for t, _, q in book[book[:, 2] > 0]]
    return {"bids": bids, "asks": asks}


def main(path: str) -> None:
    """Replay the events of a file as often as asked for."""
    peer, numba = importlib.import_module("hftbacktest"), importlib.import_module("numba")
    events = np.load(path)["data"]
    middle = float(np.median(events["px"][events["px"] > 0][:1000]))
    low, high = round(middle * (1 - ROI) / TICK), round(middle * (1 + ROI) / TICK)
    run, levels = numba.njit(elapse), numba.njit(levels_within)

    def replay() -> dict[str, object]:
        asset = (
            peer.BacktestAsset()
            .data([events])
            .linear_asset(1.0)
            .constant_order_latency(LATENCY_NS, LATENCY_NS)
            .power_prob_queue_model(2.0)
            .no_partial_fill_exchange()
            .trading_value_fee_model(0.0002, 0.0005)
            .tick_size(TICK)
            .lot_size(LOT)
            .roi_lb(low * TICK)
            .roi_ub(high * TICK)
        )
        hbt = peer.ROIVectorMarketDepthBacktest([asset])
        begun = time.process_time()
        wakes, _ = run(hbt, STEP_NS)
        seconds = time.process_time() - begun
        book = levels(hbt, low, high)
        hbt.close()
        return {"seconds": seconds, "wakes": wakes, **told(book, LOT)}

    replay()
    for _ in sys.stdin:
        print(json.dumps(replay()), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
