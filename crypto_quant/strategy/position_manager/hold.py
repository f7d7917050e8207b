"""Hold: a position that is taken once and kept, such as coins that are to be margin."""

from __future__ import annotations

from decimal import Decimal

from pydantic import Field

from crypto_quant.core.config import Section
from crypto_quant.core.messages import Target
from crypto_quant.core.ports import AccountView
from crypto_quant.core.terms import Terms

REASON = "hold"


class HoldConfig(Section):
    """How much is held; ``size``: base asset, of an inverse contract contracts."""

    size: Decimal = Field(default=Decimal("0.01"), gt=0, le=10**9)


class HoldSleeve:
    """Asks for its position at the first wake-up with a price; what becomes of it stays.

    ``side``: -1 sells a contract short.
    """

    __slots__ = ("_config", "_instrument", "_is_asked", "_name", "_side", "_sleeve")

    def __init__(
        self, config: HoldConfig, sleeve: int, name: str, instrument: int, side: int = 0
    ) -> None:
        self._config = config
        self._sleeve = sleeve
        self._name = name
        self._instrument = instrument
        self._side = -1 if side < 0 else 1
        self.reset()

    def reset(self) -> None:
        """Begin anew: a session ended flat."""
        self._is_asked = False

    def on_timer(self, terms: Terms, view: AccountView) -> Target | None:
        """Return the one target, once; ``None`` from then on.

        Raises
        ------
        ConfigError
            The size is less than a lot.
        """
        if self._is_asked or view.px(self._instrument) <= 0:
            return None
        quantity = terms.some_lots_of(self._config.size, "hold.size")
        self._is_asked = True
        return Target(view.now, self._name, self._instrument, self._side * quantity, None, REASON)
