"""hftbacktest's replay of a file of events a day; runs in the peers' interpreter.

Compiles on nothing, then replays the files it is given as the peer streams them, and prints the
CPU seconds, the most memory held, and the wake-ups.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np


def peak_mb() -> float:
    """Return the most memory that this process has held."""
    status = Path("/proc/self/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


def main(paths: list[str]) -> None:
    """Replay the days in order."""
    peer, numba = importlib.import_module("hftbacktest"), importlib.import_module("numba")
    same = importlib.import_module("replay_peer")
    first = np.load(paths[0], mmap_mode="r")["data"]
    middle = float(np.median(first["px"][:1000][first["px"][:1000] > 0]))
    rows = len(first)
    sample = first[:1000].copy()
    del first
    low, high = (
        round(middle * (1 - same.ROI) / same.TICK),
        round(middle * (1 + same.ROI) / same.TICK),
    )
    loop = numba.njit(same.elapse)

    def backtest(data: list[Any]) -> Any:  # noqa: ANN401 - compiled: the peer's type
        asset = (
            peer.BacktestAsset()
            .data(data)
            .linear_asset(1.0)
            .constant_order_latency(same.LATENCY_NS, same.LATENCY_NS)
            .power_prob_queue_model(2.0)
            .no_partial_fill_exchange()
            .trading_value_fee_model(0.0002, 0.0005)
            .tick_size(same.TICK)
            .lot_size(same.LOT)
            .roi_lb(low * same.TICK)
            .roi_ub(high * same.TICK)
        )
        return peer.ROIVectorMarketDepthBacktest([asset])

    loop(backtest([sample]), same.STEP_NS)
    hbt = backtest(list(paths))
    begun = time.process_time()
    wakes, _ = loop(hbt, same.STEP_NS)
    seconds = time.process_time() - begun
    hbt.close()
    print(json.dumps({"seconds": seconds, "peak_mb": peak_mb(), "wakes": wakes, "rows": rows}))


if __name__ == "__main__":
    main(sys.argv[1:])
