"""What the venue would reject anyway: tick, lot, smallest notional."""

from __future__ import annotations

from crypto_quant.core.messages import Order
from crypto_quant.core.terms import Terms
from crypto_quant.strategy.risk_manager.batch import SURE, Batch
from crypto_quant.strategy.risk_manager.book import Proposal, RiskBook
from crypto_quant.strategy.risk_manager.config import RiskConfig


class OrderValidity:
    """Refuses orders off tick or lot, or below the smallest notional.

    Orders that only reduce a contract position may be smaller than the smallest notional.

    References
    ----------
    Binance USD-M exchangeInfo filters PRICE_FILTER, LOT_SIZE, MIN_NOTIONAL; error -4164
    exempts reduce-only orders.
    """

    is_exposure = False
    is_of_venue = True

    def __init__(self, config: RiskConfig) -> None:
        del config  # it has no limit of ours: the venue's rules bind
        self._enough: dict[int, tuple[Terms, float]] = {}

    def shrink(self, proposal: Proposal, book: RiskBook) -> int:
        """Return the target: validity is that of the order that netting makes."""
        return proposal.target

    def clears(self, batch: Batch, book: RiskBook) -> bool:
        """Tell that all are on tick and lot, and well above the smallest notional."""
        for instrument, (px, quantity, least) in batch.grids.items():
            terms = book.terms[instrument]
            if px % terms.tick or quantity % terms.lot:
                return False
            # of inverse contracts none has less than what all are multiples of
            smallest = quantity if terms.is_inverse else least
            if smallest <= self._least(instrument, terms):
                return False
        return True

    def _least(self, instrument: int, terms: Terms) -> float:
        """Return above what price times quantity all are certainly large enough, in grid units.

        Of an inverse contract above what quantity.
        """
        known = self._enough.get(instrument)
        if known is None or known[0] is not terms:
            unit = SURE * terms.worth(1)
            known = self._enough[instrument] = (terms, float(terms.min_notional) / unit)
        return known[1]

    def refusal(self, order: Order, book: RiskBook) -> str | None:
        """Refuse what the venue would reject."""
        terms = book.terms.get(order.instrument)
        if terms is None:
            return f"instrument {order.instrument} is not traded in this run"
        if order.quantity <= 0 or order.quantity % terms.lot:
            return f"quantity {order.quantity} is no positive multiple of the lot {terms.lot}"
        protect = None if order.conditions is None else order.conditions.protect
        for what, px in (("price", order.price), ("stop", order.stop), ("protect", protect)):
            if px is not None and (px <= 0 or px % terms.tick):
                return f"{what} {px} is no positive multiple of the tick {terms.tick}"
        if order.only_reduces and not terms.is_spot:
            return None
        if order.conditions is not None and order.only_reduces:
            return "only orders in contracts can be bound to reduce: sell what is held"
        px = order.price or order.stop or book.entry_px(order)
        notional = terms.notional(px, order.quantity)
        if notional < terms.min_notional:
            return f"notional {notional:.2f} below the venue's smallest {terms.min_notional}"
        return None
