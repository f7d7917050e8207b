"""Forecast of funding from settled rates only."""

from __future__ import annotations

import math

from crypto_quant.core.errors import InvariantError


class FundingForecast:
    """Exponentially weighted mean of settled funding rates, per hour.

    Each settlement of rate ``r`` over ``n`` hours adds ``r / n`` with weight
    ``w = 1 - 2 ** (-n / halflife_h)``; the weights given so far are normalised to one, so
    the first rates are not drawn towards zero. The rate that the venue is still averaging is
    never used. ``hourly`` is NaN before ``warmup`` settlements.
    """

    __slots__ = ("_halflife_h", "_mass", "_sum", "_ts", "_warmup", "hourly", "settlements")

    def __init__(self, halflife_h: float, warmup: int) -> None:
        self._halflife_h = halflife_h
        self._warmup = warmup
        self.reset()

    def reset(self) -> None:
        """Forget the past: a new segment has begun."""
        self._mass = self._sum = 0.0
        self._ts = -(2**63)
        self.hourly = math.nan
        self.settlements = 0

    def update(self, ts: int, rate: float, interval_h: float) -> None:
        """Learn a settled rate (fraction per ``interval_h`` hours; longs pay if positive).

        Raises
        ------
        InvariantError
            ``ts`` is not after the last settlement: a row was handed over twice.
        """
        if ts <= self._ts:
            raise InvariantError(f"funding settled at {ts}, expected one after {self._ts}")
        self._ts = ts
        weight = 1.0 - 0.5 ** (interval_h / self._halflife_h)
        self._sum += weight * (rate / interval_h - self._sum)
        self._mass += weight * (1.0 - self._mass)
        self.settlements += 1
        if self.settlements >= self._warmup:
            self.hourly = self._sum / self._mass

    def expected(self, horizon_h: float) -> float:
        """Return the funding that a short is expected to receive, a fraction of notional."""
        return self.hourly * horizon_h
