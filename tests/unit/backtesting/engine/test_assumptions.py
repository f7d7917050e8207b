"""What a walk-forward run says it takes for true."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from crypto_quant.backtesting.engine.assumptions import assumptions, unsourced
from crypto_quant.runtime.config import RunConfig
from crypto_quant.venues.rules import load_instruments


def said(topic: str, **changes: object) -> list[str]:
    rules = load_instruments()
    traded = (rules["BTCUSDT-PERP.BINANCE"], rules["BTCUSDT.BINANCE"])
    inputs: Any = SimpleNamespace(segments=(), instruments=traded)
    config = RunConfig.model_validate(changes)
    return [
        row.text for row in assumptions(config, inputs, 1_700_000_000 * 10**9) if row.topic == topic
    ]


def test_latency_says_which_bar_fills_what_is_decided_at_a_close() -> None:
    """The rule of the simulated venue's bars, as its own tests hold it to."""
    (text,) = said("latency", sim={"entry_latency_ms": 70, "response_latency_ms": 30})
    assert text.startswith("70 ms to the venue, 30 ms back; constant.")
    assert (
        "decided at a bar's close fills at the next bar's open and is stamped 70 ms later" in text
    )
    assert "what was decided by then, an order or its withdrawal, is in place at it" in text


def test_rules_without_a_source_for_the_date_are_named_with_the_time_from_which_one_is() -> None:
    texts = said("not sourced for this date")
    assert "BTCUSDT.BINANCE: fees of tier VIP0 before 2027-01-01: the first row is used." in texts
    assert not any("brackets" in text for text in texts)


def unsourced_of(id_: str, at: str) -> list[str]:
    start = int(datetime.fromisoformat(at).replace(tzinfo=UTC).timestamp()) * 10**9
    rows = unsourced(load_instruments()[id_], "VIP0", start)
    assert {row.topic for row in rows} <= {"not sourced for this date"}
    return [row.text for row in rows]


def test_a_contract_without_brackets_says_that_its_margin_is_taken_as_nothing() -> None:
    """What is not known must not look like a margin of zero that somebody found."""
    nothing = "no margin brackets sourced: maintenance margin taken as 0, liquidated only where"
    texts = unsourced_of("ETHUSDT-PERP.BINANCE", "2025-01-01")
    assert f"ETHUSDT-PERP.BINANCE: {nothing} nothing is left" in texts
    assert "ETHUSDT-PERP.BINANCE: no liquidation fee sourced: the taker's fee is taken" in texts
    assert not any("brackets" in text for text in unsourced_of("BTCUSDT.BINANCE", "2025-01-01"))


def test_tiers_that_count_contracts_are_applied_to_what_they_hold() -> None:
    instrument = load_instruments()["BTC-USDT-SWAP.OKX"]
    start = int(datetime(2028, 1, 1, tzinfo=UTC).timestamp()) * 10**9
    # 1000 contracts of 0.01 BTC; 0.4 % of 10 BTC, and the taker's 0.05 %.
    assert instrument.margin_brackets is not None
    assert instrument.margin_brackets.at(start)[0][0].cap == 10
    assert instrument.margin_unit == "base"
    assert instrument.native().maintenance_margin(Decimal(10), start) == Decimal("0.045")
    assert unsourced_of("BTC-USDT-SWAP.OKX", "2028-01-01") == [
        "BTC-USDT-SWAP.OKX: no liquidation fee sourced: the taker's fee is taken",
    ]


def test_the_funding_interval_is_a_rule_like_the_others() -> None:
    text = "ETHUSDT-PERP.BINANCE: funding interval before 2027-01-01: the first row is used."
    assert text in unsourced_of("ETHUSDT-PERP.BINANCE", "2025-01-01")
    assert text not in unsourced_of("ETHUSDT-PERP.BINANCE", "2027-01-01")
    unknown = replace(load_instruments()["BTCUSDT-PERP.BINANCE"], funding_interval_h=None)
    (row,) = unsourced(unknown, "VIP0", 1_750_000_000 * 10**9)
    assert row.text == (
        "BTCUSDT-PERP.BINANCE: no funding interval sourced: a settlement that the catalog lacks "
        "goes unnoticed"
    )


def test_the_kind_and_the_size_of_a_contract_are_rules_like_the_others() -> None:
    texts = unsourced_of("BTCUSD-PERP.BINANCE", "2024-01-01")
    for what in ("contract kind", "contract size"):
        text = f"BTCUSD-PERP.BINANCE: {what} before 2026-09-26: the first row is used."
        assert text in texts
    assert not any(" contract " in text for text in unsourced_of("BTCUSDT.BINANCE", "2024-01-01"))
