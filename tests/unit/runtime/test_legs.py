"""Hedge mode through commands: two positions of one contract, by hand."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from crypto_quant.core.errors import ConfigError, DataError
from crypto_quant.core.messages import (
    RISK_SEAL,
    Allocation,
    Approved,
    Order,
    OrderType,
    Place,
    Side,
    Wake,
    Wallet,
)
from crypto_quant.runtime.legs import BOTH, LONG, SHORT, legs_of
from crypto_quant.runtime.line import RecordedLine
from crypto_quant.runtime.line_spec import HOUR_NS, Deposit, LineSpec
from crypto_quant.venues.rules import load_instruments

START = 1_700_000_000 * 10**9 // HOUR_NS * HOUR_NS
KNOWN = load_instruments()
PERP, SPOT, OTHER = (
    KNOWN[name] for name in ("BTCUSDT-PERP.BINANCE", "BTCUSDT.BINANCE", "BTCUSDT-PERP.BYBIT")
)


def test_contracts_of_the_venue_get_a_short_leg_and_others_do_not() -> None:
    legs = legs_of((PERP, SPOT, OTHER), ("BINANCE",))
    assert [i.id for i in legs.instruments[3:]] == ["BTCUSDT-PERP-SHORT.BINANCE"]
    assert legs.pairs == ((0, 3),)
    assert legs.sides == (LONG, BOTH, BOTH, SHORT)
    assert legs.short(0) == 3
    with pytest.raises(ConfigError, match=r"BTCUSDT-PERP\.BYBIT: its account is in one-way mode"):
        legs.short(2)
    with pytest.raises(ConfigError, match="hedged: expected venues of BINANCE, was OKX"):
        legs_of((PERP,), ("OKX",))
    assert legs_of((PERP,), ()).instruments == (PERP,)


def order(number: int, instrument: int, signed: int, *, reduces: bool = False) -> Place:
    """Return a market order of a whole number of coins."""
    quantity = signed * 10**PERP.qty_exp
    side = Side.BUY if signed > 0 else Side.SELL
    parts = (Allocation(0, quantity),)
    made = Order(
        0, number, instrument, side, abs(quantity), OrderType.MARKET, None, None, reduces, parts, ""
    )
    return Place(Approved(made, (), RISK_SEAL))


def hedged(sim: dict[str, object]) -> RecordedLine:
    """Return six hours without data of an account in hedge mode with a million."""
    spec = LineSpec(
        instruments=(PERP,),
        sleeves=("one",),
        features=(),
        series=(),
        quote="USDT",
        grid_ns=HOUR_NS,
        start=START,
        end=START + 6 * HOUR_NS,
        sim=sim,
        leverage=10,
        hedged=("BINANCE",),
    )
    return RecordedLine(spec, [Deposit(0, Wallet.MARGIN, Decimal(1_000_000))])


def test_both_positions_live_beside_each_other_and_add_up() -> None:
    line = hedged({"slippage_floor_bps": 0, "impact_y": 0.0, "max_participation": 1})
    opens = START + HOUR_NS * np.arange(6)
    price = 10**PERP.price_exp
    prices = np.array([30_000, 30_000, 31_000, 32_000, 32_000, 32_000]) * price
    volume = np.full(6, 1_000 * 10**PERP.qty_exp)
    line.native.add_bars(0, HOUR_NS, opens, opens + HOUR_NS, prices, prices, prices, prices, volume)
    short = line.legs.short(0)
    sent = {
        1: [order(1, 0, 3), order(2, short, -2)],
        2: [order(3, 0, -1, reduces=True), order(4, short, 5)],
        3: [order(5, short, 1)],
    }
    held = []
    timers = 0
    while (wake := line.next()) is not None:
        if wake is Wake.TIMER:
            both = (line.native.sleeve_position(0, leg) for leg in (0, short))
            held.append(tuple(quantity // 10**PERP.qty_exp for quantity in both))
            line.execute(sent.get(timers, []))
            timers += 1
    assert held == [(0, 0), (0, 0), (3, -2), (2, -2), (2, -1), (2, -1)]
    fee = Decimal(str(dict(PERP.fees)["VIP0"].at(START)[0].taker))
    # Long 3 from 30 000: 1 sold at 31 000, 2 closed at 32 000. Short 2: closed at 32 000.
    gained = 1_000 + 2 * 2_000 - 2 * 2_000
    traded = 3 * 30_000 + 2 * 30_000 + 31_000 + 32_000 + 2 * 32_000 + 32_000
    assert line.native.equity() == 1_000_000 + gained - traded * fee


def test_what_would_open_a_leg_cannot_be_sent_as_reducing_it() -> None:
    line = hedged({})
    assert line.next() is Wake.TIMER
    with pytest.raises(DataError, match="order 1: a long leg is opened by it, not reduced"):
        line.execute([order(1, 0, 3, reduces=True)])
    with pytest.raises(DataError, match="order 2: a short leg is opened by it, not reduced"):
        line.execute([order(2, line.legs.short(0), -3, reduces=True)])
