"""High-frequency grid trading, with skew: https://hftbacktest.readthedocs.io, its tutorial.

Orders stand on every tenth tick on both sides of the middle, from two half spreads away. A
position moves all of them against it.
"""

from __future__ import annotations

from math import ceil, floor

from crypto_quant.backtesting.simulator import Simulator
from examples.from_hftbacktest import STEP_NS, run
from examples.quotes import Quotes, to_next

LEVELS, GAP, HALF = 10, 10, 20
"""Quotes a side, ticks between them, ticks from the middle to the first."""
QTY, MOST, SKEW = 10, 50, 4.0
"""Lots of a quote, the largest position in lots, ticks that each quote held moves the grid."""


def strategy(simulator: Simulator) -> None:
    """Keep the grid where the market is."""
    quotes, depth = Quotes(simulator, QTY), simulator.depth(0)
    goes_on = simulator.elapse(to_next(simulator.current_timestamp, STEP_NS))
    while goes_on:
        simulator.clear_inactive_orders(0)
        touch = depth.touch()
        if touch is not None:
            bid, _, ask, _ = touch
            position = simulator.position(0)
            centre = (bid + ask) / 2.0 - SKEW * (position / QTY)
            low = floor(min(centre - HALF, bid) / GAP) * GAP
            high = ceil(max(centre + HALF, ask) / GAP) * GAP
            bids = LEVELS if position < MOST else 0
            asks = LEVELS if position > -MOST else 0
            quotes.show(
                simulator.orders(0).values(),
                range(low, low - bids * GAP, -GAP),
                range(high, high + asks * GAP, GAP),
            )
        goes_on = simulator.elapse(STEP_NS)


if __name__ == "__main__":
    run(strategy)
