"""A maker whose own money is taken from it: only coins that another book buys margin it."""

from __future__ import annotations

UNPLEDGED = """
strategy = "grid"
[risk]
require_stop = false
loss_at_stop = 0.9
notional = 10
initial_margin = 0.9
leverage = 10
orders_per_minute = 1000000
[grid]
levels = 1
most = "0.02"
[markets.coins]
instrument = "BTCUSDT.BINANCE"
strategy = "hold"
capital = 70000
[markets.coins.hold]
size = 1
[markets.maker]
instrument = "BTCUSDT-PERP.BINANCE"
capital = 1000
[transfers.emptied]
book = "maker"
amount = 1000
"""
PLEDGED = f"""{UNPLEDGED}
[transfers.coins]
book = "coins"
asset = "BTC"
amount = "0.9"
after_s = 20
[venue]
collateral = ["BTC"]
"""
