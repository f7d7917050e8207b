"""What sleeves cannot mean: tickets that are no orders, names that are none."""

from __future__ import annotations

from typing import Any

import pytest

from crypto_quant.core.errors import StrategyError
from crypto_quant.core.messages import OrderType, Side
from crypto_quant.core.tickets import Amendment, Ticket, Withdrawal
from tests.unit.backtesting.simulator.markets import market
from tests.unit.runtime.own_orders import GTX, IOC, MARK, TICK, Said, T, run, ticket


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


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (ticket("x", Side.BUY, 5), "ticket 'x'"),
        (Amendment(0, "one", "x", 5), "amendment 'x'"),
        (Withdrawal(0, "one", "x", "no"), "withdrawal 'x'"),
    ],
)
def test_a_sleeve_cannot_speak_in_the_name_of_another(
    said: Ticket | Amendment | Withdrawal, words: str
) -> None:
    """Sleeve two says it of sleeve one, which has such an order, beside one of its own."""
    own = ticket("mine", Side.BUY, 30)._replace(sleeve="two")
    resting = ticket("x", Side.BUY, 30, T.LIMIT, price=599_990 * TICK)
    with pytest.raises(StrategyError, match=f"^sleeve two: {words} in the name of sleeve one: "):
        run(market(), {100: [resting]}, {200: [own, said]})
