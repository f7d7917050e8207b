"""Notional in total."""

from __future__ import annotations

from decimal import Decimal

from crypto_quant.core.messages import Order
from crypto_quant.strategy.risk_manager.batch import SURE, Batch
from crypto_quant.strategy.risk_manager.book import Proposal, RiskBook
from crypto_quant.strategy.risk_manager.config import RiskConfig


class Notional:
    """Keeps the gross notional of all sleeves, spot included, within a multiple of equity."""

    is_exposure = True
    is_of_venue = False

    def __init__(self, config: RiskConfig) -> None:
        self._multiple = config.notional
        self._sure = SURE * config.notional

    def shrink(self, proposal: Proposal, book: RiskBook) -> int:
        """Return the target or what the others leave of the limit."""
        if proposal.worth <= 0.0:
            return proposal.kept()
        free = self._multiple * book.equity - book.notional_beside(proposal)
        return proposal.capped(free / proposal.worth)

    def clears(self, batch: Batch, book: RiskBook) -> bool:
        """Tell that even the worst case stays well within the limit."""
        return batch.gross < self._sure * book.equity

    def refusal(self, order: Order, book: RiskBook) -> str | None:
        """Refuse growth beyond the limit."""
        growth = book.growth(order)
        if growth <= 0:
            return None
        notional = book.gross(contracts_only=False) + growth
        limit = Decimal(str(self._multiple)) * book.view.exact_equity()
        return f"notional {notional:.2f} above {limit:.2f}" if notional > limit else None
