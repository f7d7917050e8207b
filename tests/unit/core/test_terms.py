"""Order terms: dated rules in grid units."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from crypto_quant.core.errors import ConfigError
from crypto_quant.core.terms import TermsTable, terms_at
from crypto_quant.venues.rules import load_instruments

PERP = load_instruments()["BTCUSDT-PERP.BINANCE"]
SPOT = load_instruments()["BTCUSDT.BINANCE"]


def _ns(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 10**9


def test_terms_follow_the_dated_tick_and_minimum() -> None:
    table = TermsTable({3: PERP})
    before = table.at(_ns("2022-02-15T02:59:59"))[3]
    after = table.at(_ns("2022-02-15T03:00:00"))[3]
    assert (before.tick, after.tick) == (1, 10)  # 0.01 and 0.10 on a grid of 0.01
    assert after.lot == 1
    assert after.min_notional == Decimal(5)
    assert table.at(_ns("2024-04-01T00:00:00"))[3].min_notional == Decimal(100)


def test_terms_on_a_finer_grid_count_more_units_for_the_same_lot() -> None:
    fine = terms_at(replace(PERP, qty_exp=8), _ns("2024-01-01T00:00:00"))
    assert fine.lot == 100_000
    assert fine.notional(6_000_000, 150_000_000) == Decimal("90000")


def test_terms_of_spot_have_no_leverage() -> None:
    spot = terms_at(SPOT, _ns("2024-01-01T00:00:00"))
    assert spot.is_spot
    assert spot.max_leverage == 1
    assert spot.taker == 0.001


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (replace(PERP, contract="inverse"), "inverse"),
        (replace(PERP, tick=None), "no sourced tick"),
        (replace(PERP, qty_exp=2), "at least as fine"),
        (replace(PERP, fees={}), "no sourced fees"),
    ],
)
def test_terms_of_an_untradable_contract_are_refused(broken: object, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        terms_at(broken, 0)  # type: ignore[arg-type]  # parametrized instruments
