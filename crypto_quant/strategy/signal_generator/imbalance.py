"""Order-book imbalance: lean with the heavier side of the book while it lasts."""

from __future__ import annotations

from typing import Final

from pydantic import Field, model_validator

from crypto_quant.core.config import Section
from crypto_quant.core.messages import Signal

BALANCED: Final = "book balanced"
HEAVY_BIDS: Final = "bids outweigh asks"
HEAVY_ASKS: Final = "asks outweigh bids"
NO_BOOK: Final = "no valid book"


class ImbalanceSignalConfig(Section):
    """When a signal starts and ends.

    ``enter``: imbalance that starts one after ``persist`` wake-ups in a row; ``leave``:
    imbalance at which it ends.
    """

    enter: float = Field(default=0.6, gt=0, lt=1)
    leave: float = Field(default=0.0, ge=0, lt=1)
    persist: int = Field(default=3, ge=1, le=1_000_000)

    @model_validator(mode="after")
    def _ordered(self) -> ImbalanceSignalConfig:
        if self.leave >= self.enter:
            raise ValueError("leave must be below enter")
        return self


class ImbalanceSignal:
    """Direction of ``(bid size - ask size) / (bid size + ask size)``, with hysteresis.

    References
    ----------
    Gould, Bonart, "Queue imbalance as a one-tick-ahead price predictor in a limit order
    book", Market Microstructure and Liquidity 2 (2016).
    """

    __slots__ = ("_config", "_direction", "_run", "_sleeve")

    def __init__(self, config: ImbalanceSignalConfig, sleeve: str) -> None:
        self._config = config
        self._sleeve = sleeve
        self.reset()

    def reset(self) -> None:
        """Forget the past: the book was lost."""
        self._direction = 0
        self._run = 0

    def __call__(self, now: int, imbalance: float) -> Signal:
        """Return the signal of an imbalance in [-1, 1]; NaN (no book) is flat and resets."""
        if imbalance != imbalance:
            self.reset()
            return Signal(now, self._sleeve, 0, 0.0, NO_BOOK)
        config = self._config
        if self._direction * imbalance <= config.leave:
            self._direction = 0
        side = (imbalance >= config.enter) - (imbalance <= -config.enter)
        if side == 0:
            self._run = 0
        else:
            self._run = self._run + side if self._run * side > 0 else side
            if self._run * side >= config.persist:
                self._direction = side
        if self._direction == 0:
            return Signal(now, self._sleeve, 0, 0.0, BALANCED)
        reason = HEAVY_BIDS if self._direction > 0 else HEAVY_ASKS
        return Signal(now, self._sleeve, self._direction, min(1.0, abs(imbalance)), reason)
