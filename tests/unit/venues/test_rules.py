"""The rule tables say what their sources say, and nothing more."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from crypto_quant.core.errors import ConfigError
from crypto_quant.venues.rules import load_instruments, universe_at
from crypto_quant.venues.rules.load import parse_rules


def ns(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 10**9


def test_tick_of_the_perpetual_changes_at_the_dated_moment() -> None:
    tick = load_instruments()["BTCUSDT-PERP.BINANCE"].tick
    assert tick is not None
    assert tick.at(ns("2022-02-15T02:59:59")) == (Decimal("0.01"), True)
    assert tick.at(ns("2022-02-15T03:00:00")) == (Decimal("0.1"), True)


def test_a_rule_before_its_first_row_is_marked_as_not_sourced() -> None:
    perp = load_instruments()["BTCUSDT-PERP.BINANCE"]
    assert perp.brackets is not None
    tiers, sourced = perp.brackets.at(ns("2020-01-01T00:00:00"))
    assert not sourced
    assert tiers[0].max_leverage == 125
    assert perp.fees["VIP0"].at(ns("2024-04-27T23:00:00"))[0].taker == Decimal("0.0004")
    assert perp.fees["VIP0"].at(ns("2024-04-28T00:00:00"))[0].taker == Decimal("0.0005")


def test_maintenance_margin_follows_the_published_table() -> None:
    native = load_instruments()["BTCUSDT-PERP.BINANCE"].native()
    at = ns("2025-08-20T00:00:00")
    # 12M tier of the current table: 1 % - 12 000, by hand.
    assert native.maintenance_margin(Decimal(10_000_000), at) == Decimal(88_000)
    # Continuous where tiers meet: 3M x 0.65 % - 1500 = 3M x 1 % - 12 000.
    assert native.maintenance_margin(Decimal(3_000_000), at) == Decimal(18_000)
    # The table of 2021 before it changed: 5 % tier.
    assert native.maintenance_margin(Decimal(15_000_000), ns("2021-06-01T00:00:00")) == Decimal(
        "483700"
    )


def test_every_row_names_a_source() -> None:
    for i in load_instruments().values():
        numbers = [t for t in (i.tick, i.lot, i.min_notional) if t is not None]
        sources = [row.source for table in numbers for row in table.rows]
        sources += [row.source for table in i.fees.values() for row in table.rows]
        sources += [row.source for row in i.brackets.rows] if i.brackets else []
        assert all(len(source) > 8 for source in sources)


def test_a_universe_as_of_a_past_date_lists_the_dead() -> None:
    ids_2022 = {i.id for i in universe_at(ns("2022-06-01T00:00:00"))}
    ids_2023 = {i.id for i in universe_at(ns("2023-06-01T00:00:00"))}
    assert "BTC-PERP.FTX" in ids_2022
    assert "BTC-PERP.FTX" not in ids_2023
    assert "BTCUSDT-PERP.BINANCE" not in {i.id for i in universe_at(ns("2019-01-01T00:00:00"))}


def test_an_instrument_without_sourced_fees_cannot_be_traded() -> None:
    with pytest.raises(ConfigError, match=r"BTC-PERP\.FTX: tick has no sourced row"):
        load_instruments()["BTC-PERP.FTX"].native()


def test_a_contradicting_bracket_table_is_refused() -> None:
    text = """
        [[instrument]]
        id = "X.V"
        symbol = "X"
        contract = "linear"
        base = "X"
        quote = "USDT"
        settle = "USDT"
        multiplier = "1"
        price_exp = 2
        qty_exp = 3
        [[instrument.brackets]]
        from = 2024-01-01T00:00:00Z
        source = "s"
        tiers = [["50000", "0.004", 125, "0"], ["250000", "0.005", 100, "51"]]
    """
    with pytest.raises(ConfigError, match="cum of the 250000 tier is 51, the recursion gives 50"):
        parse_rules(text, "v")
    with pytest.raises(ConfigError, match="ticks"):
        parse_rules(text.replace("price_exp = 2", "price_exp = 2\nticks = 1"), "v")
