"""The loop of calls: what it tells, and when."""

from __future__ import annotations

from decimal import Decimal

import numpy as np

from crypto_quant.backtesting.simulator import (
    BUY,
    SELL,
    Order,
    OrderType,
    StateValues,
    TimeInForce,
)
from crypto_quant.core.messages import Wake
from tests.unit.backtesting.simulator.markets import BTC, ETH, MS, T0, market, simulator


def test_time_passes_by_calls_until_the_tape_ends() -> None:
    made = simulator()
    assert made.current_timestamp == T0 + 5 * MS
    assert made.elapse(95 * MS)
    assert made.current_timestamp == T0 + 100 * MS
    assert not made.elapse(10**12)
    assert not made.elapse(1)


def test_the_book_is_in_ticks_and_lots() -> None:
    levels = ((50, 1, 599_998, 7), (60, -1, 600_001, 3))
    made = simulator(market(levels=levels))
    depth = made.depth(0)
    assert depth.touch() == (600_000, 500, 600_001, 500)
    assert (depth.tick_size, depth.lot_size) == (Decimal("0.1"), Decimal("0.001"))
    made.elapse(100 * MS)
    assert (depth.best_bid_tick, depth.best_ask_tick) == (600_000, 600_001)
    assert (depth.best_bid, depth.best_ask) == (Decimal("60000.0"), Decimal("60000.1"))
    assert (depth.best_bid_qty, depth.best_ask_qty) == (500, 3)
    assert (depth.bid_qty_at_tick(599_998), depth.bid_qty_at_tick(599_999)) == (7, 0)
    assert depth.ask_qty_at_tick(600_001) == 3
    bids, asks = depth.levels(5)
    assert bids.tolist() == [[600_000, 500], [599_998, 7]]
    assert asks.tolist() == [[600_001, 3]]


def test_an_order_is_known_as_far_as_its_answers_have_arrived() -> None:
    made = simulator()
    assert made.submit_buy_order(0, 7, 599_990, 20)
    assert made.orders(0) == {7: Order(7, BUY, 599_990, 20, 0, 20, "sent", False, "", T0 + 5 * MS)}
    made.elapse(9 * MS)
    assert made.orders(0)[7].status == "sent"
    made.elapse(MS)
    order = made.orders(0)[7]
    assert (order.status, order.cancellable) == ("working", True)
    assert made.order_latency(0) == (T0 + 5 * MS, T0 + 9 * MS, T0 + 15 * MS)
    assert made.modify(0, 7, 599_980, 30, wait=True)
    assert made.orders(0)[7][2:6] == (599_980, 30, 0, 30)
    made.cancel(0, 7)
    assert not made.orders(0)[7].cancellable
    assert made.wait_order_response(0, 7)
    assert made.orders(0)[7].status == "cancelled"
    made.clear_inactive_orders()
    assert made.orders(0) == {}


def test_fills_are_summed_exactly() -> None:
    made = simulator(market(trades=((6, 1, 600_000, 1),)))
    how = (TimeInForce.GTC, OrderType.MARKET)
    assert made.submit_buy_order(0, 1, 0, 20, *how, wait=True)
    assert made.submit_sell_order(0, 2, 600_000, 5, TimeInForce.IOC, wait=True)
    assert made.position(0) == 15
    # 0.02 at 60,000.1 and 0.005 at 60,000.0, at a taker's 5 bps.
    assert made.state_values(0) == StateValues(
        position=15,
        balance=Decimal("-900.002"),
        fee=Decimal("0.750001"),
        num_trades=2,
        trading_volume=25,
        trading_value=Decimal("1500.002"),
    )
    assert made.equity() == 100_000 + made.state_values(0).balance + 15 * 60 - Decimal("0.750001")
    fills = [(f.order_id, f.side, f.price_tick, f.qty, f.is_taker, f.tag) for f in made.fills()]
    assert fills == [(1, BUY, 600_001, 20, True, ""), (2, SELL, 600_000, 5, True, "")]
    assert (made.fills()[0].exch_timestamp, made.fills()[0].local_timestamp) == (
        T0 + 9 * MS,
        T0 + 15 * MS,
    )


def test_trades_are_kept_until_they_are_cleared() -> None:
    made = simulator(market(trades=((50, 1, 600_001, 4), (80, -1, 600_000, 9))))
    assert len(made.last_trades(0)) == 0
    made.elapse(60 * MS)
    assert made.feed_latency(0) == (T0 + 50 * MS, T0 + 53 * MS)
    trades = made.last_trades(0)
    assert [column.tolist() for column in trades] == [
        [T0 + 50 * MS],
        [T0 + 53 * MS],
        [600_001],
        [4],
        [1],
    ]
    made.clear_last_trades(0)
    made.elapse(60 * MS)
    assert made.last_trades(0).side.tolist() == [-1]


def test_a_maker_waits_for_its_place() -> None:
    made = simulator(market(trades=((50, -1, 600_000, 500), (60, -1, 600_000, 8))))
    made.submit_buy_order(0, 1, 600_000, 20, TimeInForce.GTX)
    made.submit_sell_order(0, 2, 600_000, 20, TimeInForce.GTX, wait=True)
    assert made.orders(0)[2].reason == "post_only_would_cross"
    made.elapse(100 * MS)
    order = made.orders(0)[1]
    assert (order.exec_qty, order.leaves_qty, order.status) == (8, 12, "working")
    assert not made.fills()[0].is_taker


def test_each_instrument_has_its_own_book_orders_and_position() -> None:
    made = simulator(market(BTC), market(ETH, levels=((50, -1, 600_002, 1),)))
    assert made.num_assets == 2
    assert [instrument.id for instrument in made.instruments] == [BTC.id, ETH.id]
    made.submit_buy_order(0, 1, 600_001, 20)
    made.submit_sell_order(1, 2, 600_000, 30)
    made.elapse(100 * MS)
    assert (made.position(0), made.position(1)) == (20, -30)
    assert (list(made.orders(0)), list(made.orders(1))) == ([1], [2])
    assert made.depth(1).levels(9)[1].tolist() == [[600_001, 500], [600_002, 1]]
    assert made.depth(0).levels(9)[1].tolist() == [[600_001, 500]]
    made.clear_inactive_orders(0)
    assert (list(made.orders(0)), list(made.orders(1))) == ([], [2])
    both = made.state_values(0).balance + made.state_values(1).balance
    value = 20 * 60 + 30 * made.depth(1).lot_size * -made.depth(1).tick_size * 600_000
    fees = made.state_values(0).fee + made.state_values(1).fee
    assert abs(made.equity() - (100_000 + both + value - fees)) < Decimal("0.01")


def test_the_end_of_the_tape_closes_the_position_with_costs() -> None:
    made = simulator()
    made.submit_buy_order(0, 1, 600_001, 20)
    while made.elapse(1_000 * MS):
        pass
    assert made.position(0) == 0
    last = made.fills()[-1]
    assert (last.tag, last.side, last.qty, last.is_taker) == ("data_end", SELL, 20, True)


def test_wake_ups_come_from_the_clock_and_the_account() -> None:
    made = simulator()
    woken = []
    for wake in made.wake_ups():
        woken.append((wake, (made.current_timestamp - T0) // MS))
        if len(woken) == 1:
            made.submit_buy_order(0, 1, 600_001, 20)
    assert woken[:3] == [(Wake.TIMER, 100), (Wake.ACCOUNT, 110), (Wake.TIMER, 200)]
    assert woken[-1][0] is Wake.DATA_END


def test_the_same_calls_make_the_same_fills() -> None:
    def fills() -> list[tuple[object, ...]]:
        draw = np.random.default_rng(3)
        rows = draw.integers([20, -1, 600_000, 1], [9_000, 1, 600_002, 300], (200, 4))
        rows[:, 1] = np.where(rows[:, 1] < 0, -1, 1)
        rows = rows[np.argsort(rows[:, 0])]
        made = simulator(market(trades=tuple(map(tuple, rows.tolist()))))
        for number in range(1, 90):
            made.submit_buy_order(0, 2 * number, 600_000, 10)
            made.submit_sell_order(0, 2 * number + 1, 600_001, 10)
            made.elapse(100 * MS)
        return [tuple(fill) for fill in made.fills()]

    first = fills()
    assert len(first) > 20
    assert first == fills()
