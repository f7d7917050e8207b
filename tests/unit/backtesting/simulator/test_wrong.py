"""What a strategy or a setting does wrong ends with one line that says what and where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from crypto_quant.backtesting.simulator import (
    AS_HFTBACKTEST,
    Deposit,
    Market,
    OrderType,
    Simulator,
    TimeInForce,
    TriggerBy,
    Wallet,
)
from crypto_quant.core.errors import ConfigError, DataError, StrategyError
from crypto_quant.venues.rules import load_instruments
from tests.unit.backtesting.simulator.markets import BTC, ETH, LATENCY, MS, T0, market, simulator

WHERE = r" \(at 2024-08-01T00:00:00\.005000000Z, event 2\)$"
NAN = float("nan")
Call = Callable[[Any], object]
STOP = {"order_type": OrderType.STOP}
TRAIL = {"order_type": OrderType.TRAILING_STOP}


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda s: s.submit_buy_order(0, 1, NAN, 1), "nan, 1, .*: expected whole ticks and lots"),
        (lambda s: s.submit_buy_order(0, 1, 6e5, 1), "expected whole ticks and lots"),
        (lambda s: s.submit_sell_order(0, 1, 5, NAN), "submit_sell_order.*expected whole ticks"),
        (lambda s: s.submit_buy_order(0, 1, 10**30, 1), "at most 63 bits"),
        (lambda s: s.submit_buy_order(0, -1, 5, 1), "at most 63 bits"),
        (lambda s: s.submit_buy_order(0, 2**62, 5, 1), "expected an unused id below 2\\^62"),
        (lambda s: s.submit_buy_order(1, 1, 5, 1), "asset_no: expected 0 to 0, was 1"),
        (lambda s: s.submit_buy_order(-1, 1, 5, 1), "asset_no: expected 0 to 0, was -1"),
        (
            lambda s: s.submit_buy_order(0, 1, 5, 1, TimeInForce.GTX, OrderType.MARKET),
            "expected an order type with a time in force",
        ),
        (lambda s: s.submit_buy_order(0, 1, None, 1), "expected whole ticks and lots"),
        (
            lambda s: s.submit_buy_order(0, 1, 5, 1, TimeInForce.GTX, **STOP),
            "stop_tick: expected the trigger of a STOP order, was none",
        ),
        (
            lambda s: s.submit_buy_order(0, 1, 0, 1, TimeInForce.GTX, **STOP, stop_tick=5),
            "expected an order type with a time in force",
        ),
        (
            lambda s: s.submit_sell_order(0, 1, 0, 1, **STOP, stop_tick=-5),
            "submit_sell_order.*stop_tick=-5.*stop_tick: expected ticks above 0, was -5",
        ),
        (
            lambda s: s.submit_sell_order(0, 1, 0, 1, **STOP, stop_tick=NAN),
            "stop_tick=nan.*expected whole ticks and lots",
        ),
        (
            lambda s: s.submit_buy_order(0, 1, 5, 1, stop_tick=5),
            "stop_tick: a LIMIT order has no trigger, was 5",
        ),
        (
            lambda s: s.submit_buy_order(0, 1, 5, 1, trigger=TriggerBy.MARK),
            "trigger: a LIMIT order has none, was MARK",
        ),
        (
            lambda s: s.submit_buy_order(0, 1, 0, 1, **TRAIL),
            "callback_rate: expected a Decimal or whole percent, was None",
        ),
        (
            lambda s: s.submit_buy_order(0, 1, 0, 1, **TRAIL, callback_rate=0.5),
            "callback_rate: expected a Decimal or whole percent, was 0.5",
        ),
        (
            lambda s: s.submit_buy_order(0, 1, 0, 1, **TRAIL, callback_rate=100),
            "callback_rate: expected 0.0001 to 99.9999 percent, in steps of 0.0001, was 100",
        ),
        (
            lambda s: s.submit_buy_order(0, 1, 0, 1, **TRAIL, callback_rate=Decimal("-1")),
            "callback_rate: expected 0.0001 to 99.9999 percent.*was -1",
        ),
        (
            lambda s: s.submit_buy_order(0, 1, 0, 1, **TRAIL, callback_rate=Decimal("0.00005")),
            "in steps of 0.0001, was 0.00005",
        ),
        (
            lambda s: s.submit_buy_order(0, 1, 5, 1, callback_rate=1),
            "callback_rate: a LIMIT order has none, was 1",
        ),
        (
            lambda s: s.submit_buy_order(0, 1, 5, 1, post_only=True),
            "post_only: expected keywords callback_rate, close_position, position_side",
        ),
        (
            lambda s: s.submit_buy_order(0, 1, 5, 1, position_side=7),
            "7 is not a valid PositionSide",
        ),
        (lambda s: s.submit_buy_order(0, 1, 5, 1, 0, 9), "9 is not a valid OrderType"),
        (lambda s: s.submit_buy_order(0, 1, 5, True), "expected whole ticks and lots"),
        (lambda s: s.submit_buy_order(0, 1, True, 5), "expected whole ticks and lots"),
        (lambda s: s.submit_buy_order(0, 1, 5, np.True_), "expected whole ticks and lots"),
        (lambda s: s.modify(0, 1, 5, True), "modify.*expected whole ticks and lots"),
        (lambda s: s.modify(0, 1, True, 5), "modify.*expected whole ticks and lots"),
        (
            lambda s: s.submit_buy_order(0, 1, 5, 1, **STOP, stop_tick=True),
            "stop_tick: expected whole ticks, was True",
        ),
        (
            lambda s: s.submit_buy_order(0, 1, 5, 1, reduce_only="no"),
            "reduce_only: expected True or False, was 'no'",
        ),
        (
            lambda s: s.submit_buy_order(0, 1, 5, 1, close_position=True),
            "close_position: expected a market order with a trigger, was a LIMIT order with a pri",
        ),
        (
            lambda s: s.submit_buy_order(
                0, 1, None, 1, order_type=OrderType.MARKET, close_position=True
            ),
            "close_position: expected a market order with a trigger, was a MARKET order",
        ),
        (
            lambda s: s.submit_buy_order(0, 1, 5, 1, **STOP, stop_tick=6, close_position=True),
            "close_position: expected .*, was a STOP order with a price",
        ),
        (lambda s: s.transfer(Wallet.MARGIN, 1.5), "amount: expected a Decimal, was 1.5"),
        (lambda s: s.transfer(Wallet.MARGIN, "1"), "amount: expected a Decimal, was '1'"),
        (lambda s: s.transfer(Wallet.MARGIN, Decimal("NaN")), "amount: .* 28 digits, was NaN"),
        (
            lambda s: s.transfer(Wallet.MARGIN, Decimal(1), fee=1.5),
            "fee: expected a Decimal, was 1.5",
        ),
        (lambda s: s.transfer(Wallet.MARGIN, Decimal(1), fee=False), "fee: .* Decimal, was False"),
        (lambda s: s.transfer(7, Decimal(1)), "source: expected one of Wallet.SPOT, .*, was 7"),
        (lambda s: s.cancel(0, 9), "cancel\\(0, 9\\): order_id: expected the id of a placed order"),
        (lambda s: s.modify(0, 9, 5, 1), "modify.*expected the id of a placed order"),
        (lambda s: s.wait_order_response(0, 9), "wait_order_response.*the id of a placed order"),
        (lambda s: s.orders(3), "asset_no: expected 0 to 0, was 3"),
        (lambda s: s.depth(0).levels(-1), "count: expected a whole number of 0 or more, was -1"),
        (lambda s: s.depth(0).levels(NAN), "count: expected a whole number .*, was nan"),
        (lambda s: s.depth(0).bid_qty_at_tick(NAN), "price_tick: expected .*, was nan"),
        (lambda s: s.depth(0).ask_qty_at_tick(2**62), "price_tick: expected .*, was 4611"),
        (lambda s: s.elapse(0), "elapse\\(0\\): expected a duration above 0"),
        (lambda s: s.elapse(NAN), "elapse\\(nan\\): expected whole ns"),
        (lambda s: s.elapse(2**64), "elapse\\(.*\\): expected ns of at most 63 bits"),
        (lambda s: s.elapse(2**63 - 1), "elapse\\(.*\\): expected ns of at most 63 bits"),
    ],
)
def test_a_call_that_cannot_be_one_says_where_on_the_tape(call: Call, said: str) -> None:
    with pytest.raises(StrategyError, match=said + ".*" + WHERE) as caught:
        call(simulator())
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (
            lambda s: s.modify(1, 1, 599_000, 20),
            r"modify\(1, 1, 599000, 20\): asset_no: expected 0,",
        ),
        (
            lambda s: s.cancel(1, 1),
            r"cancel\(1, 1\): asset_no: expected 0, where the order is, was 1",
        ),
        (
            lambda s: s.wait_order_response(1, 1),
            r"wait_order_response\(1, 1, .*: expected 0, where",
        ),
        (lambda s: s.modify(7, 1, 599_000, 20), "asset_no: expected 0 to 1, was 7"),
        (lambda s: s.cancel(7, 1), "asset_no: expected 0 to 1, was 7"),
        (lambda s: s.wait_order_response(0, 1, NAN), "expected whole numbers and ns"),
        (
            lambda s: s.wait_order_response(0, 1, 2**64),
            "expected numbers and ns of at most 63 bits",
        ),
        (lambda s: s.wait_order_response("x", 1), "asset_no: expected 0 to 1, was 'x'"),
    ],
)
def test_an_order_is_reached_by_its_own_instrument_only(call: Call, said: str) -> None:
    made = simulator(market(), market(ETH))
    made.submit_buy_order(0, 1, 600_000, 20, wait=True)
    before = made.orders(0)
    with pytest.raises(StrategyError, match=said):
        call(made)
    made.elapse(50 * MS)
    assert made.orders(0) == before
    assert before[1].status == "working"


@pytest.mark.parametrize(
    "how",
    [
        {**STOP, "stop_tick": 599_000},
        {"order_type": OrderType.TAKE_PROFIT, "stop_tick": 601_000},
        {**TRAIL, "callback_rate": 1},
    ],
)
def test_an_order_without_a_limit_is_given_none_by_an_amendment(how: dict[str, Any]) -> None:
    made = simulator(waiting_amends="take")
    made.submit_sell_order(0, 1, None, 20, **how, wait=True)
    said = r"modify\(0, 1, 599995, 20\): price_tick: expected None.*: cancel it and send another"
    with pytest.raises(StrategyError, match=said):
        made.modify(0, 1, 599_995, 20)
    assert made.modify(0, 1, None, 30, wait=True)
    order = made.orders(0)[1]
    assert (order.price_tick, order.qty, order.status, order.reason) == (None, 30, "working", "")


def test_a_strategy_that_raises_is_named_with_its_place() -> None:
    def careless(made: Simulator) -> None:
        made.elapse(95 * MS)
        raise KeyError("nothing")

    with pytest.raises(StrategyError) as caught:
        simulator().run(careless)
    said = "careless: KeyError: 'nothing' (at 2024-08-01T00:00:00.100000000Z, event 2)"
    assert str(caught.value) == said
    assert isinstance(caught.value.__cause__, KeyError)


def test_what_the_venue_must_refuse_it_refuses() -> None:
    made = simulator()
    made.submit_buy_order(0, 1, 600_000, 0)
    made.submit_buy_order(0, 2, 600_000, -5)
    made.submit_buy_order(0, 3, 0, 5)
    made.submit_buy_order(0, 4, 600_000, 1)
    made.submit_buy_order(0, 5, 600_000, 10, TimeInForce.FOK)
    made.elapse(100 * MS)
    reasons = {number: order.reason for number, order in made.orders(0).items()}
    assert reasons == {
        1: "bad_quantity",
        2: "bad_quantity",
        3: "no_price",
        4: "min_notional",
        5: "fok_not_filled",
    }


def test_a_refused_amendment_is_seen_until_one_is_taken() -> None:
    made = simulator(market(trades=((310, -1, 599_990, 1),)))
    made.submit_buy_order(0, 1, 599_995, 20, wait=True)
    seen = []
    for price, qty in ((900_000, 20), (599_996, 1), (-5, 20), (599_997, 20), (599_996, -20)):
        assert made.modify(0, 1, price, qty, wait=True)
        order = made.orders(0)[1]
        seen.append((order.status, order.price_tick, order.qty, order.reason))
    assert seen == [
        ("working", 599_995, 20, "price_above_band"),
        ("working", 599_995, 20, "min_notional"),
        ("working", 599_995, 20, "no_price"),
        ("working", 599_997, 20, ""),
        ("working", 599_997, 20, "bad_quantity"),
    ]
    made.submit_buy_order(0, 2, 599_996, 20, wait=True)
    made.modify(0, 2, None, -20, wait=True)
    made.cancel(0, 2, wait=True)
    assert (made.orders(0)[2].status, made.orders(0)[2].reason) == ("cancelled", "")


def test_a_refused_amendment_says_nothing_of_an_order_that_then_trades() -> None:
    made = simulator(market(trades=((310, -1, 599_990, 1_000),)))
    made.submit_buy_order(0, 1, 600_000, 20, wait=True)
    made.modify(0, 1, 600_000, -20, wait=True)
    assert made.orders(0)[1].reason == "bad_quantity"
    made.elapse(400 * MS)
    assert (made.orders(0)[1].status, made.orders(0)[1].reason) == ("filled", "")


@pytest.mark.parametrize("bits", [36, 40, 50, 60])
def test_an_order_that_nobody_can_count_is_refused_and_the_simulator_goes_on(bits: int) -> None:
    made = simulator()
    made.submit_buy_order(0, 1, 600_000, 2**bits)
    made.submit_buy_order(0, 2, 600_000, 2**bits, order_type=OrderType.MARKET)
    assert made.elapse(100 * MS)
    reasons = {number: order.reason for number, order in made.orders(0).items()}
    assert reasons == {1: "too_large", 2: "too_large"}


def test_a_hundred_thousand_orders_at_once_are_refused_one_by_one() -> None:
    made = simulator()
    for number in range(1, 100_001):
        made.submit_buy_order(0, number, 599_990, 10)
    made.elapse(100 * MS)
    assert Counter(order.reason for order in made.orders(0).values()) == {
        "": 200,
        "max_open_orders": 99_800,
    }


def test_orders_are_taken_while_time_passes_only() -> None:
    made = Simulator([market()], sim=LATENCY)
    with pytest.raises(StrategyError, match="commands are taken between"):
        made.submit_buy_order(0, 1, 600_000, 10)
    while made.elapse(1_000 * MS):
        pass
    with pytest.raises(StrategyError, match="commands are taken between"):
        made.submit_buy_order(0, 1, 600_000, 10)


def test_strategies_in_rust_are_named_and_their_parameters_checked() -> None:
    with pytest.raises(ConfigError, match="strategy: expected one of glft, grid, imbalance, twap"):
        simulator().run_native("grit", {})
    with pytest.raises(ConfigError, match="gamma: expected a number above 0, was NaN"):
        simulator().run_native("glft", {"gamma": NAN})
    with pytest.raises(ConfigError, match="instrument: expected a whole number from 0 to 0, was 1"):
        simulator().run_native("grid", {"instrument": 1})
    wrong: list[tuple[Any, Any]] = [(5, {}), ("grid", None), ("grid", 3)]
    for strategy, parameters in wrong:
        with pytest.raises(ConfigError, match="run_native: expected a name and a mapping"):
            simulator().run_native(strategy, parameters)


def test_settings_and_markets_must_fit_together() -> None:
    with pytest.raises(ConfigError, match=r"sim\.quew: unknown key"):
        Simulator([market()], sim={"quew": "power"})
    with pytest.raises(ConfigError, match="markets: expected one quote asset, was none"):
        Simulator([])
    spot = load_instruments()["BTCUSDT.BINANCE"]
    with pytest.raises(ConfigError, match="spot only or contracts only"):
        Simulator([market(), market(spot)])
    with pytest.raises(DataError, match="delta: expected rows of a book"):
        Market.of_columns(BTC, {"trade": {"ts_recv": np.array([1])}})
    assert simulator(**AS_HFTBACKTEST).num_assets == 1


AMOUNT = "expected an amount of 0 or more with at most 28 digits, was "
WHOLE = "expected a whole number from 1 to [0-9]+, was "


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"capital": "100"}, "capital: expected a Decimal, was '100'"),
        ({"capital": 5.0}, "capital: expected a Decimal, was 5.0"),
        ({"capital": True}, "capital: expected a Decimal, was True"),
        ({"capital": Decimal("NaN")}, f"capital: {AMOUNT}NaN"),
        ({"capital": Decimal("Infinity")}, f"capital: {AMOUNT}Infinity"),
        ({"capital": Decimal(-5)}, f"capital: {AMOUNT}-5"),
        ({"capital": Decimal("1e-30")}, f"capital: {AMOUNT}1E-30"),
        ({"capital": {"BINANCE": 5.0}}, "capital of BINANCE: expected a Decimal, was 5.0"),
        ({"capital": [1]}, "capital: expected an amount or a list of Deposit, was 1"),
        (
            {"capital": [Deposit(0, 7, Decimal(1))]},  # type: ignore[arg-type]
            "capital: expected one of Wallet.SPOT, Wallet.MARGIN, was 7",
        ),
        (
            {"capital": [Deposit(3, Wallet.SPOT, Decimal(1))]},
            "capital: expected deposits of sleeve",
        ),
        (
            {"capital": [Deposit(0, Wallet.SPOT, 1.5)]},  # type: ignore[arg-type]
            "capital: expected a Decimal, was 1.5",
        ),
        ({"leverage": 1.5}, f"leverage: {WHOLE}1.5"),
        ({"leverage": True}, f"leverage: {WHOLE}True"),
        ({"sim": 3}, "sim: expected a mapping of settings, was 3"),
        ({"sim": "x"}, "sim: expected a mapping of settings, was 'x'"),
        ({"hedged": 5}, "hedged: expected a list of names, was 5"),
        ({"hedged": "BINANCE"}, "hedged: expected a list of names, was 'BINANCE'"),
        ({"collateral": (7,)}, r"collateral: expected a list of names, was \(7,\)"),
        ({"leverage": 2**40}, f"leverage: {WHOLE}{2**40}"),
        ({"clock_ns": NAN}, f"clock_ns: {WHOLE}nan"),
        ({"markets": [None]}, "markets: expected a list of Market, was NoneType"),
        ({"markets": market()}, "markets: expected a list of Market, was Market"),
    ],
)
def test_what_a_simulator_is_made_of_is_checked_by_name(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=f"^{said}"):
        Simulator(**{"markets": [market()], **given})


def test_capital_is_decimal_or_whole() -> None:
    assert Simulator([market()], capital=7).equity() == 7  # type: ignore[arg-type]
    assert Simulator([market()], capital=Decimal("7.25")).equity() == Decimal("7.25")
    deposits = [Deposit(0, Wallet.SPOT, Decimal(3)), Deposit(0, Wallet.MARGIN, Decimal(4))]
    assert Simulator([market()], capital=deposits).equity() == 7


@pytest.mark.parametrize(
    ("kind", "lacks", "more", "said"),
    [
        ("delta", "px", (), "delta: expected columns .*, qty, flags, was without px"),
        ("delta", "ts_recv", (), "delta: .* was without ts_recv"),
        ("delta", "flags", (), "delta: .* was without flags"),
        ("trade", "id", ("foo",), "trade: expected columns .*, side, was without id, with foo"),
        ("mark", "", ("px",), "mark: expected columns ts_event, ts_recv, mark, was with px"),
        ("quote", "", (), "expected streams delta, trade, mark, was 'quote'"),
    ],
)
def test_columns_are_those_of_their_kind(
    kind: str, lacks: str, more: tuple[str, ...], said: str
) -> None:
    names = {
        "delta": ("ts_event", "ts_recv", "side", "px", "qty", "flags"),
        "trade": ("ts_event", "ts_recv", "id", "px", "qty", "side"),
        "mark": ("ts_event", "ts_recv", "mark"),
    }
    row = np.ones(1, dtype=np.int64)
    streams = {"delta": dict.fromkeys(names["delta"], row)}
    own = {*names.get(kind, ()), *more} - {lacks}
    with pytest.raises(DataError, match=f"^BTCUSDT-PERP.BINANCE: {said}"):
        Market.of_columns(BTC, {**streams, kind: dict.fromkeys(own, row)})


@pytest.mark.parametrize("kind", ["delta", "trade", "mark"])
def test_times_of_a_market_are_of_after_1970_and_do_not_go_back_far(kind: str) -> None:
    event = T0 + np.array([0, 2_000, 999]) * MS
    ones = np.ones(3, dtype=np.int64)
    names = {
        "delta": ("side", "px", "qty", "flags"),
        "trade": ("id", "px", "qty", "side"),
        "mark": ("mark",),
    }
    order = {"ts_event": np.sort(event), "ts_recv": T0 + 3_000 * MS * ones}
    rows = {k: {**order, **dict.fromkeys(own, ones * 10**9)} for k, own in names.items()}
    assert Market.of_columns(BTC, rows).start == T0 + 3_000 * MS
    rows[kind]["ts_event"] = event
    said = (
        f"^BTCUSDT-PERP.BINANCE: {kind}, column ts_event: row 2 .* lies 1,001.000 ms before row 1 "
    )
    with pytest.raises(DataError, match=said):
        Market.of_columns(BTC, rows)
    rows[kind]["ts_event"] = np.array([-5, 0, 1])
    with pytest.raises(DataError, match=f": {kind}, column ts_event, row 0: .* was -5: correct"):
        Market.of_columns(BTC, rows)


@pytest.mark.parametrize("name", ["ts_recv", "ts_event", "flags"])
@pytest.mark.parametrize(
    ("column", "was"),
    [
        (np.array([NAN]), r"float64 of shape \(1,\)"),
        (np.ones((1, 1), dtype=np.int64), r"int64 of shape \(1, 1\)"),
        (None, r"object of shape \(\)"),
        (np.array(["a"]), r"<U1 of shape \(1,\)"),
    ],
)
def test_a_column_that_is_none_says_what_it_is(name: str, column: object, was: str) -> None:
    row = np.ones(1, dtype=np.int64)
    names = ("ts_event", "ts_recv", "side", "px", "qty", "flags")
    book: dict[str, Any] = {of: column if of == name else row for of in names}
    said = f"^BTCUSDT-PERP.BINANCE: delta: {name}: expected integers \\(n,\\), was {was}"
    with pytest.raises(DataError, match=said):
        Market.of_columns(BTC, {"delta": book})


def test_a_market_is_of_an_instrument_and_of_columns() -> None:
    wrong: list[Any] = [None, 3, {"delta": 5}]
    for streams in wrong:
        with pytest.raises(DataError, match="expected a mapping of columns by stream"):
            Market.of_columns(BTC, streams)
    name: Any = "BTCUSDT"
    with pytest.raises(ConfigError, match=r"^instrument: expected an Instrument, was 'BTCUSDT'"):
        Market.of_columns(name, {})
