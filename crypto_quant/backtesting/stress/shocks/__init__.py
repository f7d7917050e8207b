"""Shocks by name. A new one is a file and a line here."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from crypto_quant.backtesting.stress.shocks.deleveraging import DELEVERAGING
from crypto_quant.backtesting.stress.shocks.depeg import depeg
from crypto_quant.backtesting.stress.shocks.depth import DEPTH
from crypto_quant.backtesting.stress.shocks.funding import capped
from crypto_quant.backtesting.stress.shocks.latency import LATENCY
from crypto_quant.backtesting.stress.shocks.mark import INDEX_OUTAGE, divergence
from crypto_quant.backtesting.stress.shocks.outages import DATA_GAP, VENUE_DOWN
from crypto_quant.backtesting.stress.shocks.price_gap import price_gap
from crypto_quant.backtesting.stress.shocks.spread import SPREAD
from crypto_quant.backtesting.stress.tape import Shock

_ALL: Final = (
    price_gap("gap_down", "Price gap, 20 % down", Decimal("-0.20")),
    price_gap("gap_up", "Price gap, 20 % up", Decimal("0.20")),
    DATA_GAP,
    SPREAD,
    DEPTH,
    VENUE_DOWN,
    LATENCY,
    INDEX_OUTAGE,
    depeg("usdt_down", "USDT 5 % below a dollar", Decimal("-0.05")),
    depeg("usdt_up", "USDT 5 % above a dollar", Decimal("0.05")),
    capped("funding_longs_pay", "Funding at its cap, longs pay", 1),
    capped("funding_shorts_pay", "Funding at its cap, shorts pay", -1),
    divergence("mark_above", "Mark 3 % above the last price", Decimal("0.03")),
    divergence("mark_below", "Mark 3 % below the last price", Decimal("-0.03")),
    DELEVERAGING,
)
SHOCKS: Final[dict[str, Shock]] = {shock.key: shock for shock in _ALL}
"""Every shock, in the order in which they are reported."""
