"""Names of instruments: the many that mean one, and those that clearly do not."""

from __future__ import annotations

import pytest

from crypto_quant.data_pipeline.collectors.naming import may_be_same, may_be_same_venue


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("BTCUSDT", "BTCUSDT-PERP"),
        ("btcusdt", "BTCUSDT-PERP"),
        ("BTC/USDT:USDT", "BTCUSDT-PERP"),
        ("BTC-USDT-SWAP", "BTCUSDT-PERP"),
        ("BTCUSDT", "BTC-USDT-SWAP"),
        ("BTCUSDT.P", "BTCUSDT-PERP"),
        ("BINANCE:BTCUSDT", "BTCUSDT-PERP"),
        ("BTCUSDT-PERP.BINANCE", "BTCUSDT-PERP"),
        ("XBTUSDTM", "BTCUSDT-PERP"),
        ("BTCUSDT_UMCBL", "BTCUSDT-PERP"),
        ("BTCUSD_PERP", "BTCUSD-PERP"),
        ("XBTUSD", "BTCUSD-PERP"),
        ("PF_XBTUSD", "BTCUSD-PERP"),
        ("tBTCUSD", "BTCUSD"),
        ("BTC_USDT_240927", "BTCUSDT-PERP"),
        ("BTC", "BTC-PERP"),
        ("BTC", "BTCUSDT-PERP"),
        ("BTCPERP", "BTCUSDC-PERP"),
        ("BTC-PERPETUAL", "BTCUSD-PERP"),
        ("WBTC", "WBTCUSDT"),
        ("WBTC-USDT", "WBTCUSDT"),
        ("ETHBTC", "ETH-BTC"),
        ("BTCFDUSD", "BTC/FDUSD"),
        ("1INCHUSDT", "1INCH-USDT"),
        ("BTCZAR", "BTC-ZAR"),
        ("17", "BTCUSDT-PERP"),
        ("PERP", "BTCUSDT-PERP"),
    ],
)
def test_names_of_one_instrument_agree(name: str, symbol: str) -> None:
    assert may_be_same(name, symbol, "BINANCE")
    assert may_be_same(symbol, name, "BINANCE")


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("ETHUSDT", "BTCUSDT-PERP"),
        ("ETH", "BTC-PERP"),
        ("ETH/USDT:USDT", "BTCUSDT-PERP"),
        ("BTCUSDC", "BTCUSDT-PERP"),
        ("BTC-USDC", "BTC-USDT-SWAP"),
        ("BTCUSD_PERP", "BTCUSDT-PERP"),
        ("BTC-PERPETUAL", "ETHUSDT-PERP"),
        ("ETHBTC", "BTCUSDT"),
        ("BTC", "ETHBTC"),
        ("BTCDOMUSDT", "BTCUSDT-PERP"),
        ("WBTCUSDT", "BTCUSDT"),
    ],
)
def test_names_of_two_instruments_do_not(name: str, symbol: str) -> None:
    assert not may_be_same(name, symbol, "BINANCE")
    assert not may_be_same(symbol, name, "BINANCE")


@pytest.mark.parametrize(
    ("venue", "name", "symbol"),
    [
        ("KRAKEN", "XXBTZUSD", "BTC-USD"),
        ("KRAKEN", "XXBTZUSD", "XBTUSD"),
        ("KRAKEN", "XETHXXBT", "ETH-BTC"),
        ("KRAKEN", "XXBT/ZEUR", "BTCEUR"),
        ("KRAKEN", "XXDGZUSD", "DOGE-USD"),
        ("KRAKEN", "XDGUSD", "DOGE-USD"),
        ("KRAKEN", "XTZUSD", "XTZ-USD"),
        ("KRAKEN", "XXBT", "BTC-USD"),
        ("BITFINEX", "tBTCUSD", "BTC-USD"),
        ("BITFINEX", "tBTCUST", "BTC-USDT"),
        ("BITFINEX", "tBTCUST", "BTCUST"),
        ("BITFINEX", "tDUSK:UST", "DUSK-USDT"),
        ("BITFINEX", "tBTCUDC", "BTCUSDC"),
        ("BITFINEX", "tBTCF0:USTF0", "BTCUSDT-PERP"),
        ("BINANCE", "bitcoin", "BTCUSDT-PERP"),
        ("BINANCE", "usd-coin", "USDC-USDT"),
        ("BINANCE", "bnce:btc-usdt", "BTCUSDT"),
    ],
)
def test_a_vendors_own_names_are_read_by_its_scheme(venue: str, name: str, symbol: str) -> None:
    assert may_be_same(name, symbol, venue)
    assert may_be_same(symbol, name, venue)


@pytest.mark.parametrize(
    ("venue", "name", "symbol"),
    [
        ("KRAKEN", "XXBTZUSD", "ETH-USD"),
        ("KRAKEN", "XXBTZUSD", "BTC-EUR"),
        ("KRAKEN", "XETHXXBT", "BTC-ETH"),
        ("KRAKEN", "XTZUSD", "TZUSD"),  # Tezos: X is of its name
        ("BINANCE", "XXBTZUSD", "BTC-USD"),  # that is Kraken's scheme
        ("BINANCE", "BTCUST", "BTC-USDT"),  # elsewhere UST is another coin
        ("BITFINEX", "tBTCUST", "BTC-USD"),
        ("BITFINEX", "tBTCUSD", "BTC-USDT"),
        ("BITFINEX", "TERRAUST:USD", "USDT-USD"),
        ("BINANCE", "bitcoin", "ETHUSDT"),
        ("BINANCE", "BITCOIN", "BTCUSDT"),  # a coin's ticker, no id
        ("BINANCE", "bitcoin-cash", "BTCUSDT"),
    ],
)
def test_a_vendors_scheme_is_not_read_into_other_names(venue: str, name: str, symbol: str) -> None:
    assert not may_be_same(name, symbol, venue)
    assert not may_be_same(symbol, name, venue)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("bnce", "BINANCE", True),
        ("krkn", "KRAKEN", True),
        ("bnce", "KRAKEN", False),
        ("binance-futures", "BINANCE", True),
        ("okex-swap", "OKX", True),
        ("gate-io", "GATEIO", True),
        ("deribit", "BINANCE", False),
        ("BINANCE", "OKX", False),
    ],
)
def test_markets_of_a_venue_are_that_venue(one: str, other: str, same: bool) -> None:
    assert may_be_same_venue(one, other) is same
