"""A run that was liquidated says so: its orders, its figures, its report."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, NamedTuple

import pytest

from crypto_quant._native import Line
from crypto_quant.backtesting.engine import collect
from crypto_quant.backtesting.engine.liquidations import liquidation_findings, liquidation_rows
from crypto_quant.backtesting.engine.portfolio import Books
from crypto_quant.core.instruments import Instrument
from crypto_quant.venues.rules import load_instruments
from tests.unit.runtime.line_tape import (
    DATA_END,
    FREE,
    HOUR,
    MARKET,
    PERP,
    T0,
    line,
    perp,
    spot,
)

BRACKETS = [(0, [(Decimal(1_000_000), Decimal("0.004"), 125, Decimal(0))])]


class Traded(NamedTuple):
    """What the tables ask of a run's data."""

    instruments: tuple[Instrument, ...]


def crash(margin: str = "cross") -> Line:
    """Live through a crash of the first contract with a long of ten times the money."""
    rows = [(100, 100, 100, 100, 10_000), (100, 100, 89, 95, 10_000), (95, 95, 95, 95, 10_000)]
    traded = perp(brackets=BRACKETS, liquidation_fee=[(0, Decimal("0.0125"))])
    out = line(rows, sim={**FREE, "margin": margin}, instruments=[traded, spot()], cash="10000")
    out.set_leverage(PERP, 10)
    out.next()
    out.place(1, PERP, True, 900_000, MARKET, None, None, False, [(0, 900_000)])
    while out.next() != DATA_END:
        pass
    return out


def tables(out: Line) -> tuple[Books, Traded]:
    """Return the books of a line and what its grids are."""
    known = load_instruments()
    traded = Traded((known["BTCUSDT-PERP.BINANCE"], known["BTCUSDT.BINANCE"]))
    native = out
    books = Books(
        ("one",),
        native.equity_rows(),
        native.fills(),
        native.orders(),
        native.round_trips(),
        {1: "entry"},
    )
    return books, traded


def test_the_report_names_what_was_liquidated() -> None:
    out = crash()
    books, traded = tables(out)
    orders = collect.orders_table(books, traded)
    assert orders["reason"].to_pylist() == ["entry", "liquidation"]
    assert orders["state"].to_pylist() == ["filled", "filled"]
    (finding,) = liquidation_findings(orders)
    assert finding.severity == "error"
    assert finding.what == (
        "liquidated: the venue had 900 of BTCUSDT-PERP.BINANCE to sell, at 88.94 or better"
    )
    assert liquidation_findings(orders.slice(0, 1)) == ()
    fills = collect.fills_table(books, traded)
    assert fills["reason"].to_pylist() == ["entry", "liquidation"]
    (trip,) = collect.trips_table(books, traded, "portfolio", fills).to_pylist()
    assert trip["reason"] == "liquidation"


def test_a_liquidation_has_a_row_with_what_the_fund_settled() -> None:
    out = crash()
    (row,) = liquidation_rows(out.liquidations(), tables(out)[1].instruments)
    # 10 000 less a fee of 45: the price at which 9 955 is lost is 100 - 9 955 / 900 = 88.9389.
    expected: dict[str, Any] = {
        "order_id": 1 << 62,
        "ts_event": T0 + 2 * HOUR - 1,
        "ts_recv": T0 + 2 * HOUR,
        "instrument": "BTCUSDT-PERP.BINANCE",
        "side": "sell",
        "quantity": "900.000",
        "bankruptcy_price": "88.94",
        "is_takeover": True,
        "insurance": "-1",
        "deficit": "0",
        "is_adl": False,
    }
    assert row == expected
    assert out.balance(0, "USDT") == 0
    assert liquidation_rows(out.liquidations(), tables(out)[1].instruments, 1) == []


def test_isolated_margin_leaves_the_rest_of_the_wallet() -> None:
    # 90 000 / 10 is set aside; what the fee took of the rest is gone.
    assert crash("isolated").balance(0, "USDT") == Decimal(10_000 - 45 - 9_000)


def test_margin_is_cross_or_isolated() -> None:
    with pytest.raises(ValueError, match=r"sim\.margin: expected one of cross, isolated"):
        crash("joint")
