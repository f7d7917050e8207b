"""A runaway loop is stopped before the venue stops it."""

from __future__ import annotations

from crypto_quant.core.messages import Order
from crypto_quant.strategy.risk_manager.book import Proposal, RiskBook
from crypto_quant.strategy.risk_manager.config import RiskConfig

MINUTE_NS = 60 * 10**9


class OrderRate:
    """Refuses growing orders beyond so many at one wake-up and within one minute.

    All orders are counted; those that only shrink are never refused.
    """

    is_exposure = True
    is_of_venue = True

    def __init__(self, config: RiskConfig) -> None:
        self._per_wake = config.orders_per_wake
        self._per_minute = config.orders_per_minute

    def shrink(self, proposal: Proposal, book: RiskBook) -> int:
        """Return the target: a rate limits orders, not positions."""
        return proposal.target

    def refusal(self, order: Order, book: RiskBook) -> str | None:
        """Refuse growth once the rate is reached."""
        sent = book.state.sent
        while sent and sent[0] <= book.now - MINUTE_NS:
            sent.popleft()
        if book.shrinks(order):
            return None
        if len(sent) >= self._per_minute:
            return f"{self._per_minute} orders within a minute"
        if sum(1 for ts in sent if ts == book.now) >= self._per_wake:
            return f"{self._per_wake} orders at one wake-up"
        return None
