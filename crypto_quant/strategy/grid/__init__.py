"""Grid market maker: quotes at equal distances on both sides, moved against its position."""

from __future__ import annotations

from crypto_quant.strategy.grid.config import GridConfig
from crypto_quant.strategy.grid.sleeve import GridSleeve

__all__ = ["GridConfig", "GridSleeve"]
