"""Cash and carry: spot long and perpetual short of the same size, for the funding."""

from __future__ import annotations

from crypto_quant.strategy.carry.config import CarryConfig
from crypto_quant.strategy.carry.forecast import FundingForecast
from crypto_quant.strategy.carry.sleeve import CarrySleeve

__all__ = ["CarryConfig", "CarrySleeve", "FundingForecast"]
