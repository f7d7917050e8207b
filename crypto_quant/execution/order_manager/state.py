"""What is known of one order."""

from __future__ import annotations

from enum import StrEnum

from crypto_quant.core.errors import InvariantError
from crypto_quant.core.messages import Order, OrderType


class Status(StrEnum):
    """Life of an order."""

    NEW = "new"
    WORKING = "working"
    PARTIAL = "partially_filled"
    FILLED = "filled"
    CANCELLED = "cancelled"
    REJECTED = "rejected"


class OrderState:
    """An order and what became of it; ``filled`` is unsigned, on the grid.

    ``amended`` is what the order is once an amendment that is on its way has arrived.
    """

    __slots__ = ("amended", "filled", "is_cancelling", "order", "reason", "status")

    def __init__(self, order: Order) -> None:
        self.order = order
        self.status = Status.NEW
        self.filled = 0
        self.is_cancelling = False
        self.amended: Order | None = None
        self.reason = ""

    @property
    def is_stop(self) -> bool:
        """Whether it is a protective stop."""
        return self.order.type is OrderType.STOP_MARKET

    @property
    def remaining(self) -> int:
        """Quantity not traded yet, not negative."""
        return self.order.quantity - self.filled

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
        self.status = Status.PARTIAL if self.remaining else Status.FILLED
