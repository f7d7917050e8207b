"""The rule tables say what their sources say, and nothing more."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from importlib import resources
from typing import Any

import pytest

from crypto_quant.core.errors import ConfigError
from crypto_quant.core.instruments import Bracket, Dated, Fees, Row
from crypto_quant.venues.rules import load_instruments, universe_at
from crypto_quant.venues.rules.load import VENUES, parse_rules

ONE_TICK = """
[[instrument]]
id = "X.V"
symbol = "X"
base = "X"
quote = "USDT"
settle = "USDT"
price_exp = 2
qty_exp = 3
contract = [{{ from = 2024-01-01T00:00:00Z, value = "linear", source = "a source" }}]
multiplier = [{{ from = 2024-01-01T00:00:00Z, value = "1", source = "a source" }}]
tick = [{{ from = {}, value = "0.1", source = "a source" }}]
"""


def ns(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 10**9


def _rows() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield every dated row of every table as it is written: where, which table, the row."""
    folder = resources.files("crypto_quant.venues.rules")
    for venue in VENUES:
        for entry in tomllib.loads((folder / f"{venue}.toml").read_text("utf-8"))["instrument"]:
            for table, rows in entry.items():
                for row in rows if isinstance(rows, list) else ():
                    yield f"{entry['id']} {table} from {row['from']}", table, row


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
    rows = list(_rows())
    rules = {"contract", "multiplier", "tick", "fees", "brackets", "funding_interval_h"}
    assert {table for _, table, _ in rows} >= rules
    for where, _, row in rows:
        assert len(str(row["source"])) > 8, where


def test_no_row_has_a_day_that_its_source_does_not_state() -> None:
    """A source without a day dates a row by its year or month; a first of a month is said."""
    for where, _, row in _rows():
        start, source = row["from"], str(row["source"])
        if re.search("day not (stated|found)", source):
            assert isinstance(start, str), where
        if isinstance(start, str):
            assert start in source, where
        elif (start.day, start.hour, start.minute) == (1, 0, 0):
            assert f"{start:%Y-%m-%d}" in source, where


@pytest.mark.parametrize(
    ("said", "since"),
    [("2026", "2027-01-01"), ("2023-02", "2023-03-01"), ("2023-12", "2024-01-01")],
)
def test_a_row_without_a_day_is_in_force_once_its_period_is_over(said: str, since: str) -> None:
    (instrument,) = parse_rules(ONE_TICK.format(f'"{said}"'), "v")
    assert instrument.tick is not None
    assert instrument.tick.rows[0].valid_from == ns(f"{since}T00:00:00")


@pytest.mark.parametrize("said", ['"2026-1"', '"2026-13"', '"soon"', '"2026-01-01"', "2026-01-01"])
def test_a_row_whose_from_is_no_time_is_refused(said: str) -> None:
    with pytest.raises(ConfigError, match=r"rules of v: tick\.0\.from"):
        parse_rules(ONE_TICK.format(said), "v")


def test_the_risk_limits_of_bybit_follow_their_three_tables() -> None:
    """By hand: 30 steps of 2M and 0.5 %, cum of the last 10 000 x (1 + ... + 29)."""
    native = load_instruments()["BTCUSDT-PERP.BYBIT"].native()
    before, after = ns("2022-04-16T23:59:59"), ns("2022-04-17T00:00:00")
    assert native.maintenance_margin(Decimal(60_000_000), after) == Decimal(4_650_000)
    assert native.maintenance_margin(Decimal(2_000_000), before) == Decimal(15_000)
    assert native.maintenance_margin(Decimal(2_000_000), after) == Decimal(10_000)
    # The page's last tier: 80M x 4.5 % - 1 482 000.
    page = ns("2024-05-10T00:00:00")
    assert native.maintenance_margin(Decimal(80_000_000), page) == Decimal(2_118_000)


def test_the_tiers_of_okx_are_those_that_were_seen_with_the_steps_between() -> None:
    """Seen on 2022-02-11: 500 contracts at 0.4 %, and 972,001 to 982,000 at 49.5 % and 2x."""
    swap = load_instruments()["BTC-USDT-SWAP.OKX"]
    assert swap.brackets is not None
    tiers, _ = swap.brackets.at(ns("2024-08-01T00:00:00"))
    assert tiers[0] == Bracket(Decimal(500), Decimal("0.004"), 125, Decimal(0))
    assert tiers[-1] == Bracket(Decimal(982_000), Decimal("0.495"), 2, Decimal(0))
    assert (len(tiers), tiers[-2].cap) == (99, Decimal(972_000))


def test_okx_asks_for_the_takers_fee_beside_the_rate_of_the_whole_position() -> None:
    """By hand: 5 BTC at 0.4 %, 6 BTC at 1 %, 130 BTC at 1.5 %; each with 0.05 %, of VIP1 0.04 %."""
    swap, at = load_instruments()["BTC-USDT-SWAP.OKX"], ns("2024-08-01T00:00:00")
    native = swap.native()
    assert native.maintenance_margin(Decimal(5), at) == Decimal("0.0225")
    assert native.maintenance_margin(Decimal(6), at) == Decimal("0.063")
    assert native.maintenance_margin(Decimal(130), at) == Decimal("2.015")
    # Fees of another tier begin later than the brackets: from then on theirs count.
    later = ns("2027-06-01T00:00:00")
    assert swap.native("VIP1").maintenance_margin(Decimal(5), later) == Decimal("0.022")
    # Binance's rates have no fee in them.
    assert load_instruments()["BTCUSDT-PERP.BINANCE"].native().maintenance_margin(
        Decimal(50_000), at
    ) == Decimal(200)


def test_the_takers_fee_in_the_maintenance_is_that_of_the_day() -> None:
    """0.05 % until 2024, 0.07 % from then on; the fee before the tiers begins no row of its own."""
    swap = load_instruments()["BTC-USDT-SWAP.OKX"]
    assert swap.brackets is not None
    rows = [
        Row(ns(f"{day}T00:00:00"), Fees(Decimal(0), Decimal(taker)), "made up")
        for day, taker in (("2021-01-01", "0.0005"), ("2024-01-01", "0.0007"))
    ]
    native = replace(swap, fees={"VIP0": Dated(tuple(rows))}).native()
    for day, needed in (
        ("2021-06-01", "0.0225"),
        ("2023-12-31", "0.0225"),
        ("2024-01-01", "0.0235"),
    ):
        at = ns(f"{day}T00:00:00")
        assert native.maintenance_margin(Decimal(5), at) == Decimal(needed)


def test_even_steps_are_those_of_tiers_by_contracts() -> None:
    further = """[[instrument.brackets]]
        from = 2024-01-01T00:00:00Z
        source = "s"
        tiers = [["500", "0.004", 125, "0"]]
        further = { count = 1, step = "5", mmr_step = "0.1", imr = "0.1", imr_step = "0.1" }
    """
    with pytest.raises(ConfigError, match=r"^X\.V brackets: further tiers are of those counted"):
        parse_rules(ONE_TICK.format('"2024"') + further, "v")


def test_the_lot_of_okx_gets_finer_no_earlier_than_a_source_shows() -> None:
    lot = load_instruments()["BTC-USDT-SWAP.OKX"].lot
    assert lot is not None
    assert lot.at(ns("2025-05-31T00:00:00")) == (Decimal("0.1"), True)
    assert lot.at(ns("2026-06-30T00:00:00")) == (Decimal("0.1"), True)
    assert lot.at(ns("2027-01-01T00:00:00")) == (Decimal("0.01"), True)


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
        base = "X"
        quote = "USDT"
        settle = "USDT"
        price_exp = 2
        qty_exp = 3
        contract = [{ from = 2024-01-01T00:00:00Z, value = "linear", source = "s" }]
        multiplier = [{ from = 2024-01-01T00:00:00Z, value = "1", source = "s" }]
        [[instrument.brackets]]
        from = 2024-01-01T00:00:00Z
        source = "s"
        tiers = [["50000", "0.004", 125, "0"], ["250000", "0.005", 100, "51"]]
    """
    with pytest.raises(ConfigError, match="cum of the 250000 tier is 51, the recursion gives 50"):
        parse_rules(text, "v")
    with pytest.raises(ConfigError, match="ticks"):
        parse_rules(text.replace("price_exp = 2", "price_exp = 2\nticks = 1"), "v")


def test_every_instrument_says_since_when_its_kind_and_its_size_are_sourced() -> None:
    for instrument in load_instruments().values():
        assert instrument.contract_rows is not None
        assert instrument.multiplier_rows is not None
        assert instrument.contract == instrument.contract_rows.rows[0].value
        assert instrument.multiplier == instrument.multiplier_rows.rows[0].value
    size = load_instruments()["BTC-USDT-SWAP.OKX"].multiplier_rows
    assert size is not None
    assert size.at(ns("2022-05-13T16:23:16")) == (Decimal("0.01"), True)
    assert size.at(ns("2022-05-13T16:23:15")) == (Decimal("0.01"), False)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (
            'contract = [{ from = 2024-01-01T00:00:00Z, value = "linear", source = "s" }, '
            '{ from = 2025-03-01T00:00:00Z, value = "inverse", source = "s" }]',
            "X.V contract: changes from linear to inverse on 2025-03-01",
        ),
        (
            'multiplier = [{ from = 2024-01-01T00:00:00Z, value = "1", source = "s" }, '
            '{ from = 2025-03-01T00:00:00Z, value = "0.1", source = "s" }]',
            "X.V multiplier: changes from 1 to 0.1 on 2025-03-01",
        ),
        ("multiplier = []", "X.V multiplier: no row"),
        ('multiplier = "1"', "rules of v: multiplier"),
    ],
)
def test_a_kind_or_size_that_changes_is_refused(row: str, said: str) -> None:
    """The ledger takes one for all time: a change would rewrite the past."""
    name = row.partition(" ")[0]
    text = re.sub(f"(?m)^{name} = .*$", row, ONE_TICK.format('"2024"'))
    with pytest.raises(ConfigError, match=re.escape(said)):
        parse_rules(text, "v")


def test_a_second_row_of_the_same_kind_and_size_is_a_second_source() -> None:
    row = 'multiplier = [{ from = 2024-01-01T00:00:00Z, value = "1", source = "s" }, '
    row += '{ from = 2025-03-01T00:00:00Z, value = "1.0", source = "s" }]'
    (instrument,) = parse_rules(
        re.sub("(?m)^multiplier = .*$", row, ONE_TICK.format('"2024"')), "v"
    )
    assert instrument.multiplier == 1


def test_tiers_of_the_coin_margined_contract_are_in_coin() -> None:
    """The amounts are those that the venue's text states; the ledger counts them in BTC."""
    perp = load_instruments()["BTCUSD-PERP.BINANCE"]
    assert perp.brackets is not None
    assert perp.bracket_unit == "base"
    early, later = ns("2021-02-05T00:00:00"), ns("2022-01-01T00:00:00")
    amounts = {at: [b.cum for b in perp.brackets.at(at)[0]] for at in (early, later)}
    assert amounts[early][3:5] == [Decimal("0.56"), Decimal("1.81")]
    assert (amounts[early][6], amounts[later][6]) == (Decimal("11.81"), Decimal("11.605"))
    native = perp.native()
    # 100 contracts of 100 USD at 25 000 are 0.4 BTC.
    assert native.maintenance_margin(Decimal("0.4"), later) == Decimal("0.0016")
    assert native.maintenance_margin(Decimal(300), later) == Decimal("25.895")


def test_the_liquidation_fee_is_dated() -> None:
    fee = load_instruments()["BTCUSDT-PERP.BINANCE"].liquidation_fee
    assert fee is not None
    assert fee.at(ns("2021-10-12T00:00:00")) == (Decimal("0.015"), False)
    assert fee.at(ns("2024-03-27T00:00:00")) == (Decimal("0.015"), True)
    assert fee.at(ns("2024-03-28T00:00:00")) == (Decimal("0.0125"), True)
