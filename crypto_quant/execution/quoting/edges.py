"""Own best prices: what a new quote must not reach."""

from __future__ import annotations

from crypto_quant.core.terms import FOREVER
from crypto_quant.execution.order_manager import OrderManager


class Edges:
    """Best bid and ask of all live quotes of an instrument, and whose they are."""

    __slots__ = ("_ask", "_ask_of", "_bid", "_bid_of")

    def __init__(self, orders: OrderManager, instrument: int) -> None:
        self._bid, self._bid_of = 0, -1
        self._ask, self._ask_of = FOREVER, -1
        for sleeve, traded in orders.quoted():
            if traded == instrument:
                for at in orders.quotes(sleeve, instrument):
                    self.add(at, sleeve)

    def add(self, at: int, sleeve: int) -> None:
        """Take in a quote at a price, that of a sale negative."""
        if at > self._bid:
            self._bid, self._bid_of = at, sleeve
        elif at < 0 and -at < self._ask:
            self._ask, self._ask_of = -at, sleeve

    def met_by(self, at: int) -> int | None:
        """Return the sleeve whose quote one at this price would meet; ``None`` if none."""
        if at > 0:
            return self._ask_of if at >= self._ask else None
        return self._bid_of if -at <= self._bid else None
