"""After the day's loss limit only shrinking orders pass, until the next UTC day.

After the operator's kill they do for good.
"""

from __future__ import annotations

from typing import Final

from crypto_quant.core.messages import Order
from crypto_quant.strategy.risk_manager.batch import Batch
from crypto_quant.strategy.risk_manager.book import Proposal, RiskBook
from crypto_quant.strategy.risk_manager.config import RiskConfig

KILLED: Final = "killed by the operator: shrinking orders only"


class DailyLoss:
    """Keeps targets between flat and the position once the day is halted.

    The manager latches the halt at the wake-up at which the equity is first seen at or
    below ``(1 - daily_loss)`` of that at 00:00 UTC; a recovery does not lift it.
    """

    is_exposure = True
    is_of_venue = False

    def __init__(self, config: RiskConfig) -> None:
        self._words = f"{config.daily_loss:.1%} of the day's equity lost: shrinking orders only"

    def shrink(self, proposal: Proposal, book: RiskBook) -> int:
        """Return the target, on a halted day what it keeps of the position."""
        return proposal.kept() if book.is_halted else proposal.target

    def clears(self, batch: Batch, book: RiskBook) -> bool:
        """Tell that the day is not halted."""
        return not book.is_halted

    def refusal(self, order: Order, book: RiskBook) -> str | None:
        """Refuse growth on a halted day."""
        if not book.is_halted or book.shrinks(order):
            return None
        return KILLED if book.state.is_killed else self._words
