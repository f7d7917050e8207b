"""Wallets by venue: their numbers and names, and money that says where it is."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from crypto_quant.core.errors import ConfigError
from crypto_quant.core.instruments import Instrument
from crypto_quant.core.messages import Transfer, Wake, Wallet
from crypto_quant.execution.netting import NettingConfig
from crypto_quant.runtime.accounts import Accounts
from crypto_quant.runtime.compose import join
from crypto_quant.runtime.line import RecordedLine
from crypto_quant.runtime.line_spec import HOUR_NS, Deposit, LineSpec
from crypto_quant.runtime.state import SettledFunding
from crypto_quant.strategy.risk_manager.config import RiskConfig
from crypto_quant.venues.rules import load_instruments

START = 1_700_000_000 * 10**9 // HOUR_NS * HOUR_NS
KNOWN = load_instruments()
PERP, SPOT, OTHER = (
    KNOWN[name] for name in ("BTCUSDT-PERP.BINANCE", "BTCUSDT.BINANCE", "BTCUSDT-PERP.BYBIT")
)


def test_one_venue_has_two_wallets_without_its_name() -> None:
    accounts = Accounts((PERP, SPOT), "USDT")
    assert accounts.wallets() == [("spot", ["USDT", "BTC"], [1]), ("margin", ["USDT"], [0])]
    assert accounts.wallet(Wallet.MARGIN) == accounts.wallet(Wallet.MARGIN, "BINANCE") == 1
    with pytest.raises(ConfigError, match="venue: expected one of BINANCE, was BYBIT"):
        accounts.wallet(Wallet.SPOT, "BYBIT")


def test_collateral_names_each_asset_once() -> None:
    with pytest.raises(ConfigError) as told:
        Accounts((PERP, SPOT), "USDT", ("BTC", "ETH", "BTC"))
    assert str(told.value) == "collateral: expected each asset once, was BTC twice"
    with pytest.raises(ConfigError, match=r"^collateral: expected assets beside USDT, was USDT"):
        Accounts((PERP, SPOT), "USDT", ("USDT",))


def test_of_several_venues_each_has_two_wallets_with_its_name() -> None:
    accounts = Accounts((OTHER, PERP, SPOT), "USDT")
    assert accounts.wallets() == [
        ("spot.BYBIT", ["USDT"], []),
        ("margin.BYBIT", ["USDT"], [0]),
        ("spot.BINANCE", ["USDT", "BTC"], [2]),
        ("margin.BINANCE", ["USDT"], [1]),
    ]
    assert accounts.wallet(Wallet.MARGIN, "BINANCE") == 3
    assert accounts.of(Wallet.SPOT, "BINANCE") == [2]
    with pytest.raises(ConfigError, match="venue: expected one of BYBIT, BINANCE, was none"):
        accounts.wallet(Wallet.SPOT)


def line(
    sim: dict[str, object], instruments: tuple[Instrument, ...] = (PERP, OTHER)
) -> RecordedLine:
    """Return a line without data, 100 in the margin wallet at Binance."""
    spec = LineSpec(
        instruments=instruments,
        sleeves=("carry",),
        features=(),
        series=(),
        quote="USDT",
        grid_ns=HOUR_NS,
        start=START,
        end=START + 4 * HOUR_NS,
        sim=sim,
        leverage=2,
    )
    return RecordedLine(spec, [Deposit(0, Wallet.MARGIN, Decimal(100), "BINANCE")])


def balances(of: RecordedLine) -> list[Decimal]:
    """Return the quote asset in each wallet, in the order of their numbers."""
    wallets = range(2 * len(of.accounts.venues))
    return [of.native.sleeve_balance(0, wallet, "USDT") for wallet in wallets]


def test_money_moves_within_a_venue_and_between_venues() -> None:
    both = line({})
    assert both.next() is Wake.TIMER
    assert balances(both) == [0, 100, 0, 0]
    both.execute([Transfer(0, 0, Wallet.MARGIN, Decimal(30), "out", "BINANCE")])
    assert balances(both) == [30, 70, 0, 0]
    out = Transfer(0, 0, Wallet.MARGIN, Decimal(20), "over", "BINANCE", "BYBIT", Decimal(1))
    both.execute([out])
    assert balances(both) == [30, 49, 0, 20]
    assert both.native.equity() == 99
    with pytest.raises(ConfigError, match="venue: expected one of BINANCE, BYBIT, was none"):
        both.execute([Transfer(0, 0, Wallet.MARGIN, Decimal(1), "where?")])


def test_the_view_tells_what_a_sleeve_may_spend_at_each_venue() -> None:
    both = line({})
    traded = dict(enumerate((PERP, OTHER)))
    never = np.empty(0, np.int64)
    funding = SettledFunding(never, never, never.astype(float), never.astype(float))
    parts = (RiskConfig(), NettingConfig(), funding)
    view = join(traded, "VIP0", ("carry",), (), *parts).view
    view.bind(both)
    assert both.next() is Wake.TIMER
    view.wake()
    both.execute([Transfer(0, 0, Wallet.MARGIN, Decimal(30), "over", "BINANCE", "BYBIT")])
    assert view.cash(0, Wallet.MARGIN, "BINANCE") == view.margin_balance(0, "BINANCE") == 70.0
    assert view.cash(0, Wallet.MARGIN, "BYBIT") == view.margin_balance(0, "BYBIT") == 30.0
    assert view.exact_cash(0, Wallet.SPOT, "BYBIT") == 0
    with pytest.raises(ConfigError, match="venue: expected one of BINANCE, BYBIT, was none"):
        view.cash(0, Wallet.MARGIN)


def test_settings_by_venue_name_each_venue_and_no_other() -> None:
    own: dict[str, object] = {"BINANCE": {}, "BYBIT": {"queue": "log"}}
    assert line(own).next() is Wake.TIMER
    with pytest.raises(ConfigError, match=r"sim: expected settings of each of .*, was BYBIT"):
        line({"BINANCE": {}})
    with pytest.raises(ConfigError, match=r"sim\.queue: expected the settings of a venue"):
        line({**own, "queue": "log"})
    with pytest.raises(ConfigError, match=r"sim: expected a venue of .*, was OKX"):
        line({**own, "OKX": {}})
    with pytest.raises(ConfigError, match=r"venue BYBIT: sim\.queue: expected one of"):
        line({**own, "BYBIT": {"queue": "none"}})


def test_an_id_without_a_venue_is_of_one_without_a_name() -> None:
    plain = replace(PERP, id="BTCUSDT")
    assert Accounts((plain,), "USDT").venues == ("",)
