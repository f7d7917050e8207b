"""Initial margin in total."""

from __future__ import annotations

from decimal import Decimal

from crypto_quant.core.messages import Order
from crypto_quant.strategy.risk_manager.batch import SURE, Batch
from crypto_quant.strategy.risk_manager.book import Proposal, RiskBook
from crypto_quant.strategy.risk_manager.config import RiskConfig


class InitialMargin:
    """Keeps the initial margin of all contracts within ``initial_margin`` of equity.

    Margin is gross notional of the sleeves' contracts over the venue's leverage setting;
    spot is paid in full and needs none.

    References
    ----------
    Binance USD-M futures: initial margin = notional / leverage.
    """

    is_exposure = True
    is_of_venue = False

    def __init__(self, config: RiskConfig) -> None:
        self._share = config.initial_margin
        self._sure = SURE * config.initial_margin
        self._leverage = config.leverage

    def shrink(self, proposal: Proposal, book: RiskBook) -> int:
        """Return the target or what the free margin allows."""
        if proposal.terms.is_spot:
            return proposal.target
        if proposal.worth <= 0.0:
            return proposal.kept()
        others = book.contracts_beside(proposal, same_sleeve=False)
        free = self._share * book.equity * self._leverage - others
        return proposal.capped(free / proposal.worth)

    def clears(self, batch: Batch, book: RiskBook) -> bool:
        """Tell that even the worst case stays well within the limit."""
        return batch.contracts < self._sure * book.equity * self._leverage

    def refusal(self, order: Order, book: RiskBook) -> str | None:
        """Refuse growth beyond the limit."""
        if book.terms[order.instrument].is_spot:
            return None
        growth = book.growth(order)
        if growth <= 0:
            return None
        margin = (book.gross(contracts_only=True) + growth) / self._leverage
        limit = Decimal(str(self._share)) * book.view.exact_equity()
        return f"initial margin {margin:.2f} above {limit:.2f}" if margin > limit else None
