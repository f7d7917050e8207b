"""Market making with alpha, order book imbalance: https://hftbacktest.readthedocs.io, its tutorial.

What bids outweigh asks by near the middle, in standard deviations of its last minute, moves the
fair price that is quoted around; a position moves it back.
"""

from __future__ import annotations

from collections import deque
from math import ceil, floor, sqrt

from crypto_quant.backtesting.simulator import Simulator
from crypto_quant.backtesting.simulator.depth import Depth
from examples.from_hftbacktest import STEP_NS, run
from examples.quotes import Quotes, to_next

REACH, WINDOW = 50, 600
"""Ticks from the best price that are counted; steps over which the signal is standardised."""
ALPHA, HALF, SKEW = 8.0, 10.0, 3.0
"""Ticks that a standard deviation, the half spread and each quote held are worth."""
QTY, MOST = 10, 100


class Standard:
    """A whole number in standard deviations from its mean over a window, exact until the end."""

    def __init__(self) -> None:
        self._values: deque[int] = deque()
        self._sum = self._squares = 0

    def __call__(self, value: int) -> float:
        """Take the next value; 0 while there is no deviation."""
        self._values.append(value)
        self._sum, self._squares = self._sum + value, self._squares + value * value
        if len(self._values) > WINDOW:
            old = self._values.popleft()
            self._sum, self._squares = self._sum - old, self._squares - old * old
        n = len(self._values)
        spread = n * self._squares - self._sum * self._sum
        return (n * value - self._sum) / sqrt(spread) if spread > 0 else 0.0


def imbalance(depth: Depth, bid: int, ask: int) -> int:
    """Return bids less asks near the best prices, lots."""
    bids, asks = depth.levels(REACH)
    near_bids = bids[bids[:, 0] > bid - REACH, 1].sum()
    return int(near_bids - asks[asks[:, 0] < ask + REACH, 1].sum())


def strategy(simulator: Simulator) -> None:
    """Quote one order a side around the fair price."""
    quotes, depth, standard = Quotes(simulator, QTY), simulator.depth(0), Standard()
    goes_on = simulator.elapse(to_next(simulator.current_timestamp, STEP_NS))
    while goes_on:
        simulator.clear_inactive_orders(0)
        touch = depth.touch()
        if touch is not None:
            bid, _, ask, _ = touch
            signal = standard(imbalance(depth, bid, ask))
            position = simulator.position(0)
            fair = (bid + ask) / 2.0 + ALPHA * signal - SKEW * (position / QTY)
            bids = [min(floor(fair - HALF), bid)] if position < MOST else []
            asks = [max(ceil(fair + HALF), ask)] if position > -MOST else []
            quotes.show(simulator.orders(0).values(), bids, asks)
        goes_on = simulator.elapse(STEP_NS)


if __name__ == "__main__":
    run(strategy)
