"""Hedge mode, collateral and transfers in the loop of calls, by hand."""

from __future__ import annotations

from decimal import Decimal

import pytest

from crypto_quant.backtesting.simulator import (
    Deposit,
    OrderType,
    PositionSide,
    Simulator,
    TimeInForce,
    Wallet,
)
from crypto_quant.core.errors import ConfigError, StrategyError
from crypto_quant.venues.rules import load_instruments
from tests.unit.backtesting.simulator.markets import BTC, ETH, LATENCY, MS, T0, market

LONG, SHORT, BOTH = PositionSide.LONG, PositionSide.SHORT, PositionSide.BOTH
SPOT = load_instruments()["BTCUSDT.BINANCE"]


def begun(*markets: object, **arguments: object) -> Simulator:
    made = Simulator(
        markets or (market(),),  # type: ignore[arg-type]
        sim={**LATENCY, **arguments.pop("sim", {})},  # type: ignore[dict-item]
        **arguments,  # type: ignore[arg-type]
    )
    assert made.elapse(98 * MS)
    return made


def test_two_positions_of_a_contract_live_beside_each_other() -> None:
    made = begun(market(), market(ETH), hedged=("BINANCE",))
    made.submit_buy_order(0, 1, None, 20, order_type=OrderType.MARKET, position_side=LONG)
    made.submit_sell_order(0, 2, None, 30, order_type=OrderType.MARKET, position_side=SHORT)
    made.submit_buy_order(1, 3, None, 40, order_type=OrderType.MARKET, position_side=LONG)
    assert made.elapse(100 * MS)
    held = [made.position(0, side) for side in (LONG, SHORT, BOTH)]
    assert held == [20, -30, -10]
    assert (made.position(1), made.position(1, SHORT)) == (40, 0)
    # A close of more than the leg is refused; one of less leaves the other leg as it is.
    made.submit_sell_order(0, 4, None, 21, order_type=OrderType.MARKET, position_side=LONG)
    made.submit_buy_order(0, 5, None, 10, order_type=OrderType.MARKET, position_side=SHORT)
    assert made.elapse(100 * MS)
    assert [made.position(0, side) for side in (LONG, SHORT)] == [20, -20]
    orders = made.orders(0)
    assert {number: order.reason for number, order in orders.items()} == {
        1: "",
        4: "reduce_only",
        2: "",
        5: "",
    }
    sides = {n: o.conditions.position_side for n, o in orders.items() if o.conditions is not None}
    assert sides == {1: LONG, 4: LONG, 2: SHORT, 5: SHORT}
    fills = [(f.asset_no, f.order_id, f.position_side, f.side * f.qty) for f in made.fills()]
    assert fills == [(0, 1, LONG, 20), (0, 2, SHORT, -30), (1, 3, LONG, 40), (0, 5, SHORT, 10)]
    legs = [made.state_values(0, side) for side in (LONG, SHORT)]
    both = made.state_values(0)
    assert [leg.num_trades for leg in legs] == [1, 2]
    assert both.balance == legs[0].balance + legs[1].balance == Decimal("-0.003")
    assert (both.position, both.trading_volume, both.fee) == (0, 60, legs[0].fee + legs[1].fee)
    made.clear_inactive_orders()
    assert made.orders(0) == {}


def test_a_stop_closes_its_leg_alone() -> None:
    made = begun(market(trades=((310, -1, 599_990, 1),)), hedged=("BINANCE",))
    made.submit_buy_order(0, 1, None, 20, order_type=OrderType.MARKET, position_side=LONG)
    made.submit_sell_order(0, 2, None, 30, order_type=OrderType.MARKET, position_side=SHORT)
    assert made.elapse(100 * MS)
    made.submit_sell_order(
        0,
        3,
        None,
        500,
        order_type=OrderType.STOP,
        stop_tick=599_990,
        close_position=True,
        position_side=LONG,
    )
    assert made.elapse(200 * MS)
    assert [made.position(0, side) for side in (LONG, SHORT)] == [0, -30]
    assert (made.orders(0)[3].status, made.orders(0)[3].exec_qty) == ("cancelled", 20)


def test_what_does_not_fit_the_position_mode_is_refused() -> None:
    one_way, hedged = begun(), begun(hedged=("BINANCE",))
    one_way.submit_buy_order(0, 1, 599_000, 20, position_side=LONG)
    hedged.submit_buy_order(0, 1, 599_000, 20)
    hedged.submit_sell_order(0, 2, 601_000, 20, reduce_only=True, position_side=LONG)
    reasons = []
    for made in (one_way, hedged):
        assert made.elapse(100 * MS)
        reasons += [order.reason for order in made.orders(0).values()]
    assert reasons == ["position_side", "position_side", "reduce_only_in_hedge_mode"]
    with pytest.raises(StrategyError, match="position_side: expected none, the account is in one-"):
        one_way.position(0, LONG)
    with pytest.raises(ConfigError, match="hedged: expected venues of BINANCE, was OKX"):
        begun(hedged=("OKX",))


def test_coins_are_margin_where_they_count_as_collateral() -> None:
    """A coin bought in spot and sent to the margin carries what 100 alone would not."""
    money = [Deposit(0, Wallet.SPOT, Decimal(7_000)), Deposit(0, Wallet.MARGIN, Decimal(100))]
    spot = market(SPOT, levels=((50, -1, 600_001, 200_000),))
    trades = ((50, 1, 600_001, 1),)
    for collateral, held in ((("BTC",), 400), ((), 0)):
        made = begun(market(trades=trades), spot, collateral=collateral, capital=money)
        made.submit_buy_order(1, 1, 600_001, 100_000)
        assert made.elapse(100 * MS)
        assert made.position(1) == 100_000
        if collateral:
            made.transfer(Wallet.SPOT, Decimal("0.9"), asset="BTC")
            assert made.elapse(10 * MS)
            assert made.transfers()[0].status == "arrived"
        made.submit_buy_order(0, 2, 600_001, 400)
        assert made.elapse(100 * MS)
        assert made.position(0) == held
    assert made.orders(0)[2].reason == "insufficient_margin"
    other = load_instruments()["BTCUSDT-PERP.BYBIT"]
    both = {"BINANCE": Decimal(1), "BYBIT": Decimal(1)}
    with pytest.raises(ConfigError, match="collateral: expected one venue in the run"):
        begun(market(), market(other), collateral=("BTC",), capital=both)


def test_money_moves_between_wallets_and_takes_its_time() -> None:
    money = [Deposit(0, Wallet.SPOT, Decimal(1_000)), Deposit(0, Wallet.MARGIN, Decimal(500))]
    terms = {"transfer_delay_ns": 50 * MS, "transfer_fees": [("USDT", Decimal(1))]}
    made = begun(market(), market(SPOT), capital=money, sim=terms)
    assert made.transfer(Wallet.SPOT, Decimal(400)) == 1
    assert made.transfer(Wallet.MARGIN, Decimal(10_000), fee=Decimal(0)) == 2
    first, second = made.transfers()
    assert (first.sent, first.arrives) == (T0 + 100 * MS, T0 + 150 * MS)
    assert (first.source, first.target, first.asset) == ("spot", "margin", "USDT")
    assert [first.amount, first.fee] == [400, 1]
    assert first.status == "in_flight"
    assert (second.status, second.reason != "") == ("refused", True)
    assert made.elapse(100 * MS)
    assert made.transfers()[0].status == "arrived"
    assert made.equity() == 1_499
    with pytest.raises(StrategyError, match=r"transfer\(.*wallet spot does not hold DOGE"):
        made.transfer(Wallet.SPOT, Decimal(1), asset="DOGE")
    with pytest.raises(StrategyError, match=r"venue: expected one of BINANCE, was OKX"):
        made.transfer(Wallet.SPOT, Decimal(1), to="OKX")


def test_a_transfer_to_another_venue_makes_a_position_there_possible() -> None:
    other = load_instruments()["BTCUSDT-PERP.BYBIT"]
    money = {"BINANCE": Decimal(1_000), "BYBIT": Decimal(0)}
    made = begun(market(), market(other), capital=money)
    made.submit_buy_order(1, 1, None, 20, order_type=OrderType.MARKET, wait=True)
    assert made.orders(1)[1].reason == "insufficient_margin"
    made.transfer(Wallet.MARGIN, Decimal(900), venue="BINANCE", to="BYBIT")
    made.submit_buy_order(1, 2, None, 20, order_type=OrderType.MARKET, wait=True)
    assert made.position(1) == 20


def test_what_is_given_twice_or_to_no_wallet_is_refused() -> None:
    with pytest.raises(ConfigError, match=rf"markets: expected each .* once, was {BTC.id} twice"):
        begun(market(), market(ETH), market())
    said = r"sim\.transfer_fees: expected assets of BTC, USDT, was DOGE"
    with pytest.raises(ConfigError, match=said):
        begun(
            market(),
            market(SPOT),
            sim={"transfer_fees": [("DOGE", Decimal(1))]},
            capital=[Deposit(0, Wallet.SPOT, Decimal(1_000))],
        )
    mixed = {"BINANCE": {"transfer_fees": [("DOGE", Decimal(1))]}, "BYBIT": {}}
    other = load_instruments()["BTCUSDT-PERP.BYBIT"]
    with pytest.raises(ConfigError, match=r"sim\.BINANCE\.transfer_fees: expected assets of .*USD"):
        Simulator(
            [market(), market(other)],
            sim=mixed,
            capital={"BINANCE": Decimal(1), "BYBIT": Decimal(1)},
        )


def test_a_post_only_limit_may_reduce() -> None:
    made = begun()
    made.submit_buy_order(0, 1, None, 20, order_type=OrderType.MARKET, wait=True)
    made.submit_sell_order(0, 2, 600_000, 20, TimeInForce.GTX, reduce_only=True, wait=True)
    assert made.orders(0)[2].reason == "post_only_would_cross"
