"""The bare simulator: recorded markets, one account, and a loop in which time passes by calls."""

from crypto_quant.backtesting.simulator.known import ALL_ASSETS
from crypto_quant.backtesting.simulator.order import (
    BUY,
    SELL,
    Conditions,
    Order,
    OrderType,
    PositionSide,
    Status,
    TimeInForce,
    TriggerBy,
)
from crypto_quant.backtesting.simulator.recorded import Market, of_session
from crypto_quant.backtesting.simulator.rules import AS_HFTBACKTEST
from crypto_quant.backtesting.simulator.simulator import Simulator
from crypto_quant.backtesting.simulator.values import Fill, MoneyTransfer, StateValues, Trades
from crypto_quant.core.messages import Wallet
from crypto_quant.runtime.line_spec import Deposit
from crypto_quant.runtime.tape import Settlements

__all__ = [
    "ALL_ASSETS",
    "AS_HFTBACKTEST",
    "BUY",
    "SELL",
    "Conditions",
    "Deposit",
    "Fill",
    "Market",
    "MoneyTransfer",
    "Order",
    "OrderType",
    "PositionSide",
    "Settlements",
    "Simulator",
    "StateValues",
    "Status",
    "TimeInForce",
    "Trades",
    "TriggerBy",
    "Wallet",
    "of_session",
]
