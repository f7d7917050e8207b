"""Buys a quantity in equal slices: each rests at the bid, and what is left of it is then taken."""

from __future__ import annotations

from itertools import count

from crypto_quant.backtesting.simulator import OrderType, Simulator, TimeInForce
from examples.tape import LATENCY, markets, tell

SECOND_NS = 10**9
QTY, SLICES = 600, 12
SLICE_NS, REST_NS = 20 * SECOND_NS, 15 * SECOND_NS


def strategy(simulator: Simulator) -> None:
    """Trade slice after slice; what an order did not trade is left to the next one."""
    ids, depth = count(1), simulator.depth(0)
    goes_on = simulator.elapse(SECOND_NS)
    begun = simulator.current_timestamp
    for number in range(1, SLICES + 1):
        due = QTY * number // SLICES
        bid = depth.best_bid_tick
        if goes_on and bid is not None and simulator.position(0) < due:
            child = next(ids)
            simulator.submit_buy_order(0, child, bid, due - simulator.position(0))
            goes_on = simulator.elapse(REST_NS)
            if goes_on and simulator.orders(0)[child].cancellable:
                simulator.cancel(0, child, wait=True)
        left = due - simulator.position(0)
        if goes_on and left > 0:
            how = (TimeInForce.GTC, OrderType.MARKET)
            simulator.submit_buy_order(0, next(ids), 0, left, *how, wait=True)
        rest = begun + number * SLICE_NS - simulator.current_timestamp
        goes_on = goes_on and rest > 0 and simulator.elapse(rest)
    print(f"bought {simulator.state_values(0).trading_volume} lots of {QTY}")


if __name__ == "__main__":
    made = Simulator(markets(), sim=LATENCY)
    made.run(strategy)
    tell(made)
