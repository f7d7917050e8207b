"""Sleeves' own orders before the risk manager: in the worst case, with their stops."""

from __future__ import annotations

import pytest

from crypto_quant.core.messages import Amend, Cancel, Place, Side
from crypto_quant.core.tickets import Amendment, Ticket
from tests.unit.backtesting.simulator.markets import market
from tests.unit.runtime.own_orders import DEEP, LOOSE, Script, T, commands, refusals, run, ticket


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


@pytest.mark.parametrize("more", [{}, {"price": 6_000_010}])
def test_a_ticket_whose_stop_could_not_be_kept_is_refused(more: dict[str, int]) -> None:
    kind = T.LIMIT if more else T.MARKET
    entry = ticket("entry", Side.BUY, 200, kind, protect=5_998_995, **more)
    ran = run(market(levels=DEEP), {100: (entry,)})
    assert refusals(ran) == [
        "order_validity: protect 5998995 is no positive multiple of the tick 10"
    ]
    assert not ran.fills
