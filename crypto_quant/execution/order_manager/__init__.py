"""Our orders, folded from commands and the venue's answers."""

from __future__ import annotations

from crypto_quant.execution.order_manager.orders import OrderManager
from crypto_quant.execution.order_manager.state import OrderState

__all__ = ["OrderManager", "OrderState"]
