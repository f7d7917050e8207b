"""Figures of several markets as people read them."""

from __future__ import annotations

from typing import Any

from crypto_quant.backtesting.visualization import market_text, tick_text


def book(most: str, end: str) -> dict[str, Any]:
    """Return a book that did little."""
    return {
        "orders": {"sent": 2, "rejected": 0},
        "fills": {"taker": 2, "maker": 0},
        "traded": "100",
        "pnl": dict.fromkeys(("total", *tick_text.PARTS), "0"),
        "most_held": most,
        "position_end": end,
    }


def market(name: str, base: str) -> dict[str, str]:
    known = {"instrument": f"{base}USDT.BINANCE", "side": "both", "strategy": "hold"}
    return {"name": name, "base": base, "venue": "BINANCE", "capital": "1000", **known}


VENUE = {"mode": "one-way", "balances": {}, "transfers": []}
BOOKS = {"coins": book("1.00000000", "0.90000000"), "short": book("12.50", "-10.00")}
METRICS = {
    "markets": [market("coins", "BTC"), market("short", "ETH")],
    "sessions": [
        {
            "session": "S",
            "markets": BOOKS,
            "venues": {"BINANCE": book("0", "0") | VENUE},
        }
    ],
}


def test_what_is_held_is_in_the_base_asset_at_most_and_at_the_end() -> None:
    books, _ = market_text.tables(METRICS)
    rows = dict(books.rows)
    assert rows["most held"] == ("1 BTC", "12.5 ETH")
    assert rows["position at end"] == ("0.9 BTC", "-10 ETH")
    said = [line.split() for block in market_text.lines(METRICS) for line in block.splitlines()]
    assert ["most", "held", "1", "BTC", "12.5", "ETH"] in said
    assert ["position", "at", "end", "0.9", "BTC", "-10", "ETH"] in said


def test_a_run_on_one_market_says_it_in_the_base_asset_too() -> None:
    session = book("1.000", "-0.250") | {"session": "S"}
    metrics: dict[str, Any] = {"markets": [market("imbalance", "BTC")], "sessions": [session]}
    metrics["band"] = {"cells": [{}]}
    rows = dict(tick_text.session_rows(metrics))
    assert rows["position at end"](session) == "-0.25 BTC"


def test_parts_of_the_pnl_are_plain_words_and_nothing_is_less_than_zero_by_nothing() -> None:
    """-0.00004 is shown to four decimals: it is nothing, and so is what it is written as."""
    paid = book("1", "-0")
    paid["pnl"] |= {"transfer_fees": "-1.5", "fees": "-0.00004", "total": "-1.50004"}
    account = book("0", "0") | VENUE | {"balances": {"spot BTC": "-0.000000001"}}
    session = {"session": "S", "markets": {"coins": paid}, "venues": {"BINANCE": account}}
    metrics: dict[str, Any] = {"markets": [market("coins", "BTC")], "sessions": [session]}
    books, venues = market_text.tables(metrics)
    rows = dict(books.rows)
    assert rows["P&L transfer fees"] == ("-1.5000",)
    assert rows["P&L fees"] == ("+0.0000",)
    assert rows["position at end"] == ("0 BTC",)
    assert dict(venues.rows)["spot BTC"] == ("0",)
    alone = dict(tick_text.session_rows(metrics | {"sessions": [paid], "band": {"cells": [{}]}}))
    assert alone["P&L fees"](paid) == "+0.0000"
    cell = {"queue": "risk_averse", "latency": "p99", "pnl": "-0.001"}
    band = {"pnl": {"worst": "-0.001", "best": "0.001"}, "judged": cell, "cells": [cell] * 2}
    said = list(tick_text.verdict({"capital": "10", "band": band | {"rests": False}}))
    assert said == [
        "P&L +0.00 at the pessimistic end (latency p99); 10 became 10.00",
        "the same over the band",
    ]
