"""Risk: checks that shrink targets and stamp orders; one file a check, one line here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from crypto_quant.strategy.risk_manager.check import Check
from crypto_quant.strategy.risk_manager.config import RiskConfig
from crypto_quant.strategy.risk_manager.daily_loss import DailyLoss
from crypto_quant.strategy.risk_manager.initial_margin import InitialMargin
from crypto_quant.strategy.risk_manager.leverage import Leverage
from crypto_quant.strategy.risk_manager.loss_at_stop import LossAtStop
from crypto_quant.strategy.risk_manager.notional import Notional
from crypto_quant.strategy.risk_manager.order_rate import OrderRate
from crypto_quant.strategy.risk_manager.order_validity import OrderValidity
from crypto_quant.strategy.risk_manager.spot_balance import SpotBalance

CHECKS: Final[dict[str, Callable[[RiskConfig], Check]]] = {
    "order_validity": OrderValidity,
    "daily_loss": DailyLoss,
    "loss_at_stop": LossAtStop,
    "leverage": Leverage,
    "notional": Notional,
    "initial_margin": InitialMargin,
    "spot_balance": SpotBalance,
    "order_rate": OrderRate,
}
