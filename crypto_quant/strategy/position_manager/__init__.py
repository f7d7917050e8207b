"""Positions: size, stop and end of a bet; one file a sleeve, one line here."""

from __future__ import annotations

from typing import Final

from crypto_quant.strategy.position_manager.directional import DirectionalSleeve
from crypto_quant.strategy.position_manager.imbalance import ImbalanceSleeve
from crypto_quant.strategy.position_manager.momentum import MomentumSleeve

SLEEVES: Final = {
    "directional": DirectionalSleeve,
    "momentum": MomentumSleeve,
    "imbalance": ImbalanceSleeve,
}
