"""The rows of multi-assets mode, and what is said where a run begins before them."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from crypto_quant.core.errors import ConfigError
from crypto_quant.venues.rules.collateral import (
    load_multi_assets,
    multi_assets,
    parse_multi_assets,
)

ROW = '{ from = 2024-01-01T00:00:00Z, value = "1", source = "s" }'


def ns(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 10**9


def test_the_rows_are_those_of_the_venues_texts() -> None:
    mode = load_multi_assets("binance")
    btc, usdt = mode.assets["BTC"], mode.assets["USDT"]
    assert btc.ratio.at(ns("2021-05-28")) == (Decimal("0.95"), True)
    assert btc.ratio.at(ns("2021-05-27")) == (Decimal("0.95"), False)
    assert btc.conversion is not None
    assert btc.largest is not None
    assert btc.conversion.at(ns("2022-07-06")) == (Decimal("0.975"), True)
    assert btc.largest.at(ns("2022-01-01")) == (Decimal(5), True)
    assert usdt.ratio.at(ns("2022-01-01"))[0] == Decimal("0.9999")
    assert usdt.conversion is None
    assert usdt.debt_limit is not None
    assert usdt.debt_limit.at(ns("2025-01-01"))[0] == Decimal(10_000)
    assert usdt.debt_limit.at(ns("2027-01-01"))[0] == Decimal(5_000)
    assert mode.loan_to_value.at(ns("2027-01-01"))[0] == Decimal("0.995")


def test_collateral_before_its_first_row_is_refused_with_the_day() -> None:
    with pytest.raises(
        ConfigError, match=r"USDT counts .* from 2021-05-28 on .* begins 2021-05-27"
    ):
        multi_assets("binance", "margin", ["USDT", "BTC"], ns("2021-05-27"))
    rows = multi_assets("binance", "margin", ["USDT", "BTC"], ns("2021-05-28"))
    assert rows["wallet"] == "margin"


def test_an_asset_or_a_venue_without_rules_is_named() -> None:
    with pytest.raises(ConfigError, match="binance has no sourced ratio of DOGE; known: USDT, BTC"):
        multi_assets("binance", "margin", ["USDT", "DOGE"], ns("2024-01-01"))
    with pytest.raises(ConfigError, match="no rules of 'okx'; known: binance"):
        multi_assets("okx", "margin", ["USDT"], ns("2024-01-01"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f'[mode]\n[[asset]]\nname = "A"\nratio = [{ROW}]', "mode.loan_to_value: Field required"),
        (
            f'[mode]\nloan_to_value = [{ROW}]\n[[asset]]\nname = "A"',
            "asset.0.ratio: Field required",
        ),
        (
            f'[mode]\nloan_to_value = [{ROW}]\n[[asset]]\nname = "A"\nratio = [{ROW}]\nhaircut = 1',
            "asset.0.haircut: Extra inputs",
        ),
        (
            f'[mode]\nloan_to_value = [{ROW}]\n[[asset]]\nname = "A"\nratio = [{ROW}, {ROW}]',
            "ratio: rows must be in order of time",
        ),
    ],
)
def test_a_table_that_contradicts_itself_is_refused(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        parse_multi_assets(text, "v")
