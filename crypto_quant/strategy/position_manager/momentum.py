"""Plain momentum sleeve: the baseline that a model must beat."""

from __future__ import annotations

from pydantic import Field

from crypto_quant.core.config import Section
from crypto_quant.core.messages import Signal, Target
from crypto_quant.core.ports import AccountView
from crypto_quant.core.terms import Terms
from crypto_quant.strategy.position_manager.kelly import vol_target_leverage
from crypto_quant.strategy.position_manager.sizing import quantity_of
from crypto_quant.strategy.position_manager.stops import stop_px


class MomentumConfig(Section):
    """Size of the baseline.

    ``vol_target``: annualised; ``max_leverage``: of the sleeve's equity; ``band``: relative
    change of size below which nothing is traded; ``stop``: fraction of the price, far
    enough to act in a crash only.
    """

    vol_target: float = Field(default=0.40, gt=0, le=2)
    max_leverage: float = Field(default=1.0, gt=0, le=10)
    band: float = Field(default=0.10, ge=0, lt=1)
    stop: float = Field(default=0.20, gt=0, lt=0.5)


class MomentumSleeve:
    """Holds ``sign * min(max_leverage, vol_target / vol)`` of its equity, re-set once a day."""

    __slots__ = ("_config", "_instrument", "_name", "_sleeve")

    def __init__(self, config: MomentumConfig, sleeve: int, name: str, instrument: int) -> None:
        self._config = config
        self._sleeve = sleeve
        self._name = name
        self._instrument = instrument

    def on_signal(
        self, signal: Signal, vol: float, terms: Terms, view: AccountView
    ) -> Target | None:
        """Return the new target, or ``None`` where the size is near enough already."""
        config = self._config
        px = view.px(self._instrument)
        leverage = min(config.max_leverage, vol_target_leverage(config.vol_target, vol))
        stop = stop_px(px, signal.direction, px * config.stop, terms.tick)
        size = quantity_of(leverage * view.sleeve_equity(self._sleeve), px, stop, terms)
        wanted = signal.direction * size
        held = view.position(self._sleeve, self._instrument)
        if abs(wanted - held) <= config.band * abs(held):
            return None
        protection = stop if wanted else None
        return Target(view.now, self._name, self._instrument, wanted, protection, signal.reason)
