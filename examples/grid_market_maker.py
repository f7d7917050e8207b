"""A grid market maker in a loop of calls: five quotes a side, moved against the position."""

from __future__ import annotations

from math import ceil, floor, sqrt

from crypto_quant.backtesting.simulator import Simulator
from examples.quotes import Quotes, to_next
from examples.tape import LATENCY, markets, tell

STEP_NS = 100_000_000
LEVELS, QTY, MOST = 5, 10, 200
"""Quotes a side; their size and the position at which a side is left out, lots."""


class Grid:
    """Where the quotes belong: further away in a market that moves."""

    def __init__(self) -> None:
        self._variance = 0.0
        self._before: float | None = None

    def __call__(self, bid: int, ask: int, position: int) -> tuple[range, range]:
        """Return the ticks of bids and asks."""
        middle = (bid + ask) / 2
        if self._before is not None:
            move = middle - self._before
            self._variance = 0.99 * self._variance + 0.01 * (move * move)
        self._before = middle
        half = 2 + 0.5 * sqrt(self._variance)
        centre = middle - 2 * position / QTY
        low, high = min(floor(centre - half), bid), max(ceil(centre + half), ask)
        bids = LEVELS if position < MOST else 0
        asks = LEVELS if position > -MOST else 0
        return range(low, low - bids, -1), range(high, high + asks)


def strategy(simulator: Simulator) -> None:
    """Quote until the tape ends."""
    grid, quotes, depth = Grid(), Quotes(simulator, QTY), simulator.depth(0)
    goes_on = simulator.elapse(to_next(simulator.current_timestamp, STEP_NS))
    while goes_on:
        simulator.clear_inactive_orders(0)
        touch = depth.touch()
        if touch is not None:
            bids, asks = grid(touch[0], touch[2], simulator.position(0))
            quotes.show(simulator.orders(0).values(), bids, asks)
        goes_on = simulator.elapse(STEP_NS)


if __name__ == "__main__":
    made = Simulator(markets(), sim=LATENCY)
    made.run(strategy)
    tell(made)
