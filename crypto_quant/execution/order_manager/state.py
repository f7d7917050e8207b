"""What is known of one order."""

from __future__ import annotations

from crypto_quant.core.errors import InvariantError
from crypto_quant.core.messages import Order, OrderStatus, OrderType

# Looking up a member of an enum costs ten times what a module's name does.
NEW, STOP_MARKET = OrderStatus.NEW, OrderType.STOP_MARKET


class OrderState:
    """An order and what became of it; ``filled`` is unsigned, on the grid.

    ``is_stop`` tells a protective stop that execution keeps; ``amended`` is what the order is once
    an amendment that is on its way has arrived.
    """

    __slots__ = (
        "amended",
        "filled",
        "is_cancelling",
        "is_stop",
        "order",
        "reason",
        "status",
    )

    def __init__(self, order: Order) -> None:
        self.order = order
        self.is_stop = order.type is STOP_MARKET and order.conditions is None
        self.status = NEW
        self.filled = 0
        self.is_cancelling = False
        self.amended: Order | None = None
        self.reason = ""

    @property
    def remaining(self) -> int:
        """Quantity not traded yet, not negative."""
        return self.order.quantity - self.filled

    @property
    def pending(self) -> int:
        """Quantity that may still trade, an amendment on its way included; not negative."""
        after = self.amended
        whole = self.order.quantity
        return (whole if after is None else max(whole, after.quantity)) - self.filled

    def fill(self, quantity: int) -> None:
        """Count a fill.

        Raises
        ------
        InvariantError
            More was filled than ordered.
        """
        if not 0 < quantity <= self.remaining:
            raise InvariantError(
                f"order {self.order.id}: a fill of {quantity}, expected 1 to {self.remaining}"
            )
        self.filled += quantity
        self.status = OrderStatus.PARTIAL if self.remaining else OrderStatus.FILLED
