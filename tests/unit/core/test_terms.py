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
COIN = load_instruments()["BTCUSD-PERP.BINANCE"]


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


def test_an_inverse_contract_is_worth_the_same_at_any_price() -> None:
    """A contract is 100 USD; the venue states no smallest notional for it."""
    coin = terms_at(COIN, _ns("2024-08-08T00:00:00"))
    assert [coin.notional(px, -7) for px in (1, 600_000, 1_200_000)] == [Decimal(-700)] * 3
    assert [coin.worth(px) for px in (0, 1, 600_000)] == [0.0, 100.0, 100.0]
    assert (coin.lot, coin.tick, coin.min_notional) == (1, 1, Decimal(0))
    assert (coin.counted_in, coin.lot_size) == ("contracts", Decimal(1))
    assert coin.lots_of(Decimal("12.9")) == 12


def test_sizes_are_in_the_base_asset_or_in_contracts() -> None:
    """On a grid of thousandths a lot is a thousand units; 2.5 coins, or 2 whole contracts."""
    linear = terms_at(replace(PERP, multiplier=Decimal("0.01")), _ns("2024-01-01T00:00:00"))
    assert linear.lots_of(Decimal("2.5")) == 250_000
    assert (linear.counted_in, linear.lot_size) == ("BTC", Decimal("0.00001"))
    fine = terms_at(replace(COIN, qty_exp=3), _ns("2024-01-01T00:00:00"))
    assert fine.lots_of(Decimal("2.5")) == 2_000
    assert fine.notional(600_000, 2_000) == 200
    assert linear.worth(6_000_000) == pytest.approx(60_000 * 0.00001)


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (replace(PERP, tick=None), "no sourced tick"),
        (replace(PERP, qty_exp=2), "at least as fine"),
        (replace(PERP, fees={}), "no sourced fees"),
    ],
)
def test_terms_of_an_untradable_contract_are_refused(broken: object, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        terms_at(broken, 0)  # type: ignore[arg-type]  # parametrized instruments
