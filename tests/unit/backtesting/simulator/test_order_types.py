"""Every order type by hand, in the loop of calls and as a sleeve's ticket through the step.

Both send at the same times, so they must fill alike: what is sent at 100 ms is at the venue at
104 ms.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

import pytest

from crypto_quant.backtesting.simulator import (
    Market,
    Order,
    OrderType,
    Simulator,
    TimeInForce,
    TriggerBy,
)
from crypto_quant.core import messages
from crypto_quant.core.errors import StrategyError
from crypto_quant.core.messages import Side
from crypto_quant.core.tickets import Ticket
from tests.unit.backtesting.simulator.markets import LATENCY, MS, T0, Row, market, simulator
from tests.unit.runtime.own_orders import run

FELL = ((295, 1, 599_985, 500), (296, 1, 600_000, 0))
"""The bids fall to 599,985."""
ROSE = ((290, -1, 600_012, 500), (291, -1, 600_001, 0), (292, 1, 600_008, 500))
"""The asks rise to 600,012, then the bids to 600,008."""
QTY = 20
Fill = tuple[int, int, int, int]
"""ms at the venue, tick, signed lots, whether as a taker."""


class Exit(NamedTuple):
    """An order at 200 ms that sells 20 lots bought at 100 ms, and what becomes of it."""

    type: OrderType
    ticket: messages.OrderType
    levels: tuple[Row, ...]
    trades: tuple[Row, ...]
    fills: list[Fill]
    status: str = "filled"
    price: int | None = None
    stop: int | None = None
    tif: TimeInForce = TimeInForce.GTC
    callback: Decimal | None = None
    marks: tuple[tuple[int, int], ...] = ()
    qty: int = QTY
    closes: bool = False
    reason: str = ""

    def market(self) -> Market:
        return market(levels=self.levels, trades=self.trades, marks=self.marks)


T = messages.OrderType
STOP, PROFIT, TRAIL = OrderType.STOP, OrderType.TAKE_PROFIT, OrderType.TRAILING_STOP
TENTH = Decimal("0.01")
"""A trailing stop's 0.01 percent: 60 ticks."""
EXITS = {
    "stop": Exit(
        STOP,
        T.STOP_MARKET,
        FELL,
        ((305, -1, 599_991, 1), (310, -1, 599_990, 1)),
        [(310, 599_985, -20, 1)],
        stop=599_990,
    ),
    # The limit is above the bids of then: it rests until somebody buys through it.
    "stop limit": Exit(
        STOP,
        T.STOP_LIMIT,
        FELL,
        ((310, -1, 599_990, 1), (350, 1, 599_996, 50)),
        [(350, 599_995, -20, 0)],
        stop=599_990,
        price=599_995,
    ),
    "stop limit that does not rest": Exit(
        STOP,
        T.STOP_LIMIT,
        FELL,
        ((310, -1, 599_990, 1), (350, 1, 599_996, 50)),
        [],
        "cancelled",
        stop=599_990,
        price=599_995,
        tif=TimeInForce.IOC,
    ),
    "stop limit as a maker": Exit(
        STOP,
        T.STOP_LIMIT,
        (),
        ((310, -1, 599_990, 1),),
        [],
        "cancelled",
        stop=599_990,
        price=599_995,
        tif=TimeInForce.GTX,
        reason="post_only_would_cross",
    ),
    "take-profit": Exit(
        PROFIT,
        T.TAKE_PROFIT_MARKET,
        ROSE,
        ((305, 1, 600_009, 1), (310, 1, 600_010, 1)),
        [(310, 600_008, -20, 1)],
        stop=600_010,
    ),
    "take-profit limit": Exit(
        PROFIT,
        T.TAKE_PROFIT_LIMIT,
        ROSE,
        ((310, 1, 600_010, 1), (350, 1, 600_011, 7)),
        [(350, 600_009, -7, 0)],
        "working",
        stop=600_010,
        price=600_009,
    ),
    # The best price is 600,020: 60.002 ticks below it is 599,959.998, up to a hundredth 599,960.
    "trailing stop": Exit(
        TRAIL,
        T.TRAILING_STOP_MARKET,
        (),
        ((310, 1, 600_020, 1), (330, -1, 599_961, 1), (350, -1, 599_960, 1)),
        [(350, 600_000, -20, 1)],
        callback=TENTH,
    ),
    "trailing stop from a price on": Exit(
        TRAIL,
        T.TRAILING_STOP_MARKET,
        (),
        ((305, 1, 600_009, 1), (308, -1, 599_900, 1), (310, 1, 600_020, 1), (350, -1, 599_960, 1)),
        [(350, 600_000, -20, 1)],
        stop=600_010,
        callback=TENTH,
    ),
    # The last price has been there all along.
    "stop by the mark": Exit(
        STOP,
        T.STOP_MARKET,
        (),
        ((250, -1, 599_980, 1), (310, -1, 599_980, 1)),
        [(320, 600_000, -20, 1)],
        stop=599_990,
        marks=((50, 600_000), (320, 599_990)),
    ),
    "stop that closes": Exit(
        STOP,
        T.STOP_MARKET,
        (),
        ((310, -1, 599_990, 1),),
        [(310, 600_000, -20, 1)],
        "cancelled",
        stop=599_990,
        qty=100,
        closes=True,
    ),
    "limit that reduces": Exit(
        OrderType.LIMIT,
        T.LIMIT,
        (),
        (),
        [(204, 600_000, -20, 1)],
        "cancelled",
        price=600_000,
        qty=100,
        reason="reduce_only",
    ),
    "market that reduces": Exit(
        OrderType.MARKET, T.MARKET, (), (), [(204, 600_000, -20, 1)], "cancelled", qty=100
    ),
    "maker that reduces": Exit(
        OrderType.LIMIT,
        T.LIMIT,
        (),
        ((310, 1, 600_003, 9),),
        [(310, 600_002, -9, 0)],
        "working",
        price=600_002,
        tif=TimeInForce.GTX,
    ),
}


def by_calls(exit_: Exit) -> tuple[list[Fill], Order]:
    """Run it in the loop of calls; return the fills but the entry's, and what is known of it."""
    made = Simulator([exit_.market()], sim=LATENCY)
    assert made.elapse(98 * MS)
    made.submit_buy_order(0, 1, None, QTY, order_type=OrderType.MARKET)
    assert made.elapse(100 * MS)
    more: dict[str, object] = {}
    if exit_.stop is not None:
        more["stop_tick"] = exit_.stop
    if exit_.callback is not None:
        more["callback_rate"] = exit_.callback
    more["close_position" if exit_.closes else "reduce_only"] = True
    if exit_.marks:
        more["trigger"] = TriggerBy.MARK
    how = (exit_.tif, exit_.type)
    made.submit_sell_order(0, 2, exit_.price, exit_.qty, *how, **more)  # type: ignore[arg-type]
    assert made.elapse(800 * MS)
    fills = [
        ((f.exch_timestamp - T0) // MS, f.price_tick, f.side * f.qty, int(f.is_taker))
        for f in made.fills()
    ]
    assert fills[0] == (104, 600_001, QTY, 1)
    return fills[1:], made.orders(0)[2]


@pytest.mark.parametrize("exit_", EXITS.values(), ids=EXITS)
def test_an_exit_of_each_type_by_hand_in_the_loop_of_calls(exit_: Exit) -> None:
    fills, order = by_calls(exit_)
    assert fills == exit_.fills
    assert (order.status, order.reason) == (exit_.status, exit_.reason)
    traded = -sum(lots for _, _, lots, _ in fills)
    assert (order.qty, order.exec_qty, order.leaves_qty) == (
        exit_.qty,
        traded,
        exit_.qty - traded,
    )
    said = order.conditions
    assert said is not None
    assert (said.order_type, said.stop_tick) == (exit_.type, exit_.stop)
    assert said.callback_rate == (exit_.callback or 0)
    assert (said.reduce_only, said.close_position) == (not exit_.closes, exit_.closes)


@pytest.mark.parametrize("exit_", EXITS.values(), ids=EXITS)
def test_a_sleeves_ticket_of_each_type_fills_alike(exit_: Exit) -> None:
    entry = Ticket(0, "one", 0, "entry", Side.BUY, QTY, T.MARKET, "in")
    kept: Mapping[str, object] = {"close_position" if exit_.closes else "reduce_only": True}
    leave = Ticket(
        0,
        "one",
        0,
        "exit",
        Side.SELL,
        exit_.qty,
        exit_.ticket,
        "out",
        price=None if exit_.price is None else exit_.price * 10,
        stop=None if exit_.stop is None else exit_.stop * 10,
        time_in_force=tuple(messages.TimeInForce)[exit_.tif],
        trigger_by=messages.TriggerBy.MARK if exit_.marks else messages.TriggerBy.LAST,
        callback_ppm=int((exit_.callback or 0) * 10_000),
        **kept,  # type: ignore[arg-type]
    )
    ran = run(exit_.market(), {100: [entry], 200: [leave]})
    fills = [(ms, tick, side * lots, int(taker)) for _, ms, side, tick, lots, taker in ran.fills]
    assert fills == [(104, 600_001, QTY, 1), *exit_.fills]
    ends = {"working": "cancelled"}  # with the data
    assert ran.statuses[1] == ends.get(exit_.status, exit_.status)


def test_a_stop_limit_that_is_triggered_says_so_before_it_trades() -> None:
    made = Simulator([EXITS["stop limit"].market()], sim=LATENCY)
    assert made.elapse(98 * MS)
    how = {"stop_tick": 599_990, "reduce_only": True}
    made.submit_buy_order(0, 1, 600_001, QTY, wait=True)
    made.submit_sell_order(0, 2, 599_995, QTY, TimeInForce.GTC, STOP, **how)  # type: ignore[arg-type]
    seen: list[str] = []
    while made.current_timestamp < T0 + 400 * MS:
        made.elapse(10 * MS)
        order = made.orders(0)[2]
        if not seen or seen[-1] != order.status:
            seen.append(order.status)
        assert order.cancellable == (order.status in ("working", "triggered"))
    assert seen == ["working", "triggered", "filled"]


def test_an_entry_may_wait_for_its_trigger_and_a_trigger_need_no_mark() -> None:
    """A stop that buys where the market breaks out; without marks the last price stands in."""
    made = Simulator([market(trades=((310, 1, 600_005, 1),))], sim=LATENCY)
    assert made.elapse(98 * MS)
    made.submit_buy_order(
        0, 1, None, QTY, order_type=STOP, stop_tick=600_005, trigger=TriggerBy.MARK
    )
    assert made.elapse(400 * MS)
    (fill,) = made.fills()
    assert (fill.exch_timestamp, fill.price_tick, fill.qty) == (T0 + 310 * MS, 600_001, QTY)
    assert made.position(0) == QTY


def test_a_trigger_is_moved_where_the_venue_lets_it() -> None:
    """At 300 ms somebody trades two ticks above the offers: at the moved trigger."""
    trades = ((100, 1, 600_001, 1), (300, 1, 600_003, 1))
    for rule, status, stop in (("take", "filled", 600_003), ("refuse", "working", 600_050)):
        made = simulator(market(trades=trades), waiting_amends=rule)
        assert made.submit_buy_order(0, 1, None, 20, order_type=STOP, wait=True, stop_tick=600_050)
        assert made.modify(0, 1, None, 20, wait=True, stop_tick=600_003)
        order = made.orders(0)[1]
        assert order.conditions is not None
        assert order.conditions.stop_tick == stop
        assert order.reason == ("" if rule == "take" else "not_amendable")
        made.elapse(400 * MS)
        assert made.orders(0)[1].status == status
    said = r"modify\(0, 1, None, 20, stop_tick=True\): expected whole ticks"
    with pytest.raises(StrategyError, match=said):
        made.modify(0, 1, None, 20, stop_tick=True)
