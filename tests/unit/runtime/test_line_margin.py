"""Margin is asked for however an order comes to the venue."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from crypto_quant.core.messages import Alarm, Wake, Wallet
from crypto_quant.runtime.line import RecordedLine
from crypto_quant.runtime.line_spec import HOUR_NS, Deposit, LineSpec
from crypto_quant.venues.rules import load_instruments

START = 1_700_000_000 * 10**9 // HOUR_NS * HOUR_NS
PERP = load_instruments()["BTCUSDT-PERP.BINANCE"]


@pytest.mark.parametrize("before_end_ns", [20 * 10**6, 20 * 10**9])
def test_an_order_that_a_bar_ends_on_is_refused_where_nobody_can_pay(before_end_ns: int) -> None:
    spec = LineSpec(
        instruments=(PERP,),
        sleeves=("one",),
        features=(),
        series=(),
        quote="USDT",
        grid_ns=HOUR_NS,
        start=START,
        end=START + 4 * HOUR_NS,
        sim={"entry_latency_ns": 50 * 10**6, "response_latency_ns": 50 * 10**6},
        leverage=10,
    )
    line = RecordedLine(spec, [Deposit(0, Wallet.MARGIN, Decimal(100_000))])
    opens = START + HOUR_NS * np.arange(4)
    prices = np.full(4, 30_000 * 10**PERP.price_exp)
    volume = np.full(4, 10**6 * 10**PERP.qty_exp)
    line.native.add_bars(0, HOUR_NS, opens, opens + HOUR_NS, prices, prices, prices, prices, volume)
    due = START + 2 * HOUR_NS - before_end_ns
    quantity = 1_000 * 10**PERP.qty_exp
    while (wake := line.next()) is not None:
        if wake is Wake.TIMER and line.native.now == START + HOUR_NS:
            line.execute([Alarm(line.native.now, due, "late")])
        if wake is Wake.ALARM:
            line.native.place(1, 0, True, quantity, 0, None, None, False, [(0, quantity)])
    assert line.native.orders()["reason"] == ["insufficient_margin"]
    assert line.native.equity() == 100_000
