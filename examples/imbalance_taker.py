"""Takes the side of the book that is about to give way, with orders that trade at once or not.

The signal is where the microprice lies between the best prices: -1 at the bid, 1 at the ask.
"""

from __future__ import annotations

from itertools import count

from crypto_quant.backtesting.simulator import Simulator, TimeInForce
from examples.quotes import to_next
from examples.tape import LATENCY, markets, tell

STEP_NS = 100_000_000
ENTER, LEAVE = 0.95, 0.0
QTY = 10


def wanted(signal: float, position: int) -> int:
    """Return the position that a signal asks of one who holds ``position``, lots."""
    if abs(signal) >= ENTER:
        return QTY if signal > 0 else -QTY
    held = (position > 0) - (position < 0)
    return position if held * signal > LEAVE else 0


def strategy(simulator: Simulator) -> None:
    """Follow the signal until the tape ends."""
    ids, depth = count(1), simulator.depth(0)
    goes_on = simulator.elapse(to_next(simulator.current_timestamp, STEP_NS))
    while goes_on:
        simulator.clear_inactive_orders(0)
        touch = depth.touch()
        if touch is not None and not simulator.orders(0):
            bid, bid_qty, ask, ask_qty = touch
            signal = (bid_qty - ask_qty) / (bid_qty + ask_qty)
            position = simulator.position(0)
            trade = wanted(signal, position) - position
            if trade > 0:
                simulator.submit_buy_order(0, next(ids), ask, trade, TimeInForce.IOC)
            elif trade < 0:
                simulator.submit_sell_order(0, next(ids), bid, -trade, TimeInForce.IOC)
        goes_on = simulator.elapse(STEP_NS)


if __name__ == "__main__":
    made = Simulator(markets(), sim=LATENCY)
    made.run(strategy)
    tell(made)
