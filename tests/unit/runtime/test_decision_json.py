"""What the log says of a decision, by hand."""

from __future__ import annotations

import json
from decimal import Decimal
from math import nan

from crypto_quant.core.messages import (
    RISK_SEAL,
    Alarm,
    Allocation,
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
