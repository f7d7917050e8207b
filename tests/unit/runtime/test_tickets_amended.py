"""Sleeves' own orders changed and taken back: in which order, and how changes are judged."""

from __future__ import annotations

import pytest

from crypto_quant.core.errors import StrategyError
from crypto_quant.core.messages import Amend, Cancel, Exchange, OrderStatus, Place, Side, Target
from crypto_quant.core.tickets import Amendment, OrderReport, Ticket, Withdrawal
from tests.unit.backtesting.simulator.markets import market
from tests.unit.runtime.own_orders import (
    DEEP,
    LOOSE,
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
