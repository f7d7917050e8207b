"""The bare simulator: recorded markets, one account, and a loop in which time passes by calls."""

from crypto_quant.backtesting.simulator.order import (
    BUY,
    SELL,
    Order,
    OrderType,
    Status,
    TimeInForce,
)
from crypto_quant.backtesting.simulator.recorded import Market, of_session
from crypto_quant.backtesting.simulator.rules import AS_HFTBACKTEST
from crypto_quant.backtesting.simulator.simulator import ALL_ASSETS, Simulator
from crypto_quant.backtesting.simulator.values import Fill, StateValues, Trades

__all__ = [
    "ALL_ASSETS",
    "AS_HFTBACKTEST",
    "BUY",
    "SELL",
    "Fill",
    "Market",
    "Order",
    "OrderType",
    "Simulator",
    "StateValues",
    "Status",
    "TimeInForce",
    "Trades",
    "of_session",
]
