"""What a walk-forward run says it takes for true."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from crypto_quant.backtesting.engine.assumptions import assumptions
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
