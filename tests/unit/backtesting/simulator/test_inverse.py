"""An inverse contract in the loop of calls, by hand: 100 USD each, margin and P&L in coin."""

from __future__ import annotations

from decimal import Decimal

import pytest

from crypto_quant.backtesting.simulator import Deposit, OrderType, Simulator, Wallet
from crypto_quant.core.errors import ConfigError
from crypto_quant.venues.rules import load_instruments
from tests.unit.backtesting.simulator.markets import BTC, LATENCY, MS, market

COIN = load_instruments()["BTCUSD-PERP.BINANCE"]
MARKS = ((0, 600_000), (500, 612_345))
FEE = Decimal("0.0005")


def begun(coins: str, leverage: int = 2, marks: tuple[tuple[int, int], ...] = MARKS) -> Simulator:
    """Return a simulator 98 ms after its start, with coins that are counted at 60,000."""
    capital = [Deposit(0, Wallet.MARGIN, Decimal(coins), asset="BTC", price=Decimal(60_000))]
    made = Simulator([market(COIN, marks=marks)], sim=LATENCY, capital=capital, leverage=leverage)
    assert made.elapse(98 * MS)
    return made


def coins_of(dollars: Decimal, price: str) -> Decimal:
    """Return what contracts are worth in coin, to the eighth decimal, as the ledger counts."""
    return (dollars / Decimal(price)).quantize(Decimal("1e-8"))


@pytest.mark.parametrize("side", [1, -1])
def test_profit_fee_and_equity_are_coins_at_the_mark(side: int) -> None:
    """130 contracts at 60,000.0 or .1; then the mark is 61,234.5."""
    made = begun("0.5")
    send = made.submit_buy_order if side > 0 else made.submit_sell_order
    send(0, 1, None, 130, order_type=OrderType.MARKET)
    assert made.elapse(1_000 * MS)
    entry = "60000.1" if side > 0 else "60000.0"
    cost, worth = (coins_of(Decimal(13_000), price) for price in (entry, "61234.5"))
    fee = (Decimal(13_000) / Decimal(entry) * FEE).quantize(Decimal("1e-8"))
    assert made.position(0) == side * 130
    assert made.equity() == (Decimal("0.5") - fee + side * (cost - worth)) * Decimal("61234.5")
    found = made.state_values(0)
    assert (found.fee, found.trading_value) == (fee, Decimal(13_000) / Decimal(entry))
    assert found.trading_volume == 130
    assert made.depth(0).lot_size == 1


def test_a_short_of_all_coins_is_cash() -> None:
    """0.5 BTC at 60,000 are 300 contracts: what they are worth stays, but for the fee in coin.

    And but for what the mark makes of the eighth decimal of a coin.
    """
    made = begun("0.5")
    made.submit_sell_order(0, 1, None, 300, order_type=OrderType.MARKET)
    assert made.elapse(300 * MS)
    fee = Decimal("0.5") * FEE
    assert made.equity() == 30_000 - fee * 60_000
    assert made.elapse(500 * MS)
    mark = Decimal("61234.5")
    assert made.equity() == (coins_of(Decimal(30_000), "61234.5") - fee) * mark
    assert abs(made.equity() - (30_000 - fee * mark)) <= Decimal("0.5e-8") * mark


def test_its_margin_is_the_notional_in_coin_over_the_leverage() -> None:
    """At 60,000 and 10 times, 0.01 BTC carry 60 contracts, less the fee: 59, and not 60."""
    for quantity, held in ((59, -59), (60, 0)):
        made = begun("0.01", leverage=10)
        made.submit_sell_order(0, 1, None, quantity, order_type=OrderType.MARKET)
        assert made.elapse(100 * MS)
        assert made.position(0) == held
    assert made.orders(0)[1].reason == "insufficient_margin"


def test_a_long_is_liquidated_where_the_coins_no_longer_carry_it() -> None:
    """0.09 BTC behind 490 contracts from 60,000.1, whose tier asks for 0.4 % of what they are.

    In coin, at the price P: ``0.09 - fee + 49,000 (1 / 60,000.1 - 1 / P) = 0.004 * 49,000 / P``.
    """
    dollars = Decimal(49_000)
    bought = dollars / Decimal("60000.1")
    price = dollars * Decimal("1.004") / (Decimal("0.09") - bought * FEE + bought)
    tick = int(price * 10)
    assert tick == 542_848
    for mark, held in ((tick + 1, 490), (tick, 0)):
        made = begun("0.09", leverage=10, marks=((0, 600_000), (500, mark)))
        made.submit_buy_order(0, 1, None, 490, order_type=OrderType.MARKET)
        assert made.elapse(1_000 * MS)
        assert made.position(0) == held
        assert [fill.tag for fill in made.fills()] == ["", "liquidation"][: 1 + (held == 0)]


def test_the_quote_asset_is_no_margin_of_it() -> None:
    said = "capital: BTCUSD-PERP.BINANCE is margined in BTC, not USD: expected Deposits of BTC"
    with pytest.raises(ConfigError, match=said):
        Simulator([market(COIN)], sim=LATENCY)
    coins = Deposit(0, Wallet.MARGIN, Decimal(1), asset="BTC", price=Decimal(60_000))
    for wallet, asset, venue in (
        (Wallet.MARGIN, "", ""),
        (Wallet.MARGIN, "USD", "BINANCE"),
        (Wallet.SPOT, "", "BINANCE"),
    ):
        dollars = Deposit(0, wallet, Decimal(5), venue, asset)
        with pytest.raises(ConfigError, match=said):
            Simulator([market(COIN)], sim=LATENCY, capital=[coins, dollars])
    with pytest.raises(ConfigError, match="markets: expected one quote asset, was USD, USDT"):
        Simulator([market(COIN), market(BTC)], sim=LATENCY)
