"""A simulator that begins with coins as collateral, counted at one stated price."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from crypto_quant.backtesting.simulator import Deposit, OrderType, Simulator, Wallet
from crypto_quant.core.errors import ConfigError
from tests.unit.backtesting.simulator.markets import BTC, ETH, LATENCY, MS, market

MARKS = ((0, 600_000), (500, 610_000))


def begun(*capital: Deposit) -> Simulator:
    made = Simulator([market(marks=MARKS)], sim=LATENCY, capital=capital, collateral=("BTC",))
    assert made.elapse(98 * MS)
    return made


def coins(amount: str, price: str | None) -> Deposit:
    worth = None if price is None else Decimal(price)
    return Deposit(0, Wallet.MARGIN, Decimal(amount), asset="BTC", price=worth)


def test_equity_begins_at_the_stated_price_and_follows_the_mark() -> None:
    """0.5 BTC at 59,000 and 1,000 USDT; then at the marks of 60,000 and 61,000."""
    capital = (coins("0.5", "59000.0"), Deposit(0, Wallet.MARGIN, Decimal(1_000)))
    made = Simulator([market(marks=MARKS)], sim=LATENCY, capital=capital, collateral=("BTC",))
    assert made.equity() == 30_500
    assert made.elapse(98 * MS)
    assert made.equity() == 31_000
    made.elapse(1_000 * MS)
    assert made.equity() == 31_500


def test_coins_margin_a_position_without_any_quote_asset() -> None:
    """100 lots at 60,000.1 need 600 USDT at ten times leverage; the fee of 5 bps is owed."""
    made = begun(coins("0.5", "60000"))
    made.submit_buy_order(0, 1, None, 100, order_type=OrderType.MARKET)
    made.elapse(50 * MS)
    assert made.position(0) == 100
    fee = Decimal("0.1") * Decimal("60000.1") * Decimal("0.0005")
    assert made.equity() == Decimal(30_000) - Decimal("0.01") - fee


@pytest.mark.parametrize(
    ("capital", "said"),
    [
        ((coins("1", None),), "capital: expected a price of BTC in USDT at the start"),
        ((coins("1", "6"), coins("1", "7")), "capital: BTC is priced at 6 and at 7"),
        (
            (Deposit(0, Wallet.MARGIN, Decimal(1), price=Decimal(1)),),
            "capital: USDT is what all is counted in: give it no price",
        ),
        ((coins("1", "-1"),), "capital: price of BTC: expected a price above 0 with at most 28"),
        ((coins("1", "0"),), "price of BTC: expected one above 0"),
        ((coins("1", "6.001"),), "price of BTC: expected one above 0 with 2 decimals"),
        (
            (Deposit(0, Wallet.MARGIN, Decimal(1), asset="DOGE", price=Decimal(1)),),
            "wallet margin does not hold DOGE",
        ),
    ],
)
def test_a_price_that_cannot_be_one_is_named(capital: tuple[Deposit, ...], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        begun(*capital)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"collateral": ("BTC",)},
            "ledger set-up: no instrument prices BTC of wallet margin in USDT; add one, or count "
            "it at par",
        ),
        ({"leverage": 11}, "leverage: expected a whole number from 1 to 10, was 11"),
        (
            {"capital": [Deposit(0, Wallet.MARGIN, Decimal("1e-9"))]},
            "deposit 0.000000001 is out of range",
        ),
    ],
)
def test_a_mistake_of_the_set_up_names_no_time(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as told:
        Simulator([market(ETH)], sim=LATENCY, **given)
    assert str(told.value) == said


def test_more_coins_than_the_venue_takes_are_refused_without_a_time() -> None:
    """5 BTC is what Binance takes."""
    with pytest.raises(ConfigError) as told:
        begun(coins("6", "60000"))
    assert str(told.value) == "wallet margin takes at most 5 BTC, would hold 6"


@pytest.mark.parametrize(
    ("side", "tick", "lots"), [(1, 600_000, 3_833_333), (-1, 600_001, 3_833_326)]
)
def test_a_position_is_no_larger_than_its_leverage_allows(side: int, tick: int, lots: int) -> None:
    """At 10 times BTCUSDT's tiers of 2024-05-30 end at 230 million, 3833.33 BTC at 60,000.0."""
    made = Simulator([market(BTC)], sim=LATENCY, capital=Decimal(10**9))
    assert made.elapse(98 * MS)
    send = made.submit_buy_order if side > 0 else made.submit_sell_order
    send(0, 1, tick, lots + 1)
    send(0, 2, tick, lots)
    send(0, 3, tick, 2)
    assert made.elapse(100 * MS)
    reasons = [made.orders(0)[number].reason for number in (1, 2, 3)]
    assert reasons == ["max_position", "", "max_position"]
