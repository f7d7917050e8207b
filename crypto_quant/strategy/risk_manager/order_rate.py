"""A runaway loop is stopped before the venue stops it."""

from __future__ import annotations

from crypto_quant.core.messages import Order
from crypto_quant.strategy.risk_manager.batch import Batch
from crypto_quant.strategy.risk_manager.book import Proposal, RiskBook
from crypto_quant.strategy.risk_manager.config import RiskConfig


class OrderRate:
    """Refuses growing orders beyond so many at one wake-up and within one minute.

    All orders and amendments are counted; those that only shrink are never refused.
    """

    is_exposure = True
    is_of_venue = True

    def __init__(self, config: RiskConfig) -> None:
        self._per_wake = config.orders_per_wake
        self._per_minute = config.orders_per_minute

    def shrink(self, proposal: Proposal, book: RiskBook) -> int:
        """Return the target: a rate limits orders, not positions."""
        return proposal.target

    def clears(self, batch: Batch, book: RiskBook) -> bool:
        """Tell that the rate leaves room for all, and that they are the wake-up's first."""
        count = batch.orders
        if not count:
            return True
        sent, now = book.state.sent, book.now
        is_within = sent.within_minute(now) + count <= self._per_minute
        return is_within and count <= self._per_wake and not sent.at(now)

    def refusal(self, order: Order, book: RiskBook) -> str | None:
        """Refuse growth once the rate is reached.

        An order of quantity 0 is another price of one that may open: it grows by nothing, and is
        a message all the same.
        """
        if order.quantity and book.shrinks(order):
            return None
        sent, now = book.state.sent, book.now
        if sent.within_minute(now) >= self._per_minute:
            return f"{self._per_minute} orders within a minute"
        if sent.at(now) >= self._per_wake:
            return f"{self._per_wake} orders at one wake-up"
        return None
