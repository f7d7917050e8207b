"""Quotes as Guéant, Lehalle and Fernandez-Tapia (2013) derived them, fitted on the last minute.

Each step tells how far from the middle trades came and how far the middle moved. The
frequencies of the distances give the intensity ``a exp(-k d)`` by least squares, and with the
volatility the closed form gives half spread and skew; ``crates/strategies`` has the same in Rust.
"""

from __future__ import annotations

from collections import deque
from math import ceil, exp, floor, log, log1p, sqrt

import numpy as np

from crypto_quant.backtesting.simulator import Simulator, Trades
from examples.quotes import Quotes, to_next
from examples.tape import LATENCY, markets, tell

STEP_NS = 100_000_000
WINDOW, REFIT, REACH = 600, 50, 30
"""Steps that are looked at, steps between two fits, and the largest distance, ticks."""
GAMMA = 0.05
"""Aversion to risk, per tick and quote held."""
QTY, MOST = 10, 200


def fit(reached: list[float], moves: list[float]) -> tuple[float, float, float] | None:
    """Return ``a`` (per second), ``k`` (per tick) and volatility (ticks per root of a second)."""
    seconds = len(reached) * STEP_NS / 1e9
    counts = [sum(far >= d for far in reached) for d in range(1, REACH + 1)]
    hit = [(d, log(n / seconds)) for d, n in enumerate(counts, 1) if n]
    if len(hit) < 2:
        return None
    slope, level = np.polyfit([d for d, _ in hit], [rate for _, rate in hit], 1)
    sigma = sqrt(sum(move * move for move in moves) / seconds)
    return (exp(level), -slope, sigma) if slope < 0 else None


def distances(a: float, k: float, sigma: float) -> tuple[float, float]:
    """Return the half spread of a flat position, and the skew for each quote held, ticks."""
    hold = sqrt(GAMMA / (2 * a * k) * (1 + GAMMA / k) ** (k / GAMMA + 1))
    return log1p(GAMMA / k) / GAMMA + sigma * hold / 2, sigma * hold


def furthest(trades: Trades, middle: float) -> float:
    """Return how far from the middle trades came, ticks; -1 without trades."""
    return float(max(trades.side * (trades.price_tick - middle), default=-1))


def strategy(simulator: Simulator) -> None:
    """Watch for a window, then quote."""
    quotes, depth = Quotes(simulator, QTY), simulator.depth(0)
    reached: deque[float] = deque(maxlen=WINDOW)
    moves: deque[float] = deque(maxlen=WINDOW)
    found, before, step = None, None, 0
    goes_on = simulator.elapse(to_next(simulator.current_timestamp, STEP_NS))
    while goes_on:
        step += 1
        simulator.clear_inactive_orders(0)
        trades, touch = simulator.last_trades(0), depth.touch()
        middle = None if touch is None else (touch[0] + touch[2]) / 2
        if middle is not None and before is not None:
            reached.append(furthest(trades, before))
            moves.append(middle - before)
        simulator.clear_last_trades(0)
        before = middle
        if len(reached) == WINDOW and step % REFIT == 0:
            found = fit(list(reached), list(moves))
        if touch is not None and middle is not None:
            bids, asks = [], []
            if found is not None:
                half, skew = distances(*found)
                position = simulator.position(0)
                centre = middle - skew * position / QTY
                bids = [min(floor(centre - half), touch[0])] if position < MOST else []
                asks = [max(ceil(centre + half), touch[2])] if position > -MOST else []
            quotes.show(simulator.orders(0).values(), bids, asks)
        goes_on = simulator.elapse(STEP_NS)


if __name__ == "__main__":
    made = Simulator(markets(), sim=LATENCY)
    made.run(strategy)
    tell(made)
