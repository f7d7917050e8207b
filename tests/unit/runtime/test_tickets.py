"""Sleeves' own orders through the step: what is sent, refused, changed, protected and told."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from crypto_quant.core.errors import StrategyError
from crypto_quant.core.messages import (
    Allocation,
    Amend,
    Cancel,
    Exchange,
    OrderStatus,
    OrderType,
    Place,
    Side,
    Target,
    TimeInForce,
    TriggerBy,
)
from crypto_quant.core.tickets import Amendment, OrderReport, Ticket, Withdrawal
from crypto_quant.runtime.decision_json import as_line
from crypto_quant.runtime.view import LineView
from tests.unit.backtesting.simulator.markets import market
from tests.unit.runtime.own_orders import LOOSE, Ran, Said, Script, run

T = OrderType
IOC, FOK, GTX = TimeInForce.IOC, TimeInForce.FOK, TimeInForce.GTX
MARK = TriggerBy.MARK
TICK = 10
DEEP = ((50, -1, 600_001, 5_000), (50, 1, 600_000, 5_000))


def ticket(
    name: str, side: Side, quantity: int, kind: OrderType = T.MARKET, **more: object
) -> Ticket:
    return Ticket(0, "one", 0, name, side, quantity, kind, name)._replace(**more)  # type: ignore[arg-type]


def seen(times: Sequence[int], names: Sequence[str], script: Script) -> tuple[Script, list[Any]]:
    """Return a script that also notes what is known of names at some times."""
    notes: list[Any] = []

    def note(ms: int) -> Callable[[LineView], Said]:
        def say(view: LineView) -> Said:
            notes.append(tuple(view.order(0, name) for name in names))
            said = script.get(ms, ())
            return said(view) if callable(said) else said

        return say

    return {**script, **{ms: note(ms) for ms in times}}, notes


def refusals(ran: Ran) -> list[str]:
    return [item.reason for decision in ran.decisions for item in decision.refused]


def commands(ran: Ran, kind: type) -> list[Any]:
    return [c for decision in ran.decisions for c in decision.commands if isinstance(c, kind)]


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


def test_an_order_is_amended_and_one_amendment_waits_for_the_other() -> None:
    small = ticket("bid", Side.BUY, 30, T.LIMIT, price=5_999_900)
    script: Script = {
        100: [small],
        200: [
            Amendment(0, "one", "bid", 50, 5_999_950),
            Amendment(0, "one", "bid", 60),
        ],
    }
    watched, notes = seen((300,), ("bid",), script)
    ran = run(market(trades=((450, -1, 599_994, 80),)), watched)
    ((report,),) = notes
    assert report == OrderReport(1, OrderStatus.WORKING, 50, 0, 5_999_950, False, "")
    assert refusals(ran) == ["an amendment or a cancellation of it is on its way"]
    assert len(commands(ran, Amend)) == 1
    assert ran.fills == [(1, 450, 1, 599_995, 50, False)]


def test_words_of_one_wake_up_hold_in_their_order() -> None:
    bid = ticket("bid", Side.BUY, 30, T.LIMIT, price=5_999_900)
    more, no = Amendment(0, "one", "bid", 50, 5_999_950), Withdrawal(0, "one", "bid", "no")
    taken_out = run(market(), {100: [bid, no]})
    assert commands(taken_out, Place) == commands(taken_out, Cancel) == []
    both: tuple[Said, Said] = [bid, more], [bid, no, bid, more]
    for said in both:
        changed = run(market(), {100: said})
        (place,) = commands(changed, Place)
        order = place.approved.order
        assert (order.quantity, order.price) == (50, 5_999_950)
        assert [part.quantity for part in order.allocations] == [50]
        assert commands(changed, Amend) == commands(changed, Cancel) == refusals(changed) == []


def test_a_withdrawal_leaves_nothing_to_change_and_is_sent_once() -> None:
    bid = ticket("bid", Side.BUY, 30, T.LIMIT, price=5_999_900)
    more, no = Amendment(0, "one", "bid", 50), Withdrawal(0, "one", "bid", "no")
    late = no._replace(reason="late")
    cases: tuple[tuple[Said, int], ...] = ([no, late], 0), ([more, no], 0), ([no, more], 1)
    for said, refused in cases:
        ran = run(market(), {100: [bid], 200: said})
        assert commands(ran, Cancel) == [Cancel(1, "no")]
        assert commands(ran, Amend) == []
        assert refusals(ran) == ["an amendment or a cancellation of it is on its way"] * refused


def test_an_amendment_of_what_was_only_just_asked_for_is_judged_with_it() -> None:
    risk = LOOSE.model_copy(update={"notional": 1.0})  # 100,000: 1,666 lots at 60,000
    bid = ticket("bid", Side.BUY, 1_000, T.LIMIT, price=5_999_900)
    ran = run(market(levels=DEEP), {100: [bid, Amendment(0, "one", "bid", 1_700)]}, risk=risk)
    assert commands(ran, Place) == []
    (reason,) = refusals(ran)
    assert reason.startswith("notional: notional 102")


def test_growth_by_amendment_is_judged_like_an_order() -> None:
    risk = LOOSE.model_copy(update={"notional": 1.0})  # 100,000: 1,666 lots at 60,000
    script: Script = {
        100: [ticket("bid", Side.BUY, 1_000, T.LIMIT, price=5_999_900)],
        200: [Amendment(0, "one", "bid", 1_700)],
        300: [Amendment(0, "one", "bid", 1_600)],
        400: [Amendment(0, "one", "bid", 500)],
    }
    watched, notes = seen((300, 500), ("bid",), script)
    ran = run(market(levels=DEEP), watched, risk=risk)
    (reason,) = refusals(ran)
    assert reason.startswith("notional: notional 102")
    ((at_300,), (at_500,)) = notes
    assert (at_300.quantity, at_300.reason) == (1_000, reason)
    assert at_500.quantity == 500
    assert [c.approved.order.quantity for c in commands(ran, Amend)] == [1_600, 500]


def test_another_price_counts_in_the_order_rate_unless_it_only_closes() -> None:
    """Two messages a minute: the entry and one price; the exit's prices pass and count."""
    slow = LOOSE.model_copy(update={"orders_per_minute": 2, "orders_per_wake": 2})
    bid = ticket("bid", Side.BUY, 30, T.LIMIT, price=5_999_900)
    prices = {ms: [Amendment(0, "one", "bid", 30, 5_999_900 - ms)] for ms in range(200, 1000, 100)}
    ran = run(market(levels=DEEP), {100: [bid], **prices}, risk=slow)
    assert [c.approved.order.price for c in commands(ran, Amend)] == [5_999_700]
    assert refusals(ran) == ["order_rate: 2 orders within a minute"] * 7

    entry = ticket("in", Side.BUY, 400)
    for more in ({}, {"reduce_only": True}):
        out = ticket("bid", Side.SELL, 400, T.LIMIT, price=6_500_000, **more)
        both: Script = {100: [entry], 200: [out], 900: [bid._replace(name="late")]}
        dearer = {ms: [Amendment(0, "one", "bid", 400, 6_500_000 + ms)] for ms in (300, 400, 500)}
        ran = run(market(levels=DEEP), {**both, **dearer}, risk=slow)
        assert len(commands(ran, Amend)) == 3
        assert refusals(ran) == ["order_rate: 2 orders within a minute"]


def test_other_prices_of_one_wake_up_count_together() -> None:
    slow = LOOSE.model_copy(update={"orders_per_wake": 2})
    bids = [ticket(name, Side.BUY, 30, T.LIMIT, price=5_999_900) for name in "abcd"]
    script: Script = {
        100: bids[:2],
        200: bids[2:],
        300: [Amendment(0, "one", name, 30, 5_999_800) for name in "abcd"],
    }
    ran = run(market(levels=DEEP), script, risk=slow)
    assert [c.approved.order.id for c in commands(ran, Amend)] == [1, 2]
    assert refusals(ran) == ["order_rate: 2 orders at one wake-up"] * 2


@pytest.mark.parametrize("ms", [300, 400])
def test_growth_by_amendment_comes_on_top_of_what_sleeves_cross(ms: int) -> None:
    """780 lots change hands: 46,800 a sleeve of 99,999, and 900 lots more are worth 54,000."""
    risk = LOOSE.model_copy(update={"notional": 1.0})
    bid = Ticket(0, "three", 0, "bid", Side.BUY, 100, T.LIMIT, "bid", price=5_000_000)
    scripts: list[Script] = [
        {300: [Target(0, "one", 0, -780, None, "down")]},
        {300: [Target(0, "two", 0, 780, None, "up")]},
        {100: [bid], ms: [Amendment(0, "three", "bid", 900)]},
    ]
    traded = market(levels=DEEP, trades=((60, 1, 600_001, 1),))
    ran = run(traded, *scripts, risk=risk, capital=99_999)
    assert len(commands(ran, Exchange)) == 1
    assert commands(ran, Amend) == []
    assert refusals(ran) == ["notional: notional 147600.25 above 99999.00"]


def test_an_order_that_waits_counts_as_if_it_filled() -> None:
    """The position of both entries would be worth 120,000; each alone is 60,000."""
    risk = LOOSE.model_copy(update={"notional": 1.0})
    one = ticket("up", Side.BUY, 1_000, T.STOP_MARKET, stop=6_100_000)
    two = ticket("dip", Side.BUY, 1_000, T.TAKE_PROFIT_MARKET, stop=5_900_000)
    ran = run(market(levels=DEEP), {100: [one], 200: [two]}, risk=risk)
    (reason,) = refusals(ran)
    assert reason.startswith("notional: notional 120") or "notional" in reason
    assert [c.approved.order.id for c in commands(ran, Place)] == [1]


def test_a_trigger_far_from_the_market_is_judged_at_its_price() -> None:
    risk = LOOSE.model_copy(update={"notional": 1.0})
    far = ticket("up", Side.BUY, 900, T.STOP_MARKET, stop=12_000_000)
    ran = run(market(levels=DEEP), {100: [far]}, risk=risk)
    (reason,) = refusals(ran)
    assert reason.startswith("notional: notional 108000.00 above 100000.00")


def test_triggers_of_two_sleeves_far_from_the_market_count_together() -> None:
    """800 lots at 120,000 are 96,000; 30 more are 3,600, and 430 more 51,600."""
    risk = LOOSE.model_copy(update={"notional": 1.0})

    def far(sleeve: str, quantity: int) -> Ticket:
        up = ticket(f"{quantity}", Side.BUY, quantity, T.STOP_MARKET, stop=12_000_000)
        return up._replace(sleeve=sleeve)

    later: list[Script] = [{100: [far("one", 800)]}, {200: [far("two", 430), far("two", 30)]}]
    at_once: list[Script] = [{100: [far("one", 800)]}, {100: [far("two", 430), far("two", 30)]}]
    for scripts in (later, at_once):
        ran = run(market(levels=DEEP), *scripts, risk=risk)
        (reason, _) = refusals(ran)
        assert reason == "notional: notional 147600.00 above 100000.00"
    bids = {100: [far("one", 800)]}, {200: [far("two", 30)]}
    ran = run(market(levels=DEEP), *bids, risk=risk)
    assert refusals(ran) == []


def test_dearer_limits_of_two_sleeves_count_together() -> None:
    """Offers of 800 lots at 60,000 each are 96,000; at 120,000 each is 96,000 alone."""
    risk = LOOSE.model_copy(update={"notional": 1.5})
    asks: list[Script] = []
    for name in ("one", "two"):
        ask = ticket("ask", Side.SELL, 800, T.LIMIT, price=6_000_100)._replace(sleeve=name)
        dearer = Amendment(0, name, "ask", 800, 12_000_000)
        asks.append({100: [ask], 200: [dearer]})
    (first, second) = asks
    for scripts in ([first, second], [first, {100: second[100], 300: second[200]}]):
        ran = run(market(levels=DEEP, trades=((60, 1, 600_001, 1),)), *scripts, risk=risk)
        assert len(commands(ran, Amend)) == 1
        (reason,) = refusals(ran)
        assert reason.startswith("notional: it may lead to 800, and ")


def test_growth_needs_a_protective_stop_where_the_run_says_so() -> None:
    """1 % of 100,000 at risk: 2 % to the stop, 0.5 % gap, 0.2 % of costs: 37,037, 617 lots."""
    strict = LOOSE.model_copy(update={"require_stop": True, "loss_at_stop": 0.01})
    stop = 5_880_010  # two percent below
    bare = ticket("bare", Side.BUY, 100)
    large = ticket("large", Side.BUY, 620, protect=stop)
    fits = ticket("fits", Side.BUY, 610, protect=stop)
    script: Script = {100: [bare], 200: [large], 300: [fits]}
    ran = run(market(levels=DEEP), script, risk=strict)
    first, second = refusals(ran)
    assert first == "loss_at_stop: it may lead to 100, and 0 is allowed"
    assert second == "loss_at_stop: it may lead to 620, and 617 is allowed"
    assert ran.fills[0][4] == 610
    (entry, guard) = [c.approved.order for c in commands(ran, Place)]
    assert (entry.id, guard.type, guard.stop) == (3, T.STOP_MARKET, stop)
    assert (guard.quantity, guard.reduce_only, guard.conditions) == (610, True, None)


def test_exits_beside_the_protective_stop_are_no_growth_even_on_a_halted_day() -> None:
    halted = LOOSE.model_copy(update={"daily_loss": 0.000001})
    entry = ticket("in", Side.BUY, 400, protect=5_900_000)
    exits = [
        ticket("profit", Side.SELL, 400, T.TAKE_PROFIT_MARKET, stop=6_100_000, reduce_only=True),
        ticket(
            "trail",
            Side.SELL,
            400,
            T.TRAILING_STOP_MARKET,
            callback_ppm=1_000,
            close_position=True,
        ),
    ]
    grows = ticket("more", Side.SELL, 400, T.LIMIT, price=6_200_000)
    ran = run(market(levels=DEEP), {100: [entry], 200: [*exits, grows]}, risk=halted)
    (reason,) = refusals(ran)
    assert reason.startswith("daily_loss: ")
    placed = [c.approved.order.type for c in commands(ran, Place)]
    assert placed == [
        T.MARKET,
        T.STOP_MARKET,
        T.TAKE_PROFIT_MARKET,
        T.TRAILING_STOP_MARKET,
    ]


def test_on_a_halted_day_what_may_open_is_taken_back_and_exits_stay() -> None:
    """At 590,000 ticks 400 lots have lost 400 of 100,000: 0.2 % is the limit."""
    halted = LOOSE.model_copy(update={"daily_loss": 0.002})
    script: Script = {
        100: [ticket("in", Side.BUY, 400)],
        200: [
            ticket("dip", Side.BUY, 100, T.LIMIT, price=5_000_000),
            ticket("up", Side.BUY, 100, T.STOP_MARKET, stop=7_000_000),
            ticket("out", Side.SELL, 400, T.LIMIT, price=6_500_000, reduce_only=True),
        ],
    }
    fell = market(levels=DEEP, trades=((310, -1, 590_000, 1),))
    ran = run(fell, script, risk=halted)
    assert commands(ran, Cancel) == [
        Cancel(2, "the day's loss limit is reached"),
        Cancel(3, "the day's loss limit is reached"),
    ]


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


@pytest.mark.parametrize(
    ("kind", "more", "said"),
    [
        (T.LIMIT, {}, "price: a limit order needs one"),
        (T.LIMIT, {"price": 5.0}, "price: expected a whole number above 0, was 5.0"),
        (T.MARKET, {"price": 5}, "price: a market order has none, was 5"),
        (T.STOP_MARKET, {}, "stop: a stop_market order needs one"),
        (T.STOP_MARKET, {"stop": -5}, "stop: expected a whole number above 0, was -5"),
        (T.STOP_LIMIT, {"stop": 5}, "price: a stop_limit order needs one"),
        (T.LIMIT, {"price": 5, "stop": 5}, "stop: a limit order has none, was 5"),
        (T.TRAILING_STOP_MARKET, {}, "callback_ppm: expected 1 to 999999 millionths, was 0"),
        (T.TRAILING_STOP_MARKET, {"callback_ppm": 10**6}, "callback_ppm: .* was 1000000"),
        (T.TRAILING_STOP_MARKET, {"callback_ppm": 0.5}, "callback_ppm: .* was 0.5"),
        (T.MARKET, {"callback_ppm": 5}, "callback_ppm: a market order has none, was 5"),
        (T.MARKET, {"trigger_by": MARK}, "trigger_by: a market order has no trigger"),
        (
            T.POST_ONLY,
            {"price": 5, "time_in_force": IOC},
            "time_in_force: a post_only order",
        ),
        (T.MARKET, {"time_in_force": GTX}, "time_in_force: a market order cannot be gtx"),
        (T.MARKET, {"close_position": True}, "close_position: expected a market order with a trig"),
        (
            T.STOP_MARKET,
            {"stop": 5, "close_position": True, "reduce_only": True},
            "reduce_only: close_position says it already",
        ),
        (T.MARKET, {"reduce_only": True, "protect": 5}, "protect: an order that only reduces"),
        (T.MARKET, {"protect": 0}, "protect: expected a whole number above 0, was 0"),
    ],
)
def test_a_ticket_that_cannot_be_an_order_ends_the_run_with_one_line(
    kind: OrderType, more: dict[str, Any], said: str
) -> None:
    with pytest.raises(StrategyError, match=f"sleeve one, ticket 'x': {said}") as caught:
        run(market(), {100: [ticket("x", Side.BUY, 5, kind, **more)]})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ([ticket("x", Side.BUY, 0)], "quantity: expected a whole number above 0, was 0"),
        ([ticket("x", Side.BUY, 30)] * 2, "ticket 'x': an order of this name lives"),
        (
            [ticket("x", Side.BUY, 5)._replace(sleeve="two")],
            "sleeve: expected one of one, was",
        ),
        ([ticket("x", Side.BUY, 5)._replace(instrument=7)], "instrument 7 is not traded in this"),
    ],
)
def test_what_a_sleeve_cannot_mean_ends_the_run(said: Said, words: str) -> None:
    with pytest.raises(StrategyError, match=words):
        run(market(), {100: said})


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"side": "buy"}, "side: expected one of Side.BUY, Side.SELL, was 'buy'"),
        ({"side": 1}, "side: .* was 1"),
        ({"type": "limit", "price": 5}, "type: expected one of OrderType.MARKET, .* was 'limit'"),
        ({"type": T.STOP_MARKET, "stop": 5, "trigger_by": "mark"}, "trigger_by: .* was 'mark'"),
        ({"type": T.STOP_MARKET, "stop": 5, "trigger_by": "x"}, "trigger_by: .* was 'x'"),
        ({"type": T.LIMIT, "price": 5, "time_in_force": "day"}, "time_in_force: .* was 'day'"),
        ({"type": T.LIMIT, "price": 5, "time_in_force": "ioc"}, "time_in_force: .* was 'ioc'"),
        ({"instrument": 0.0}, "instrument: expected a whole number, was 0.0"),
        ({"reduce_only": "no"}, "reduce_only: expected True or False, was 'no'"),
        ({"close_position": 1}, "close_position: expected True or False, was 1"),
    ],
)
def test_a_value_of_the_wrong_type_is_no_other_order(more: dict[str, Any], said: str) -> None:
    """``Side`` is text too: what only equals a side must not be taken for the other one."""
    with pytest.raises(StrategyError, match=f"sleeve one, ticket 'x': {said}"):
        run(market(), {100: [ticket("x", Side.BUY, 5)._replace(**more)]})


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (ticket("x", Side.BUY, 5)._replace(name=["x"]), "ticket of one: name: .* was ..x"),  # type: ignore[arg-type]
        (Amendment(0, "one", None, 5), "amendment of one: name: .* was None"),  # type: ignore[arg-type]
        (Withdrawal(0, ["one"], "x", "no"), "withdrawal of .*: sleeve: expected text, was"),  # type: ignore[arg-type]
    ],
)
def test_a_name_is_text(said: Ticket | Amendment | Withdrawal, words: str) -> None:
    with pytest.raises(StrategyError, match=words):
        run(market(), {100: [said]})


def test_an_amendment_of_a_price_that_an_order_has_not_ends_the_run() -> None:
    stop = ticket("x", Side.BUY, 30, T.STOP_MARKET, stop=6_100_000)
    script: Script = {100: [stop], 200: [Amendment(0, "one", "x", 30, 5)]}
    with pytest.raises(StrategyError, match="price: a stop_market order has none to amend"):
        run(market(), script)


def test_off_tick_and_too_small_are_refused_as_the_venue_would() -> None:
    script: Script = {
        100: [
            ticket("tick", Side.BUY, 30, T.LIMIT, price=5_999_901),
            ticket("small", Side.BUY, 1, T.LIMIT, price=5_999_900),
        ]
    }
    assert refusals(run(market(), script)) == [
        "order_validity: price 5999901 is no positive multiple of the tick 10",
        "order_validity: notional 60.00 below the venue's smallest 100",
    ]


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


@pytest.mark.parametrize("more", [{}, {"price": 6_000_010}])
def test_a_ticket_whose_stop_could_not_be_kept_is_refused(more: dict[str, int]) -> None:
    kind = T.LIMIT if more else T.MARKET
    entry = ticket("entry", Side.BUY, 200, kind, protect=5_998_995, **more)
    ran = run(market(levels=DEEP), {100: (entry,)})
    assert refusals(ran) == [
        "order_validity: protect 5998995 is no positive multiple of the tick 10"
    ]
    assert not ran.fills
