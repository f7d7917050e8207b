"""Queue-based making in large ticks: https://hftbacktest.readthedocs.io, its tutorial.

Where the spread is one tick, what matters is the place in the queue: quotes stand at the touch
and behind it, and leave only when the microprice, moved against the position, goes past them.
"""

from __future__ import annotations

from math import ceil, floor

from crypto_quant.backtesting.simulator import Simulator
from examples.from_hftbacktest import STEP_NS, run
from examples.quotes import Quotes, to_next

LEVELS, QTY = 5, 10
HALF = 0.49
"""A little less than half a tick: at the middle of one tick's spread both best prices remain."""
MOST = LEVELS * QTY
SKEW = HALF / LEVELS


def strategy(simulator: Simulator) -> None:
    """Quote around the microprice."""
    quotes, depth = Quotes(simulator, QTY), simulator.depth(0)
    goes_on = simulator.elapse(to_next(simulator.current_timestamp, STEP_NS))
    while goes_on:
        simulator.clear_inactive_orders(0)
        touch = depth.touch()
        if touch is not None:
            bid, bid_qty, ask, ask_qty = touch
            position = simulator.position(0)
            micro = (bid * ask_qty + ask * bid_qty) / (bid_qty + ask_qty)
            fair = micro - SKEW * (position / QTY)
            low, high = min(floor(fair - HALF), bid), max(ceil(fair + HALF), ask)
            bids = LEVELS if position < MOST else 0
            asks = LEVELS if position > -MOST else 0
            quotes.show(
                simulator.orders(0).values(),
                range(low, low - bids, -1),
                range(high, high + asks),
            )
        goes_on = simulator.elapse(STEP_NS)


if __name__ == "__main__":
    run(strategy)
