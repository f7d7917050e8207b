"""Orders that sleeves send themselves: by their names, and what the exits among them may close."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from crypto_quant.core.errors import InvariantError
from crypto_quant.core.messages import Order, OrderStatus, Side
from crypto_quant.core.tickets import OrderReport
from crypto_quant.execution.order_manager.state import OrderState

Key = tuple[int, int]
Name = tuple[int, str]
NONE_PRICED: Final[Mapping[Key, Sequence[tuple[int, int]]]] = MappingProxyType({})


def name_of(order: Order) -> Name:
    """Return whose order it is, and its name there.

    Raises
    ------
    InvariantError
        No sleeve sent it itself.
    """
    if order.conditions is None:
        raise InvariantError(f"order {order.id} is no sleeve's own")
    return order.allocations[0].sleeve, order.conditions.ticket


class NamedOrders:
    """Sleeves' own orders: those that live, and the last report of each name.

    ``exits`` has what orders that only reduce may still (buy, sell) by (sleeve, instrument),
    unsigned; only where that is not nothing.
    """

    __slots__ = ("_exits", "_live", "_reports", "exits")

    def __init__(self) -> None:
        self._live: dict[Name, OrderState] = {}
        self._reports: dict[Name, OrderReport] = {}
        self._exits: dict[Key, tuple[int, int]] = {}
        self.exits: Mapping[Key, tuple[int, int]] = MappingProxyType(self._exits)

    def live(self, name: Name) -> OrderState | None:
        """Return a sleeve's own order that lives."""
        return self._live.get(name)

    def report(self, name: Name) -> OrderReport | None:
        """Return what is known of the last order of a name."""
        state = self._live.get(name)
        return self._reports.get(name) if state is None else _report(state)

    def openings(self) -> list[OrderState]:
        """Return live orders that may open a position, oldest first."""
        return [state for state in self._live.values() if not state.order.only_reduces]

    def priced(self) -> Mapping[Key, Sequence[tuple[int, int]]]:
        """Return what openings with a price may still trade: (signed quantity, price) of each.

        The price is the limit, else the trigger; while an amendment is on its way the higher one.
        """
        if not self._live:
            return NONE_PRICED
        found: dict[Key, list[tuple[int, int]]] = {}
        for state in self.openings():
            order, after = state.order, state.amended or state.order
            px = max(order.price or order.stop or 0, after.price or after.stop or 0)
            if px:
                left = state.pending if order.side is Side.BUY else -state.pending
                key = (order.allocations[0].sleeve, order.instrument)
                found.setdefault(key, []).append((left, px))
        return found

    def take(self, state: OrderState) -> None:
        """Take up an order that leaves."""
        name = name_of(state.order)
        if name in self._live:
            raise InvariantError(f"order {state.order.id}: its name {name[1]!r} is that of another")
        self._live[name] = state

    def end(self, state: OrderState) -> None:
        """Keep the last report of an order that is done."""
        name = name_of(state.order)
        del self._live[name]
        self._reports[name] = _report(state)._replace(is_changing=False)

    def refuse(self, order: Order, reason: str) -> None:
        """Note that the risk manager refused an order, or what it was to become."""
        name = name_of(order)
        state = self._live.get(name)
        if state is not None:
            state.reason = reason
            return
        refused = OrderStatus.REJECTED
        self._reports[name] = OrderReport(
            order.id, refused, order.quantity, 0, order.price, False, reason
        )

    def count_exit(self, order: Order, change: int) -> None:
        """Add to what exits on the side of an order may still trade, unsigned."""
        key = (order.allocations[0].sleeve, order.instrument)
        bought, sold = self._exits.get(key, (0, 0))
        if order.side is Side.BUY:
            bought += change
        else:
            sold += change
        if bought or sold:
            self._exits[key] = (bought, sold)
        else:
            self._exits.pop(key, None)

    def reset(self) -> None:
        """Forget them: a new segment has begun."""
        self._live.clear()
        self._reports.clear()
        self._exits.clear()


def _report(state: OrderState) -> OrderReport:
    order = state.order
    is_changing = state.is_cancelling or state.amended is not None
    return OrderReport(
        order.id, state.status, order.quantity, state.filled, order.price, is_changing, state.reason
    )
