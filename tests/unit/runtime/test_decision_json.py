"""What the log says of a decision: by hand, and against plain values that are built otherwise."""

from __future__ import annotations

import json
from decimal import Decimal
from itertools import groupby
from math import nan

import orjson
from hypothesis import example, given
from hypothesis import strategies as st

from crypto_quant.core.messages import (
    RISK_SEAL,
    Alarm,
    Allocation,
    Amend,
    Approved,
    Cancel,
    Command,
    Decision,
    Order,
    OrderType,
    Place,
    Prediction,
    Quote,
    Side,
    Target,
    Transfer,
    Wake,
    Wallet,
)
from crypto_quant.runtime.decision_json import as_line


def order(number: int, px: int, reason: str = "grid", *, is_quote: bool = True) -> Place:
    part = (Allocation(0, 5),)
    made = Order(
        9, number, 1, Side.BUY, 5, OrderType.POST_ONLY, px, None, False, part, reason, is_quote
    )
    return Place(Approved(made, ("a", "b"), RISK_SEAL))


def commands(*made: Command) -> object:
    return json.loads(as_line(Decision(9, Wake.TIMER, None, (), (), (), made)))["commands"]


def test_quotes_that_share_all_but_price_and_size_are_listed_together() -> None:
    shared = {"ts": 9, "sleeve": 0, "instrument": 1}
    first = [[1, "buy", 70, 5], [2, "buy", 60, 5]]
    assert commands(order(1, 70), order(2, 60), order(3, 50, "other")) == [
        {"quote": {**shared, "reason": "grid", "orders": first}, "checks": ["a", "b"]},
        {
            "quote": {**shared, "reason": "other", "orders": [[3, "buy", 50, 5]]},
            "checks": ["a", "b"],
        },
    ]


def test_cancels_of_one_reason_are_listed_together_and_the_order_of_commands_stays() -> None:
    said = commands(
        Cancel(1, "x"), Cancel(2, "x"), Alarm(9, 10, "a"), Cancel(3, "x"), Cancel(4, "y")
    )
    assert said == [
        {"cancel": [1, 2], "reason": "x"},
        {"alarm": {"ts": 9, "due": 10, "reason": "a"}},
        {"cancel": [3], "reason": "x"},
        {"cancel": [4], "reason": "y"},
    ]


def test_other_orders_are_written_in_full_and_say_nothing_of_quotes() -> None:
    assert commands(order(1, 70, is_quote=False)) == [
        {
            "place": {
                "ts": 9,
                "id": 1,
                "instrument": 1,
                "side": "buy",
                "quantity": 5,
                "type": "post_only",
                "price": 70,
                "stop": None,
                "reduce_only": False,
                "allocations": [[0, 5]],
                "reason": "grid",
            },
            "checks": ["a", "b"],
        }
    ]


def test_a_target_says_its_quotes_only_where_it_quotes() -> None:
    plain = Target(9, "grid", 1, 5, None, "r")
    quoting = plain._replace(quotes=(Quote(Side.SELL, 80, 5),))
    said = as_line(Decision(9, Wake.TIMER, None, (), (plain, quoting), (), ()))
    assert said == (
        b'{"ts":9,"wake":"timer","prediction":null,"signals":[],"targets":['
        b'{"ts":9,"sleeve":"grid","instrument":1,"quantity":5,"stop":null,"reason":"r"},'
        b'{"ts":9,"sleeve":"grid","instrument":1,"quantity":5,"stop":null,"reason":"r",'
        b'"quotes":[["sell",80,5]]}],"refused":[],"commands":[]}\n'
    )


def test_what_is_no_number_is_null() -> None:
    prediction = Prediction(9, nan, 0.25, "none")
    said = as_line(Decision(9, Wake.TIMER, prediction, (), (), (), ()))
    assert json.loads(said)["prediction"] == {**prediction._asdict(), "p_up": None}


def test_a_transfer_names_venues_and_fee_where_it_has_some() -> None:
    said = commands(
        Transfer(9, 0, Wallet.SPOT, Decimal("1.50"), "x"),
        Transfer(9, 0, Wallet.MARGIN, Decimal(2), "y", "BINANCE", "BYBIT", Decimal("0.8")),
    )
    plain = {"ts": 9, "sleeve": 0, "source": Wallet.SPOT, "amount": "1.50", "reason": "x"}
    more = {"venue": "BINANCE", "to": "BYBIT", "fee": "0.8"}
    far = {"ts": 9, "sleeve": 0, "source": Wallet.MARGIN, "amount": "2", "reason": "y", **more}
    assert said == [{"transfer": plain}, {"transfer": far}]


REASONS = st.sampled_from(
    (
        "",
        'said "so"',
        "back\\slash",
        "two\nlines\t\0\x1f\x7f",
        "größer als 3 \u20ac",
        "🚀\u2028",
        "a",
    )
) | st.text(max_size=3)
NUMBERS = st.sampled_from((1, 2, 2**53 + 1, 2**63 - 1))
CHECKS = st.sampled_from((("a", "b"), ("a",), (), ('b"', "é")))


@st.composite
def orders(draw: st.DrawFn) -> Order:
    """Draw an order of one or two sleeves; nearly all are quotes, and many share what they can."""
    side = draw(st.sampled_from(Side))
    quantity = draw(NUMBERS)
    signed = quantity if side is Side.BUY else -quantity
    sleeves = draw(st.sampled_from(((0,), (0,), (1,), (1, 0))))
    return Order(
        draw(st.sampled_from((9, 9, 2**62))),
        draw(NUMBERS),
        draw(st.sampled_from((0, 0, 3))),
        side,
        quantity,
        draw(st.sampled_from((OrderType.POST_ONLY,) * 4 + (OrderType.LIMIT,))),
        draw(NUMBERS),
        None,
        draw(st.integers(0, 7)) == 0,
        tuple(Allocation(sleeve, signed) for sleeve in sleeves),
        draw(REASONS),
        draw(st.integers(0, 7)) != 0,
    )


def approved(order: Order, checks: tuple[str, ...]) -> Approved:
    return Approved(order, checks, RISK_SEAL)


APPROVED = st.builds(approved, orders(), CHECKS)
COMMANDS = st.one_of(
    st.builds(Cancel, NUMBERS, REASONS),
    APPROVED.map(Place),
    APPROVED.map(Place),
    APPROVED.map(Amend),
    st.builds(Alarm, NUMBERS, NUMBERS, REASONS),
)


@st.composite
def runs(draw: st.DrawFn) -> tuple[Command, ...]:
    """Draw commands of which some are said several times on end with another number."""
    made: list[Command] = []
    for command in draw(st.lists(COMMANDS, max_size=6)):
        made.append(command)
        for number in draw(st.lists(NUMBERS, max_size=3)):
            if isinstance(command, Cancel):
                made.append(command._replace(order_id=number))
            elif isinstance(command, Place):
                again = command.approved.order._replace(id=number, price=number)
                made.append(Place(approved(again, command.approved.checks)))
    return tuple(made)


def alike(item: tuple[int, Command]) -> object:
    """Return what commands on end share where they are listed together, else what none shares."""
    at, command = item
    if isinstance(command, Cancel):
        return "cancel", command.reason
    if isinstance(command, Place):
        order = command.approved.order
        if order.is_quote and order.type is OrderType.POST_ONLY and not order.reduce_only:
            sleeve = order.allocations[0].sleeve
            return order.ts, sleeve, order.instrument, order.reason, command.approved.checks
    return at


def listed(group: list[Command], shared: object) -> dict[str, object]:
    first = group[0]
    if isinstance(first, Cancel):
        ids = [command.order_id for command in group if isinstance(command, Cancel)]
        return {"cancel": ids, "reason": first.reason}
    if isinstance(first, Alarm):
        return {"alarm": {"ts": first.ts, "due": first.due, "reason": first.reason}}
    assert isinstance(first, Place | Amend)
    order, checks = first.approved
    if isinstance(shared, tuple):
        made = [c.approved.order for c in group if isinstance(c, Place)]
        of = {"ts": order.ts, "sleeve": order.allocations[0].sleeve, "instrument": order.instrument}
        rows = [[o.id, o.side.value, o.price, o.quantity] for o in made]
        quote = {**of, "reason": order.reason, "orders": rows}
        return {"quote": quote, "checks": list(checks)}
    whole = {
        "ts": order.ts,
        "id": order.id,
        "instrument": order.instrument,
        "side": order.side.value,
        "quantity": order.quantity,
        "type": order.type.value,
        "price": order.price,
        "stop": None,
        "reduce_only": order.reduce_only,
        "allocations": [list(part) for part in order.allocations],
        "reason": order.reason,
    }
    if order.is_quote:
        whole["is_quote"] = True
    return {"place" if isinstance(first, Place) else "amend": whole, "checks": list(checks)}


@example((Cancel(1, 'x"'), Cancel(2, "x'"), Cancel(3, "x'")), (), "\x00\u20ac")
@given(runs(), st.lists(st.builds(Quote, st.sampled_from(Side), NUMBERS, NUMBERS)), REASONS)
def test_a_line_is_what_plain_values_are_as_json(
    made: tuple[Command, ...], quotes: list[Quote], reason: str
) -> None:
    target = Target(9, reason, 1, -5, None, reason, tuple(quotes))
    said = as_line(Decision(9, Wake.TIMER, None, (), (target,), (), made))
    groups = [(k, [c for _, c in group]) for k, group in groupby(enumerate(made), key=alike)]
    wanted = {"ts": 9, "sleeve": reason, "instrument": 1, "quantity": -5, "stop": None}
    rows = [[quote.side.value, quote.px, quote.quantity] for quote in quotes]
    plain = {
        "ts": 9,
        "wake": "timer",
        "prediction": None,
        "signals": [],
        "targets": [{**wanted, "reason": reason, "quotes": rows}],
        "refused": [],
        "commands": [listed(group, shared) for shared, group in groups],
    }
    assert json.loads(said) == plain
    assert said == orjson.dumps(plain) + b"\n"
