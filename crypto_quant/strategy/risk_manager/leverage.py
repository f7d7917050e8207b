"""Leverage of a sleeve."""

from __future__ import annotations

from crypto_quant.core.messages import Order
from crypto_quant.strategy.risk_manager.batch import SURE, Batch
from crypto_quant.strategy.risk_manager.book import Proposal, RiskBook
from crypto_quant.strategy.risk_manager.config import RiskConfig


class Leverage:
    """Keeps a sleeve's contracts within the leverage setting times its own equity.

    The setting is lowered to what the instrument's first margin bracket allows.
    """

    is_exposure = True
    is_of_venue = False

    def __init__(self, config: RiskConfig) -> None:
        self._leverage = config.leverage

    def shrink(self, proposal: Proposal, book: RiskBook) -> int:
        """Return the target or what the sleeve's equity allows."""
        if proposal.terms.is_spot:
            return proposal.target
        if proposal.worth <= 0.0:
            return proposal.kept()
        leverage = min(self._leverage, proposal.terms.max_leverage)
        free = leverage * book.view.sleeve_equity(proposal.sleeve)
        free -= book.contracts_beside(proposal, same_sleeve=True)
        return proposal.capped(free / proposal.worth)

    def clears(self, batch: Batch, book: RiskBook) -> bool:
        """Tell that each sleeve's contracts stay well within its own equity's."""
        for sleeve, instrument in batch.sizes:
            rule = book.terms[instrument]
            if rule.is_spot or sleeve not in batch.of_sleeve:
                continue
            most = rule.max_leverage
            leverage = most if most < self._leverage else self._leverage
            if batch.of_sleeve[sleeve] >= SURE * leverage * book.view.sleeve_equity(sleeve):
                return False
        return True

    def refusal(self, order: Order, book: RiskBook) -> str | None:
        """Never refuse: the sleeve's target was cut, and netting only lowers the sum."""
        return None
