"""Plain momentum: the sign of the return over the last days, once a day."""

from __future__ import annotations

import math
from collections import deque

from pydantic import Field

from crypto_quant.core.config import Section
from crypto_quant.core.messages import Signal

DAY_NS = 86_400 * 10**9


class MomentumSignalConfig(Section):
    """``lookback_days``: days of the return whose sign is followed."""

    lookback_days: int = Field(default=30, ge=1, le=1000)


class MomentumSignal:
    """Sign of the return over ``lookback_days``, at the first wake-up of each UTC day.

    Daily closes are what was known at that wake-up; ``vol`` is the annualised deviation
    (365 days) of their log returns about zero, NaN before the look-back is full.

    References
    ----------
    Moskowitz, Ooi, Pedersen, "Time series momentum", J. Financial Economics 104 (2012).
    """

    __slots__ = ("_closes", "_day", "_sleeve", "vol")

    def __init__(self, config: MomentumSignalConfig, sleeve: str) -> None:
        self._sleeve = sleeve
        self._closes: deque[float] = deque(maxlen=config.lookback_days + 1)
        self.reset()

    def reset(self) -> None:
        """Forget the past: a new segment has begun."""
        self._closes.clear()
        self._day = -1
        self.vol = math.nan

    def __call__(self, now: int, price: float) -> Signal | None:
        """Return the day's signal, or ``None`` at every other wake-up and before warm-up."""
        day = now // DAY_NS
        if day == self._day or not price > 0.0:
            return None
        if day != self._day + 1:
            self._closes.clear()  # a day is missing: returns across it are not daily ones
        self._day = day
        closes = self._closes
        closes.append(price)
        if len(closes) < (closes.maxlen or 0):
            return None
        steps = [math.log(b / a) for a, b in zip(closes, list(closes)[1:], strict=False)]
        self.vol = math.sqrt(365.0 * sum(r * r for r in steps) / len(steps))
        change = closes[-1] / closes[0] - 1.0
        direction = (change > 0.0) - (change < 0.0)
        reason = f"return of {len(steps)} days {change:+.4f}"
        return Signal(now, self._sleeve, direction, float(abs(direction)), reason)
