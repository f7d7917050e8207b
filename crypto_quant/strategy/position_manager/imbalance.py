"""Imbalance sleeve: a small fixed size for seconds, always behind a stop."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from pydantic import Field

from crypto_quant.core.config import Section
from crypto_quant.core.messages import Signal, Target
from crypto_quant.core.ports import AccountView
from crypto_quant.core.terms import Terms
from crypto_quant.strategy.position_manager.sizing import is_sendable
from crypto_quant.strategy.position_manager.stops import stop_px

MS_NS: Final = 10**6
TIME_OUT: Final = "held long enough"


class ImbalanceConfig(Section):
    """Size and patience of the sleeve.

    ``size``: base asset, of an inverse contract contracts; ``stop``: fraction of the price;
    ``hold_ms``: longest time from the first order to the close; ``rest_ms``: pause after a close.
    """

    size: Decimal = Field(default=Decimal("0.01"), gt=0, le=10**9)
    stop: float = Field(default=0.001, gt=0, lt=0.1)
    hold_ms: int = Field(default=5_000, gt=0, le=86_400_000)
    rest_ms: int = Field(default=1_000, ge=0, le=86_400_000)


class ImbalanceSleeve:
    """Follows the imbalance signal with a fixed size; one position at a time.

    ``side``: the only sign (+1 or -1) that its position may have; 0: either.
    """

    __slots__ = (
        "_config",
        "_direction",
        "_instrument",
        "_name",
        "_ready",
        "_side",
        "_sleeve",
        "_until",
    )

    def __init__(
        self, config: ImbalanceConfig, sleeve: int, name: str, instrument: int, side: int = 0
    ) -> None:
        self._config = config
        self._sleeve = sleeve
        self._name = name
        self._instrument = instrument
        self._side = side
        self.reset()

    def reset(self) -> None:
        """Forget the position: the book was lost or a session has begun."""
        self._direction = 0
        self._until = 0
        self._ready = 0

    def on_timer(self, signal: Signal, terms: Terms, view: AccountView) -> Target | None:
        """Return the new target, or ``None`` while nothing changes."""
        now = view.now
        if self._direction:
            if signal.direction == self._direction and now < self._until:
                return None
            self._direction = 0
            self._ready = now + self._config.rest_ms * MS_NS
            reason = TIME_OUT if now >= self._until else signal.reason
            return Target(now, self._name, self._instrument, 0, None, reason)
        if signal.direction == 0 or now < self._ready:
            return None
        if self._side * signal.direction < 0:
            return None  # the other side's
        if view.position(self._sleeve, self._instrument):
            return None  # the last close is not filled yet
        return self._open(signal, terms, view)

    def _open(self, signal: Signal, terms: Terms, view: AccountView) -> Target | None:
        px = view.px(self._instrument)
        if px <= 0:
            return None
        direction = signal.direction
        stop = stop_px(px, direction, px * self._config.stop, terms.tick)
        quantity = terms.some_lots_of(self._config.size, "size.size")
        if not is_sendable(quantity, px, stop, terms):
            return None
        self._direction = direction
        self._until = view.now + self._config.hold_ms * MS_NS
        return Target(
            view.now, self._name, self._instrument, direction * quantity, stop, signal.reason
        )
