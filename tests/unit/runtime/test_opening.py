"""What a run begins with: coins where they are margin, counted at one price."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from crypto_quant.core.config import dump_config
from crypto_quant.core.errors import ConfigError
from crypto_quant.core.instruments import Dated, Row
from crypto_quant.core.messages import Wallet
from crypto_quant.runtime.compose_ticks import PLAIN, check_markets_tradable, market_line
from crypto_quant.runtime.joint_ticks import JointSession, JointTape
from crypto_quant.runtime.line_spec import Deposit
from crypto_quant.runtime.market_config import MarketSection
from crypto_quant.runtime.markets import asked, markets_of
from crypto_quant.runtime.middles import Middles
from crypto_quant.runtime.opening import opening_prices, pricer, worth
from crypto_quant.venues.rules import load_instruments
from tests.unit.runtime.test_markets import DAY, empty, made

KNOWN = load_instruments()
COIN, LINEAR, SPOT = "BTCUSD-PERP.BINANCE", "BTCUSDT-PERP.BINANCE", "BTCUSDT.BINANCE"
PLEDGED = f"""
[venue]
collateral = ["BTC"]
[markets.coins]
instrument = "{SPOT}"
capital = 5
[markets.maker]
instrument = "{LINEAR}"
coins = {{ BTC = "0.25" }}
"""


def test_coins_lie_in_the_margin_wallet_and_capital_is_none_unless_it_is_said() -> None:
    config = made(f'instrument = "{COIN}"\ncoins = {{ BTC = "1.5" }}')
    assert config.capital == 0
    assert made(dump_config(config)) == config
    markets = markets_of(config, asked(config, KNOWN))
    assert (markets.quote, markets.coins) == ("USD", ("BTC",))
    price = Decimal("61804.7")
    (deposit,) = markets.deposits({"BTC": price})
    assert deposit == Deposit(0, Wallet.MARGIN, Decimal("1.5"), "BINANCE", "BTC", price)
    check_markets_tradable(config, markets, DAY)
    line = market_line(config, markets, empty(), [deposit], {"BINANCE": PLAIN})
    assert line.native.equity() == Decimal("92707.05")
    assert line.native.balance(line.accounts.wallet(Wallet.MARGIN), "BTC") == Decimal("1.5")


def test_collateral_may_be_there_from_the_start() -> None:
    config = made(PLEDGED)
    assert config.capital == 5
    markets = markets_of(config, asked(config, KNOWN))
    check_markets_tradable(config, markets, DAY)
    price = {"BTC": Decimal("60000.05")}
    assert markets.deposits(price) == [
        Deposit(0, Wallet.SPOT, Decimal(5), "BINANCE"),
        Deposit(1, Wallet.MARGIN, Decimal("0.25"), "BINANCE", "BTC", price["BTC"]),
    ]
    assert [worth(book.section, price) for book in markets.books] == [
        Decimal(5),
        Decimal("15000.0125"),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", None),
        (f'instrument = "{COIN}"', f"coins: {COIN} is margined in BTC, not USD: expected coins ="),
        ("coins = { BTC = 1 }", f"coins: expected what margins {LINEAR} (none: its venue takes no"),
        (
            f'instrument = "{SPOT}"\ncoins = {{ BTC = 1 }}',
            f"coins: {SPOT} is spot, which is bought: expected capital in USDT",
        ),
        (
            PLEDGED.replace('BTC = "0.25"', "ETH = 1"),
            f"markets.maker.coins: expected what margins {LINEAR} (BTC), was ETH",
        ),
        (
            PLEDGED.replace("capital = 5", 'coins = { BTC = "1" }'),
            f"markets.coins.coins: {SPOT} is spot, which is bought: expected capital in USDT",
        ),
        (
            f'[markets.a]\ninstrument = "{COIN}"\ncapital = 1',
            f"markets.a.coins: {COIN} is margined in BTC, not USD",
        ),
    ],
)
def test_money_that_margins_nothing_is_named(text: str, said: str | None) -> None:
    config = made(text)
    if said is None:
        check_markets_tradable(config, markets_of(config, asked(config, KNOWN)), DAY)
        return
    with pytest.raises(ConfigError) as told:
        check_markets_tradable(config, markets_of(config, asked(config, KNOWN)), DAY)
    assert said in str(told.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("coins = { BTC = 0 }", "coins.BTC: Input should be greater than 0"),
        (
            f'coins = {{ BTC = 1 }}\n[markets.a]\ninstrument = "{COIN}"\ncoins = {{ BTC = 1 }}',
            "coins: the markets say it, each its own: leave it out",
        ),
        (f'[markets.a]\ninstrument = "{COIN}"', "capital: a begins with nothing: expected capital"),
    ],
)
def test_coins_that_cannot_be_are_one_line(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as told:
        made(text)
    assert said in str(told.value)
    assert len(str(told.value).splitlines()) == 1


def _path(*rows: tuple[int, int]) -> Middles:
    times, sums = np.array(rows, dtype=np.int64).T
    return Middles(times, sums)


def test_the_price_is_the_middle_at_the_start_down_to_the_tick() -> None:
    tape = JointTape(JointSession("", DAY, DAY + 100, ()), DAY + 5, DAY + 100, ())
    coins = [MarketSection(instrument=COIN, coins={"BTC": Decimal(1)})]
    coin = KNOWN[COIN]
    early = _path((DAY - 9, 0), (DAY - 5, 1_236_099), (DAY + 5, 1_300_000))
    assert opening_prices(coins, [coin], tape, [early]) == {"BTC": Decimal("61804.9")}
    late = _path((DAY - 9, 0), (DAY + 50, 1_236_094), (DAY + 60, 1_300_000))
    assert opening_prices(coins, [coin], tape, [late]) == {"BTC": Decimal("61804.7")}
    lost = _path((DAY - 9, 1_000_000), (DAY - 5, 0), (DAY + 50, 1_236_094))
    assert opening_prices(coins, [coin], tape, [lost]) == {"BTC": Decimal("61804.7")}
    fine = replace(coin, price_exp=8)  # the grid of a catalog
    many = _path((DAY - 5, 123_609_912_345_678), (DAY + 5, 1_300_000))
    assert str(opening_prices(coins, [fine], tape, [many])["BTC"]) == "618049.5"
    whole = replace(coin, tick=Dated((Row(0, Decimal(10), "made up"),)))
    assert str(opening_prices(coins, [whole], tape, [late])["BTC"]) == "61800"
    rich = [MarketSection(instrument=COIN, coins={"BTC": Decimal(2_000_000)})]
    said = (
        r"coins: expected at most 100,000,000,000 USD to begin with, was 123,609,\S+ \(BTC at 61,"
    )
    with pytest.raises(ConfigError, match=said):
        opening_prices(rich, [coin], tape, [late])
    ether = [MarketSection(instrument=COIN, coins={"ETH": Decimal(1)})]
    with pytest.raises(ConfigError, match=f"coins: no instrument of the run prices ETH.* {COIN}"):
        opening_prices(ether, [coin], tape, [late])


def test_a_coin_begins_at_what_the_ledger_prices_its_wallet_by() -> None:
    """A contract of the wallet in which it lies before spot: nothing is made or lost at once."""
    tape = JointTape(JointSession("", DAY, DAY + 100, ()), DAY + 5, DAY + 100, ())
    both = (KNOWN[SPOT], KNOWN[LINEAR])
    cents = _path((DAY, 2 * 6_180_479 + 1))  # a tick of 0.1 on a grid of 0.01
    other = _path((DAY, 2 * 6_000_001))
    pledged = [
        MarketSection(instrument=SPOT, capital=Decimal(5)),
        MarketSection(instrument=LINEAR, coins={"BTC": Decimal(1)}),
    ]
    assert opening_prices(pledged, both, tape, [other, cents]) == {"BTC": Decimal("61804.70")}
    away = [pledged[0], pledged[1].model_copy(update={"instrument": "ETHUSDT-PERP.BYBIT"})]
    assert opening_prices(away, both, tape, [other, cents]) == {"BTC": Decimal("60000.01")}


def test_a_coin_at_two_venues_has_no_one_price() -> None:
    """Each venue's wallet counts it at its own contract."""
    other = "BTCUSDT-PERP.BYBIT"
    sections = [MarketSection(instrument=one, coins={"BTC": Decimal(1)}) for one in (LINEAR, other)]
    traded = [KNOWN[LINEAR], KNOWN[other]]
    with pytest.raises(ConfigError, match="coins: expected BTC at one venue, was at BINANCE and B"):
        pricer("BTC", sections, traded)
    assert [pricer("BTC", [one], traded) for one in sections] == [0, 1]
