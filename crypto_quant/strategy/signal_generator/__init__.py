"""Signals: direction, strength and reason; one file a generator, one line here."""

from __future__ import annotations

from typing import Final

from crypto_quant.strategy.signal_generator.directional import DirectionalSignal
from crypto_quant.strategy.signal_generator.imbalance import ImbalanceSignal
from crypto_quant.strategy.signal_generator.momentum import MomentumSignal

SIGNALS: Final = {
    "directional": DirectionalSignal,
    "momentum": MomentumSignal,
    "imbalance": ImbalanceSignal,
}
