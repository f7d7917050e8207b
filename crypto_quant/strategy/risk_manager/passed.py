"""Orders that were let through at one wake-up: the ones judged after them come on top."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from crypto_quant.core.messages import Order, OrderType
from crypto_quant.core.terms import Terms
from crypto_quant.strategy.risk_manager.own_prices import Priced

Key = tuple[int, int]
STOP_MARKET = OrderType.STOP_MARKET


class Passed:
    """What they may trade, signed, by (sleeve, instrument).

    Sleeves' own orders that only reduce are not in it.

    ``stopped`` is what protective stops would trade if they are reached, ``priced`` what sleeves'
    own orders that may open would, each at its price. ``spent`` is what spot purchases are about
    to pay, by (sleeve, venue), in the quote asset.
    """

    __slots__ = ("bought", "priced", "sold", "spent", "stopped")

    def __init__(self) -> None:
        self.bought: dict[Key, int] = {}
        self.sold: dict[Key, int] = {}
        self.stopped: dict[Key, int] = {}
        self.priced: dict[Key, list[Priced]] = {}
        self.spent: dict[tuple[int, str], Decimal] = {}

    def accept(self, order: Order, px: int, terms: Terms) -> None:
        """Count an order that is taken to trade at ``px``."""
        is_stop = order.type is STOP_MARKET and order.conditions is None
        for sleeve, quantity in order.allocations:
            key = (sleeve, order.instrument)
            side = self.bought if quantity > 0 else self.sold
            counts = self.stopped if is_stop else side  # a stop trades only if it is reached
            counts[key] = counts.get(key, 0) + quantity
            if quantity > 0 and terms.is_spot and not is_stop:
                at = (sleeve, terms.venue)
                paid = terms.notional(px, quantity)
                self.spent[at] = self.spent.get(at, Decimal(0)) + paid

    def accept_price(self, order: Order, px: int) -> None:
        """Count the price at which a sleeve's own order that may open is taken to trade."""
        if order.conditions is not None and not order.only_reduces:
            ((sleeve, quantity),) = order.allocations
            self.priced.setdefault((sleeve, order.instrument), []).append((quantity, px))


NONE_PASSED: Final = Passed()
"""What there is before an order is let through; nothing is ever added to it."""
