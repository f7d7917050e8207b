"""Nothing is borrowed: spot is bought with cash at hand and sold from what is held."""

from __future__ import annotations

from decimal import Decimal

from crypto_quant.core.messages import Order, Wallet
from crypto_quant.strategy.risk_manager.batch import Batch
from crypto_quant.strategy.risk_manager.book import Proposal, RiskBook
from crypto_quant.strategy.risk_manager.config import RiskConfig


class SpotBalance:
    """Cuts spot targets to the sleeve's cash, and to zero where they would be short."""

    is_exposure = False
    is_of_venue = False

    def __init__(self, config: RiskConfig) -> None:
        self._buffer = config.spot_buffer

    def shrink(self, proposal: Proposal, book: RiskBook) -> int:
        """Return the target or what the sleeve can pay for."""
        if not proposal.terms.is_spot:
            return proposal.target
        if proposal.target < 0:
            return 0
        if proposal.is_shrinking:
            return proposal.target
        if proposal.worth <= 0.0:
            return proposal.kept()
        cash = book.view.cash(proposal.sleeve, Wallet.SPOT, proposal.terms.venue)
        price = proposal.worth * (1.0 + self._buffer + proposal.terms.taker)
        more = max(0, int(cash / price)) // proposal.terms.lot * proposal.terms.lot
        return min(proposal.target, max(0, proposal.position) + more)

    def clears(self, batch: Batch, book: RiskBook) -> bool:
        """Tell that none of them trades spot."""
        return not batch.is_spot

    def refusal(self, order: Order, book: RiskBook) -> str | None:
        """Refuse a purchase that a sleeve cannot pay or a sale of what it does not hold."""
        terms = book.terms[order.instrument]
        if not terms.is_spot:
            return None
        px = book.entry_px(order)
        rate = 1 + Decimal(str(self._buffer)) + Decimal(str(terms.taker))
        for sleeve, quantity in order.allocations:
            if quantity < 0 and book.view.position(sleeve, order.instrument) + quantity < 0:
                return f"sleeve {sleeve} would sell more spot than it holds"
            if quantity > 0:
                spent = book.spent(sleeve, terms.venue)
                needed = (spent + terms.notional(px, quantity)) * rate
                cash = book.view.exact_cash(sleeve, Wallet.SPOT, terms.venue)
                if needed > cash:
                    return f"sleeve {sleeve} needs {needed:.2f} for spot and has {cash:.2f}"
        return None
