"""What every limit answers: one file a check."""

from __future__ import annotations

from typing import Protocol

from crypto_quant.core.messages import Order
from crypto_quant.strategy.risk_manager.batch import Batch
from crypto_quant.strategy.risk_manager.book import Proposal, RiskBook


class Check(Protocol):
    """One limit; it may cut a target or refuse an order, never enlarge one."""

    is_exposure: bool
    """Whether it limits exposure: then it never refuses an order that only shrinks."""

    is_of_venue: bool
    """Whether it is about what is sent: then it does not bind what sleeves trade among them."""

    def shrink(self, proposal: Proposal, book: RiskBook) -> int:
        """Return the target, or one of the same sign and smaller."""
        ...

    def clears(self, batch: Batch, book: RiskBook) -> bool:
        """Tell whether it certainly cuts and refuses nothing of them, at little cost.

        ``False`` says nothing: each side or order is then asked about, exactly.
        """
        ...

    def refusal(self, order: Order, book: RiskBook) -> str | None:
        """Return why the order may not leave, or ``None``."""
        ...
