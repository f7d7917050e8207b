"""Quotes as several of the examples keep them: what is wanted and works keeps its place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import count

from crypto_quant.backtesting.simulator import BUY, Order, Simulator, TimeInForce


class Quotes:
    """Posts and withdraws maker's orders of one instrument.

    Parameters
    ----------
    simulator
        The market.
    qty
        Quantity of each quote, lots.
    """

    def __init__(self, simulator: Simulator, qty: int) -> None:
        self._simulator = simulator
        self._qty = qty
        self._ids = count(1)

    def show(self, orders: Iterable[Order], bids: Sequence[int], asks: Sequence[int]) -> None:
        """Make the working orders those at these ticks: cancel, then post bids, then asks."""
        simulator, taken = self._simulator, set()
        for order in orders:
            wanted = bids if order.side == BUY else asks
            if order.cancellable and order.price_tick not in wanted:
                simulator.cancel(0, order.order_id)
            taken.add(order.price_tick)
        for tick in bids:
            if tick not in taken:
                simulator.submit_buy_order(0, next(self._ids), tick, self._qty, TimeInForce.GTX)
        for tick in asks:
            if tick not in taken:
                simulator.submit_sell_order(0, next(self._ids), tick, self._qty, TimeInForce.GTX)


def to_next(now: int, step: int) -> int:
    """Return the time to the next multiple of a step, ns."""
    return step - now % step
