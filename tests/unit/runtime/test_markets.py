"""Several markets in one config: what they imply, and what does not fit together."""

from __future__ import annotations

import tomllib
from decimal import Decimal

import pytest

from crypto_quant.backtesting.metrics.schema import PORTFOLIO
from crypto_quant.core.config import dump_config, make_config, with_values
from crypto_quant.core.errors import ConfigError
from crypto_quant.core.messages import Wallet
from crypto_quant.runtime.accounts import Accounts
from crypto_quant.runtime.compose_ticks import (
    PLAIN,
    check_markets_tradable,
    compose_markets,
    market_line,
)
from crypto_quant.runtime.config import TickConfig
from crypto_quant.runtime.joined_stages import JoinedStages
from crypto_quant.runtime.joint_ticks import JointSession, JointTape
from crypto_quant.runtime.legs import BOTH, LONG, SHORT
from crypto_quant.runtime.line_spec import Deposit
from crypto_quant.runtime.markets import asked, markets_of
from crypto_quant.runtime.transfer_stage import routes
from crypto_quant.venues.rules import load_instruments

KNOWN = load_instruments()
BINANCE, BYBIT, SPOT = "BTCUSDT-PERP.BINANCE", "BTCUSDT-PERP.BYBIT", "BTCUSDT.BINANCE"
TWO = f"""
strategy = "grid"
[markets.here]
instrument = "{BINANCE}"
capital = 60000
[markets.there]
instrument = "{BYBIT}"
capital = "40000.5"
strategy = "imbalance"
[markets.there.size]
hold_ms = 7000
[venue]
transfer_delay_ms = 60000
[venue.transfer_fees]
USDT = "1.5"
[venues.BYBIT]
margin = "isolated"
reducing = "fill_or_kill"
stop_margin = "trigger"
triggered_stops = "refuse"
waiting_amends = "take"
amend = "keeps_on_decrease"
transfer_delay_ms = 90000
[venues.BYBIT.latency]
entry_ms = {{ p50 = 80, p99 = 120 }}
response_ms = {{ p50 = 80, p99 = 120 }}
[size]
size = "0.02"
"""
DAY = 1_723_075_200 * 10**9
"""2024-08-08."""


def made(text: str) -> TickConfig:
    return make_config(TickConfig, tomllib.loads(text), {}, "my.toml")


def empty() -> JointTape:
    """Return a session of nothing."""
    return JointTape(JointSession("", DAY, DAY + 10**9, ()), DAY, DAY + 10**9, ())


def test_markets_stand_for_instrument_and_capital_and_survive_a_dump() -> None:
    config = made(TWO)
    assert (config.instrument, config.capital) == (BINANCE, Decimal("100000.5"))
    there = config.markets["there"].size
    assert there is not None
    assert (there.size, there.hold_ms) == (Decimal("0.02"), 7_000)  # the run's, and its own
    assert config.of_venue("BYBIT").transfer_delay_ms == 90_000
    assert config.of_venue("BYBIT").transfer_fees == {"USDT": Decimal("1.5")}
    assert config.of_venue("BINANCE") == config.venue
    assert made(dump_config(config)) == config
    more = with_values(config, {"markets.here.capital": "70000"})
    assert more.capital == Decimal("110000.5")
    alone = made("")
    assert made(dump_config(alone)) == alone
    assert list(alone.books) == ["imbalance"]


def test_each_book_has_its_money_at_its_venue_and_its_own_settings() -> None:
    config = made(TWO)
    markets = markets_of(config, asked(config, KNOWN))
    assert markets.deposits({}) == [
        Deposit(0, Wallet.MARGIN, Decimal(60_000), "BINANCE"),
        Deposit(1, Wallet.MARGIN, Decimal("40000.5"), "BYBIT"),
    ]
    line = market_line(
        config, markets, empty(), markets.deposits({}), dict.fromkeys(markets.venues, PLAIN)
    )
    sim = line.spec.sim
    assert isinstance(sim, dict)
    assert sim["BINANCE"]["margin"] == "cross"
    assert sim["BINANCE"]["amend"] == "loses_place"
    assert sim["BINANCE"]["transfer_delay_ns"] == 60_000 * 10**6
    assert sim["BYBIT"]["margin"] == "isolated"
    rules = ("reducing", "stop_margin", "triggered_stops", "waiting_amends")
    chosen = ["fill_or_kill", "trigger", "refuse", "take"]
    assert [sim["BYBIT"][rule] for rule in rules] == chosen
    assert not set(rules) & set(sim["BINANCE"])
    assert sim["BYBIT"]["amend"] == "keeps_on_decrease"
    assert sim["BYBIT"]["transfer_delay_ns"] == 90_000 * 10**6
    assert sim["BYBIT"]["transfer_fees"] == [("USDT", Decimal("1.5"))]
    # Only the imbalance book, the second one, reads features: one tick set.
    assert {params["instrument"] for _, params in line.spec.features} == {BYBIT}
    assert len(line.native.feature_names) == len(line.spec.features) > 0
    assert line.native.sleeve_equity(1) == Decimal("40000.5")


def test_imbalance_books_read_their_own_instruments_features() -> None:
    text = TWO.replace('strategy = "grid"', 'strategy = "imbalance"')
    config = made(text)
    markets = markets_of(config, asked(config, KNOWN))
    state = compose_markets(config, markets)
    line = market_line(
        config, markets, empty(), markets.deposits({}), dict.fromkeys(markets.venues, PLAIN)
    )
    features = line.spec.features
    assert isinstance(state.speaker, JoinedStages)
    stages = state.speaker.stages
    columns = [stage._column for stage in stages]  # type: ignore[attr-defined]  # what counts
    assert [features[at][0] for at in columns] == [
        f"{config.feature}@{BINANCE}",
        f"{config.feature}@{BYBIT}",
    ]
    assert [features[at][1]["instrument"] for at in columns] == [BINANCE, BYBIT]


def test_money_that_moves_is_told_of_one_instrument_too() -> None:
    plain = TickConfig()
    moves = made("[transfers.a]\nbook = 'imbalance'\namount = 1")
    flags = [markets_of(c, asked(c, KNOWN)).is_plain for c in (plain, moves, made(TWO))]
    assert flags == [True, False, False]


def test_money_in_two_assets_is_told_of_one_instrument_too() -> None:
    """A linear contract with coins as margin; those of an inverse one are all its money."""
    pledged = made('coins = { BTC = 1 }\n[venue]\ncollateral = ["BTC"]')
    coin = made('instrument = "BTCUSD-PERP.BINANCE"\ncoins = { BTC = 1 }')
    flags = [markets_of(c, asked(c, KNOWN)).is_plain for c in (pledged, coin)]
    assert flags == [False, True]


def test_legs_of_a_contract_are_books_beside_each_other() -> None:
    legs = f"""
[markets.up]
instrument = "{BINANCE}"
capital = 1
side = "long"
[markets.down]
instrument = "{BINANCE}"
capital = 2
side = "short"
[markets.other]
instrument = "{BYBIT}"
capital = 3
side = "long"
[venues.binance]
hedged = true
"""
    config = made(legs)
    markets = markets_of(config, asked(config, KNOWN))
    assert [(b.name, b.contract, b.at, b.side, b.is_leg) for b in markets.books] == [
        ("up", 0, 0, LONG, True),
        ("down", 0, 2, SHORT, True),
        ("other", 1, 1, LONG, False),
    ]
    assert markets.traded[2].id == "BTCUSDT-PERP-SHORT.BINANCE"
    assert markets.hedged == ("BINANCE",)
    one = markets_of(TickConfig(), asked(TickConfig(), KNOWN))
    assert [(b.at, b.side, b.is_leg) for b in one.books] == [(0, BOTH, False)]


def changed(**lines: str) -> str:
    """Return a plain run on two markets with lines put in."""
    keys = {"top": "", "here": "", "there": "", "end": ""} | lines
    return f"""{keys["top"]}
[markets.here]
instrument = "{BINANCE}"
capital = 1
{keys["here"]}
[markets.there]
instrument = "{keys.get("instrument", BYBIT)}"
capital = 2
{keys["there"]}
{keys["end"]}
"""


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ({"top": "capital = 3"}, "capital: the markets say it, each its own: leave it out"),
        ({"top": "instrument = 'x'"}, "instrument: the markets say it, each its own: leave it out"),
        ({"here": "size = 1"}, "markets: expected sections"),
        (
            {"end": f'[markets.{PORTFOLIO}]\ninstrument = "{SPOT}"\ncapital = 3'},
            "markets.portfolio: this is the sum of all books: give it another name",
        ),
        (
            {"instrument": BINANCE},
            "markets.there: BTCUSDT-PERP.BINANCE is traded by markets.here already: one book each",
        ),
        (
            {
                "instrument": BINANCE,
                "here": 'side = "long"',
                "there": 'side = "long"',
                "end": "[venue]\nhedged = true",
            },
            "markets.there: the long leg of BTCUSDT-PERP.BINANCE is traded by markets.here already",
        ),
        (
            {"end": "[venues.OKX]\nhedged = true"},
            "venues.OKX: no market trades there; venues of the run: BINANCE, BYBIT",
        ),
        ({"end": "[venues.BYBIT]\nspeed = 1"}, "unknown key 'venues.BYBIT.speed'"),
        (
            {"end": '[netting.styles]\nimbalance = "join"'},
            "netting.styles: no sleeve 'imbalance'; there are here, there",
        ),
    ],
)
def test_parts_that_contradict_each_other_are_refused(lines: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError) as told:
        made(changed(**lines))
    assert said in str(told.value)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ({"instrument": "X.Y"}, "markets.there.instrument: no rules for 'X.Y'; known: "),
        (
            {"instrument": "BTCUSD-PERP.BINANCE"},
            "markets.there.instrument: expected an instrument quoted in USDT as "
            "BTCUSDT-PERP.BINANCE is, was BTCUSD-PERP.BINANCE",
        ),
        (
            {"end": "[venues.BYBIT]\nhedged = true"},
            "markets.there.side: the account at BYBIT is in hedge mode: expected",
        ),
        (
            {"instrument": SPOT, "there": 'side = "short"'},
            'markets.there.side: expected "both" or "long", was "short": spot',
        ),
        (
            {"end": '[venues.BYBIT]\ncollateral = ["BTC"]'},
            "collateral: expected one venue in the run, was BINANCE, BYBIT",
        ),
        (
            {"end": '[venues.BYBIT.transfer_fees]\nETH = "1"'},
            "sim.BYBIT.transfer_fees: expected assets of USDT, was ETH",
        ),
        (
            {"instrument": "BTCUSDT.BYBIT", "end": "[venues.BYBIT]\nhedged = true"},
            "hedged: expected venues of BINANCE, was BYBIT",
        ),
    ],
)
def test_markets_that_cannot_be_traded_together_are_refused(
    lines: dict[str, str], said: str
) -> None:
    config = made(changed(**lines))
    with pytest.raises(ConfigError) as told:
        check_markets_tradable(config, markets_of(config, asked(config, KNOWN)), DAY)
    assert said in str(told.value)


def test_coins_are_collateral_only_since_the_venue_took_them() -> None:
    text = changed(instrument=SPOT, end='[venue]\ncollateral = ["BTC"]')
    config = made(text)
    markets = markets_of(config, asked(config, KNOWN))
    check_markets_tradable(config, markets, DAY)
    with pytest.raises(ConfigError, match="counts as margin at binance from 2021-05-28 on"):
        check_markets_tradable(config, markets, 1_609_459_200 * 10**9)  # 2021-01-01


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ('book = "x"', "transfers.a.book: expected here, there, was x"),
        (
            'book = "here"\nto = "OKX"',
            "transfers.a.to: expected another venue of the run (BYBIT), was OKX",
        ),
        (
            'book = "here"\nto = "BINANCE"',
            "transfers.a.to: expected another venue of the run (BYBIT), was BINANCE",
        ),
        (
            'book = "here"\nasset = "BTC"',
            "transfers.a.asset: expected USDT in margin.BINANCE, was BTC",
        ),
    ],
)
def test_transfers_name_what_is_there(rule: str, said: str) -> None:
    config = made(changed(end=f"[transfers.a]\namount = 1\n{rule}"))
    with pytest.raises(ConfigError) as told:
        compose_markets(config, markets_of(config, asked(config, KNOWN)))
    assert said in str(told.value)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (
            'asset = "BTC"',
            "transfers.a.asset: the book here never has BTC in margin at BINANCE: "
            "expected what it has (USDT in margin at BINANCE)",
        ),
        (
            'source = "spot"',
            "transfers.a.asset: the book here never has USDT in spot at BINANCE: "
            "expected what it has (USDT in margin at BINANCE)",
        ),
        # What it is brought it sends on, and back; what only comes back it never had.
        ('[transfers.b]\nbook = "here"\namount = 1\nsource = "spot"', None),
        (
            '[transfers.b]\nbook = "here"\namount = 1\nasset = "BTC"\nsource = "spot"\n'
            '[transfers.c]\nbook = "here"\namount = 1\nasset = "BTC"',
            "transfers.b.asset: the book here never has BTC in spot at BINANCE: "
            "expected what it has (USDT in margin at BINANCE, USDT in spot at BINANCE)",
        ),
    ],
)
def test_a_transfer_of_what_its_book_never_has_is_refused(rule: str, said: str | None) -> None:
    """Of the collateral of its venue a book has what it begins with, buys or is brought."""
    config = made(f'''
[markets.here]
instrument = "{BINANCE}"
capital = 1000
[markets.coins]
instrument = "{SPOT}"
capital = 1000
strategy = "hold"
[venue]
collateral = ["BTC"]
[transfers.a]
book = "here"
amount = 1
{rule}
''')
    markets = markets_of(config, asked(config, KNOWN))
    accounts = Accounts(markets.instruments, "USDT", ("BTC",))
    if said is None:
        assert len(routes(config.transfers, markets, accounts)) == 2
        return
    with pytest.raises(ConfigError) as told:
        routes(config.transfers, markets, accounts)
    assert str(told.value) == said


def test_a_transfer_leaves_the_wallet_in_which_its_book_settles() -> None:
    text = changed(
        instrument=SPOT,
        end="""
[transfers.plain]
book = "there"
amount = 1
[transfers.other]
book = "there"
amount = 1
source = "margin"
[transfers.coins]
book = "there"
amount = 1
asset = "BTC"
[venues.BINANCE]
collateral = ["BTC"]
""",
    )
    config = made(text)
    markets = markets_of(config, asked(config, KNOWN))
    accounts = Accounts(markets.instruments, "USDT", ("BTC",))
    found = routes(config.transfers, markets, accounts)
    assert [(r.sleeve, r.source, r.target, r.asset) for r in found] == [
        (1, Wallet.SPOT, (Wallet.MARGIN, "BINANCE"), "USDT"),
        (1, Wallet.MARGIN, (Wallet.SPOT, "BINANCE"), "USDT"),
        (1, Wallet.SPOT, (Wallet.MARGIN, "BINANCE"), "BTC"),
    ]
    plain = config.transfers["coins"].model_copy(update={"below": Decimal(1)})
    with pytest.raises(ConfigError, match="below: expected an amount of USDT alone, was BTC"):
        routes({"a": plain}, markets, accounts)
