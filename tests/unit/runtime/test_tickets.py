"""Sleeves' own orders through the step: what is sent, told, taken over and logged."""

from __future__ import annotations

import json

import pytest

from crypto_quant.core.errors import StrategyError
from crypto_quant.core.messages import Allocation, Amend, Cancel, OrderStatus, Place, Side, Target
from crypto_quant.core.tickets import Amendment, OrderReport, Ticket, Withdrawal
from crypto_quant.runtime.decision_json import as_line
from tests.unit.backtesting.simulator.markets import market
from tests.unit.runtime.own_orders import (
    FOK,
    IOC,
    MARK,
    TICK,
    Said,
    Script,
    T,
    commands,
    refusals,
    run,
    seen,
    ticket,
)


def test_a_sleeve_reads_what_became_of_its_orders() -> None:
    script: Script = {
        100: [
            ticket("taker", Side.BUY, 600, T.LIMIT, price=600_001 * TICK),
            ticket("maker", Side.BUY, 30, T.POST_ONLY, price=599_990 * TICK),
        ],
        200: [Withdrawal(0, "one", "maker", "enough"), Withdrawal(0, "one", "never", "x")],
    }
    watched, notes = seen((200, 300), ("taker", "maker", "never"), script)
    ran = run(market(), watched)
    at_200, at_300 = notes
    # 500 were offered; the other 100 rest.
    assert at_200[0] == OrderReport(1, OrderStatus.PARTIAL, 600, 500, 6_000_010, False, "")
    assert at_200[1] == OrderReport(2, OrderStatus.WORKING, 30, 0, 5_999_900, False, "")
    assert at_200[2] is None
    assert at_300[1] == OrderReport(2, OrderStatus.CANCELLED, 30, 0, 5_999_900, False, "cancelled")
    assert not at_300[1].is_live
    assert commands(ran, Cancel) == [Cancel(2, "enough")]


def test_what_the_venue_ends_or_refuses_is_told_apart() -> None:
    script: Script = {
        100: [
            ticket("ioc", Side.BUY, 600, T.LIMIT, price=6_000_010, time_in_force=IOC),
            ticket("fok", Side.BUY, 900, T.LIMIT, price=6_000_010, time_in_force=FOK),
        ]
    }
    watched, notes = seen((200,), ("ioc", "fok"), script)
    run(market(), watched)
    ((ioc, fok),) = notes
    assert (ioc.status, ioc.filled) == (OrderStatus.EXPIRED, 500)
    assert (fok.status, fok.reason) == (OrderStatus.REJECTED, "fok_not_filled")


def test_a_stop_limit_is_seen_to_be_triggered() -> None:
    stop = ticket("in", Side.BUY, 30, T.STOP_LIMIT, stop=6_000_050, price=6_000_000)
    watched, notes = seen((200, 400), ("in",), {100: [stop]})
    run(market(trades=((310, 1, 600_005, 1),)), watched)
    assert [report.status for (report,) in notes] == [OrderStatus.WORKING, OrderStatus.TRIGGERED]


def test_the_first_exit_leaves_the_other_nothing() -> None:
    """Take-profit and trailing stop of one position: what comes second does not open a short."""
    entry = ticket("in", Side.BUY, 400)
    exits = [
        ticket("profit", Side.SELL, 400, T.TAKE_PROFIT_MARKET, stop=6_000_100, reduce_only=True),
        ticket("trail", Side.SELL, 400, T.TRAILING_STOP_MARKET, callback_ppm=100, reduce_only=True),
    ]
    watched, notes = seen((900,), ("profit", "trail"), {100: [entry], 200: exits})
    ran = run(market(trades=((310, 1, 600_010, 1), (500, -1, 599_000, 1))), watched)
    assert [fill[0] for fill in ran.fills] == [1, 2]
    ((profit, trail),) = notes
    assert profit.status is OrderStatus.FILLED
    assert (trail.status, trail.filled) == (OrderStatus.EXPIRED, 0)


def test_a_target_takes_over_and_takes_the_orders_back_first() -> None:
    script: Script = {
        100: [ticket("bid", Side.BUY, 30, T.LIMIT, price=5_999_000)],
        200: [Target(0, "one", 0, 10, None, "now this")],
        500: [ticket("out", Side.SELL, 10)],
    }
    ran = run(market(trades=((50, 1, 600_001, 1),)), script)
    assert commands(ran, Cancel) == [Cancel(1, "target changed")]
    # After the ticket the target no longer stands: the position is not bought back.
    assert [fill[2] * fill[4] for fill in ran.fills] == [10, -10]


def test_what_a_target_takes_back_is_neither_withdrawn_nor_changed_beside_it() -> None:
    bid = ticket("bid", Side.BUY, 30, T.LIMIT, price=5_999_000)
    now = Target(0, "one", 0, 10, None, "now this")
    cases: tuple[tuple[Said, int], ...] = (
        ([now, Withdrawal(0, "one", "bid", "no")], 0),
        ([now, Amendment(0, "one", "bid", 50)], 1),
    )
    for said, refused in cases:
        ran = run(market(trades=((50, 1, 600_001, 1),)), {100: [bid], 200: said})
        assert commands(ran, Cancel) == [Cancel(1, "target changed")]
        assert commands(ran, Amend) == []
        assert refusals(ran) == ["an amendment or a cancellation of it is on its way"] * refused


def test_a_hedged_leg_is_traded_by_its_instrument() -> None:
    """The short leg is instrument 1."""
    short = Ticket(0, "one", 1, "short", Side.SELL, 30, T.MARKET, "in")
    cover = Ticket(
        0, "one", 1, "cover", Side.BUY, 30, T.STOP_MARKET, "out", stop=6_000_050, reduce_only=True
    )
    script: Script = {100: [short, ticket("long", Side.BUY, 20)], 200: [cover]}
    ran = run(market(trades=((310, 1, 600_005, 1),)), script, hedged=("BINANCE",))
    assert [fill[:5] for fill in ran.fills] == [
        (1, 104, -1, 600_000, 30),
        (2, 104, 1, 600_001, 20),
        (3, 310, 1, 600_001, 30),
    ]
    wrong = cover._replace(side=Side.SELL, stop=5_000_000)
    with pytest.raises(StrategyError, match="ticket 'cover': a short leg is opened by it, not red"):
        run(market(), {100: [wrong]}, hedged=("BINANCE",))


def test_the_log_says_all_of_an_order() -> None:
    trail = ticket(
        "trail",
        Side.SELL,
        30,
        T.TRAILING_STOP_MARKET,
        stop=6_000_100,
        callback_ppm=500,
        trigger_by=MARK,
        time_in_force=IOC,
        reduce_only=True,
    )
    ran = run(market(), {100: [ticket("in", Side.BUY, 30, protect=5_000_000)], 200: [trail]})
    entry, _, exit_ = commands(ran, Place)
    first, last = entry.approved.order, exit_.approved.order
    lines = [as_line(d) for d in ran.decisions if d.commands]
    said = [json.loads(line)["commands"][0]["place"] for line in (lines[0], lines[2])]
    assert said[0]["conditions"] == {"ticket": "in", "protect": 5_000_000}
    assert said[1]["conditions"] == {
        "ticket": "trail",
        "time_in_force": "ioc",
        "trigger_by": "mark",
        "callback_ppm": 500,
    }
    for order, one in zip((first, last), said, strict=True):
        parts = tuple(Allocation(*part) for part in one["allocations"])
        own = type(order.conditions)(**one["conditions"])
        assert type(order)(**{**one, "allocations": parts, "conditions": own}) == order
    assert b'"type":"trailing_stop_market","price":null,"stop":6000100' in lines[2]
