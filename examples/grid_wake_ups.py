"""The grid market maker again, by wake-ups: it is called, where the other one calls.

This is how strategies are asked on paper and live, so one that is written like this is the
shorter way there: it decides when it is woken, and cannot let time pass.
"""

from __future__ import annotations

from crypto_quant.backtesting.simulator import Simulator
from crypto_quant.core.messages import Wake
from examples.grid_market_maker import QTY, STEP_NS, Grid
from examples.quotes import Quotes
from examples.tape import LATENCY, markets, tell


class GridMaker:
    """Quotes at each wake-up of the clock."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._grid = Grid()
        self._quotes = Quotes(simulator, QTY)

    def on_wake(self, wake: Wake) -> None:
        """Decide; fills and other answers are in orders and position before this is called."""
        if wake is not Wake.TIMER:
            return
        simulator = self._simulator
        simulator.clear_inactive_orders(0)
        touch = simulator.depth(0).touch()
        if touch is not None:
            bids, asks = self._grid(touch[0], touch[2], simulator.position(0))
            self._quotes.show(simulator.orders(0).values(), bids, asks)


def strategy(simulator: Simulator) -> None:
    """Hand each wake-up on."""
    maker = GridMaker(simulator)
    for wake in simulator.wake_ups():
        maker.on_wake(wake)


if __name__ == "__main__":
    made = Simulator(markets(), sim=LATENCY, clock_ns=STEP_NS)
    made.run(strategy)
    tell(made)
