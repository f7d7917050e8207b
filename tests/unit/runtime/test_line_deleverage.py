"""Auto-deleveraging on the native line: what is taken, at which price, from whom, and when."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from crypto_quant._native import Line

from .line_tape import (
    ACCOUNT,
    FREE,
    HOUR,
    LIMIT,
    MS,
    PERP,
    T0,
    TIMER,
    buy,
    finish,
    flat,
    line,
    money,
    sell,
    until,
)

AT = T0 + 2 * HOUR + HOUR // 2
STEPS = [(p, p, p, p, 1000.0) for p in (100, 110, 120, 130)]


def short(out: Line, **more: object) -> None:
    """Sell at the open of the second bar."""
    until(out, TIMER, T0 + HOUR)
    sell(out, 1, 3000, allocations=more.get("allocations", [(0, -3000)]))


def rows(out: Line) -> list[tuple[float, int, int, int, str]]:
    """Return (hours since T0, side, px, qty, tag) of each fill."""
    table = out.fills()
    names = ("ts_event", "side", "px", "qty")
    return [
        ((int(ts) - T0) / HOUR, int(side), int(px), int(qty), tag)
        for ts, side, px, qty, tag in zip(*(table[n] for n in names), table["tag"], strict=True)
    ]


def test_a_share_is_taken_at_the_mark_free_of_charge() -> None:
    out = line(STEPS)
    out.add_deleverage(PERP, AT, Decimal("0.5"))
    short(out)
    finish(out)
    _, taken, closed = rows(out)
    assert taken == (2.5, 1, 12000, 1500, "adl")
    assert closed[-2:] == (1500, "data_end")
    assert money(out.fills()["fee"])[1] == 0
    price = money(out.equity_rows()["price.one"])
    assert price[-1] == 3 * 110 - Decimal("1.5") * 120 - Decimal("1.5") * 130


def test_the_fill_reaches_us_like_any_other() -> None:
    out = line(STEPS)
    out.add_deleverage(PERP, AT, Decimal(1))
    short(out)
    until(out, ACCOUNT)
    out.answers()
    until(out, ACCOUNT)
    assert out.now == AT + int(FREE["response_latency_ns"])
    [answer] = out.answers()
    assert (answer[0], answer[1]) == ("fill", AT)
    assert out.position(PERP) == 0


def test_recorded_marks_give_the_price() -> None:
    out = line(STEPS)
    out.add_marks(PERP, np.array([AT - 1]), np.array([AT - 1]), np.array([12345]))
    out.add_deleverage(PERP, AT, Decimal(1))
    short(out)
    finish(out)
    assert rows(out)[1][2:] == (12345, 3000, "adl")


def test_whole_lots_are_taken_and_less_than_one_is_left_alone() -> None:
    out = line(STEPS)
    out.add_deleverage(PERP, AT, Decimal("0.3339"))
    out.add_deleverage(PERP, AT + MS, Decimal("0.0001"))
    short(out)
    finish(out)
    assert [row[3:] for row in rows(out)] == [(3000, ""), (1001, "adl"), (1999, "data_end")]


def test_sleeves_share_it_as_they_hold() -> None:
    out = line(STEPS, sleeves=("one", "two"))
    out.add_deleverage(PERP, AT, Decimal("0.5"))
    short(out, allocations=[(0, -1000), (1, -2000)])
    finish(out)
    table = out.fills()
    assert [list(table[f"qty.{name}"])[1] for name in ("one", "two")] == [500, 1000]


def test_nothing_held_is_nothing_taken() -> None:
    out = line(flat(4))
    out.add_deleverage(PERP, AT, Decimal(1))
    finish(out)
    assert rows(out) == []


def test_funding_of_the_same_moment_is_settled_on_what_was_held_before() -> None:
    ts = T0 + 2 * HOUR
    out = line(STEPS, funding=[(ts, "0.001")])
    out.add_deleverage(PERP, ts, Decimal(1))
    short(out)
    finish(out)
    assert money(out.equity_rows()["funding.one"])[-1] == 3 * 120 * Decimal("0.001")
    assert rows(out)[1][0] == 2.0


def test_an_order_of_ours_goes_on_from_what_is_left() -> None:
    out = line(STEPS)
    out.add_deleverage(PERP, AT, Decimal("0.5"))
    short(out)
    until(out, TIMER, T0 + 3 * HOUR)
    buy(out, 2, 3000, reduce_only=True)
    finish(out)
    assert [row[3:] for row in rows(out)] == [(3000, ""), (1500, "adl"), (1500, "")]
    assert out.position(PERP) == 0


def test_what_works_of_the_contract_is_ended_first() -> None:
    out = line(STEPS)
    out.add_deleverage(PERP, AT, Decimal("0.5"))
    short(out)
    buy(out, 2, 3000, LIMIT, price=5000, reduce_only=True)
    finish(out)
    orders = out.orders()
    at = list(orders["order_id"]).index(2)
    assert (orders["status"][at], orders["reason"][at]) == ("cancelled", "adl")
    assert rows(out)[1][3:] == (1500, "adl")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ((7, AT, Decimal(1)), "instrument"),
        ((PERP, AT, Decimal(0)), "fraction"),
        ((PERP, AT, Decimal("1.1")), "above 0 and at most 1"),
    ],
)
def test_what_cannot_be_one_is_refused(given: tuple[int, int, Decimal], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        line(STEPS).add_deleverage(*given)


def test_none_is_added_to_a_line_that_has_begun() -> None:
    out = line(STEPS)
    until(out, TIMER)
    with pytest.raises(ValueError, match="has begun"):
        out.add_deleverage(PERP, AT, Decimal(1))
