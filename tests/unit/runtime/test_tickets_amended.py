"""Sleeves' own orders changed and taken back: in which order, and how changes are judged."""

from __future__ import annotations

from typing import Any

import pytest

from crypto_quant.core.errors import StrategyError
from crypto_quant.core.messages import (
    Amend,
    Cancel,
    Exchange,
    OrderStatus,
    OrderType,
    Place,
    Side,
    Target,
)
from crypto_quant.core.tickets import Amendment, OrderReport, Ticket, Withdrawal
from crypto_quant.runtime.decision_json import as_line
from tests.unit.backtesting.simulator.markets import MS, market
from tests.unit.runtime.own_orders import (
    DEEP,
    LOOSE,
    Ran,
    Said,
    Script,
    T,
    commands,
    refusals,
    run,
    seen,
    ticket,
)


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


def test_an_amendment_of_a_price_that_an_order_has_not_ends_the_run() -> None:
    stop = ticket("x", Side.BUY, 30, T.STOP_MARKET, stop=6_100_000)
    script: Script = {100: [stop], 200: [Amendment(0, "one", "x", 30, 5)]}
    with pytest.raises(StrategyError, match="price: a stop_market order has none to amend"):
        run(market(), script)


def moved(quantity: int = 30) -> Ran:
    """Send a stop above the offers at 100 ms, amend it at 200; at 500 ms somebody trades at +6.

    The last trade before it is at 600,001 ticks, and the first trigger at 600,020.
    """
    trades = ((50, 1, 600_001, 1), (500, 1, 600_006, 1))
    buy = ticket("up", Side.BUY, 30, T.STOP_MARKET, stop=6_000_200)
    script: Script = {100: [buy], 200: [Amendment(0, "one", "up", quantity, stop=6_000_060)]}
    return run(market(levels=DEEP, trades=trades), script, waiting_amends="take")


def test_a_trigger_is_moved_where_the_venue_lets_it() -> None:
    ran = moved()
    assert ran.fills == [(1, 500, 1, 600_001, 30, True)]
    (amend,) = commands(ran, Amend)
    assert (amend.approved.order.stop, amend.approved.order.price) == (6_000_060, None)
    told = as_line(next(d for d in ran.decisions if amend in d.commands))
    assert b'"type":"stop_market","price":null,"stop":6000060,' in told
    assert ran.statuses[0] == "filled"
    larger = moved(quantity=40)
    assert larger.fills == [(1, 500, 1, 600_001, 40, True)]


def test_a_trigger_stays_where_the_venue_amends_limits_only() -> None:
    """It is not set off, and the sleeve reads why."""
    watched, notes = seen((400,), ("up",), {})
    trades = ((50, 1, 600_001, 1), (500, 1, 600_006, 1))
    buy = ticket("up", Side.BUY, 30, T.STOP_MARKET, stop=6_000_200)
    script = {100: [buy], 200: [Amendment(0, "one", "up", 30, stop=6_000_060)], **watched}
    ran = run(market(levels=DEEP, trades=trades), script)
    assert ran.fills == []
    ((report,),) = notes
    assert report == OrderReport(1, OrderStatus.WORKING, 30, 0, None, False, "not_amendable")


def test_a_trigger_that_moves_away_is_judged_at_its_new_price() -> None:
    """900 lots are worth 54,900 where they wait first; at 120,000 no more than 833 are allowed."""
    risk = LOOSE.model_copy(update={"notional": 1.0})
    buy = ticket("up", Side.BUY, 900, T.STOP_MARKET, stop=6_100_000)
    script: Script = {100: [buy], 200: [Amendment(0, "one", "up", 900, stop=12_000_000)]}
    ran = run(market(levels=DEEP), script, risk=risk, waiting_amends="take")
    (reason,) = refusals(ran)
    assert reason == "loss_at_stop: it may lead to 900, and 833 is allowed"
    # A smaller one is judged all the same, as its trigger is another one: 793 at 126,000, and until
    # the venue has answered the order may still trade 900.
    script = {100: [buy], 200: [Amendment(0, "one", "up", 800, stop=12_600_000)]}
    (reason,) = refusals(run(market(levels=DEEP), script, risk=risk, waiting_amends="take"))
    assert reason == "loss_at_stop: it may lead to 900, and 793 is allowed"


def test_a_trigger_on_its_way_counts_for_the_other_sleeves() -> None:
    """The first one's 400 lots may trade at 120,000: 48,000, and 52,800 of the second one's.

    Whatever comes first, and while the amendment is on its way: it arrives at 350 ms.
    """
    risk = LOOSE.model_copy(update={"notional": 1.0})
    one = ticket("up", Side.BUY, 400, T.STOP_MARKET, stop=6_100_000)
    far = Amendment(0, "one", "up", 400, stop=12_000_000)
    two = ticket("dip", Side.BUY, 880, T.LIMIT, price=5_999_900)._replace(sleeve="two")
    first: Script = {100: [one], 200: [far]}
    for ms, entry_ms in ((200, 4), (300, 4), (300, 150)):
        sim: dict[str, Any] = {"waiting_amends": "take", "entry_latency_ns": entry_ms * MS}
        ran = run(market(levels=DEEP), first, {ms: [two]}, risk=risk, **sim)
        assert [reason.split(":")[0] for reason in refusals(ran)] == ["notional"], ms
    ran = run(market(levels=DEEP), {100: [one]}, {200: [two]}, risk=risk)
    assert refusals(ran) == []


@pytest.mark.parametrize(
    ("kind", "more", "stop", "words"),
    [
        (T.LIMIT, {"price": 5_999_900}, 5, "stop: a limit order has none to amend"),
        (
            T.TRAILING_STOP_MARKET,
            {"stop": 6_100_000, "callback_ppm": 1_000},
            6_200_000,
            "stop: a trailing_stop_market order has none to amend",
        ),
        (T.STOP_MARKET, {"stop": 6_100_000}, 0, "stop: expected a whole number above 0, was 0"),
        (T.STOP_MARKET, {"stop": 6_100_000}, 5.5, "stop: expected a whole number .*, was 5.5"),
    ],
)
def test_a_trigger_that_cannot_be_one_ends_the_run(
    kind: OrderType, more: dict[str, int], stop: int, words: str
) -> None:
    script: Script = {
        100: [ticket("x", Side.BUY, 30, kind, **more)],
        200: [Amendment(0, "one", "x", 30, stop=stop)],
    }
    with pytest.raises(StrategyError, match=f"sleeve one, ticket 'x': {words}"):
        run(market(), script)
