"""Shape of the grid."""

from __future__ import annotations

from decimal import Decimal

from pydantic import Field, model_validator

from crypto_quant.core.config import Section


class GridConfig(Section):
    """How many quotes, how far apart, how large, and what moves them.

    ``levels`` quotes a side, ``gap`` ticks apart, each of ``size``; a side is no longer quoted
    once the position on it is ``most`` (both in the base asset, of an inverse contract in
    contracts). The best quotes are ``half`` ticks from the centre, plus ``vol`` times the
    deviation of the middle's moves between two wake-ups of the clock, an exponential average with
    the weight ``weight``; the centre lies ``skew`` ticks below the middle for each quote that is
    held.
    """

    levels: int = Field(default=5, ge=1, le=50)
    gap: int = Field(default=1, ge=1, le=100_000)
    size: Decimal = Field(default=Decimal("0.01"), gt=0, le=10**9)
    most: Decimal = Field(default=Decimal("0.2"), gt=0, le=10**9)
    half: float = Field(default=2.0, ge=0, le=100_000)
    vol: float = Field(default=0.5, ge=0, le=1_000)
    skew: float = Field(default=2.0, ge=0, le=100_000)
    weight: float = Field(default=0.01, gt=0, lt=1)

    @model_validator(mode="after")
    def _holds_a_quote(self) -> GridConfig:
        if self.most < self.size:
            raise ValueError("most must be at least size")
        return self
