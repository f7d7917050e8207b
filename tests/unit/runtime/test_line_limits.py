"""Limit orders of the native line on bars: when they fill, rest, are refused or withdrawn."""

from __future__ import annotations

from decimal import Decimal

import pytest

from .line_tape import (
    ACCOUNT,
    FREE,
    HOUR,
    LIMIT,
    MS,
    POST_ONLY,
    SECOND,
    T0,
    TIMER,
    buy,
    column,
    fills,
    finish,
    flat,
    line,
    money,
    sell,
    until,
)

THROUGH = [
    (100, 100, 100, 100, 1000),
    (100, 101, 98, 100, 1000),
    (100, 101, 97.9, 100, 1000),
    (100, 100, 100, 100, 1000),
]


def test_limit_is_not_filled_where_the_bar_only_touches_it() -> None:
    out = line(THROUGH)
    until(out, TIMER, T0 + HOUR)
    buy(out, 1, 1000, LIMIT, price=9800)
    until(out, TIMER, T0 + 2 * HOUR)
    assert [a[0] for a in out.answers()] == ["ack"]
    finish(out)
    assert fills(out) == [(1, 3 - 1 / HOUR, 1, 9800, 1000)]
    assert column(out, "is_taker")[0] == 0
    assert money(out.fills()["fee"])[0] == Decimal("0.0196")  # 98 x 0.0002


def test_selling_limit_needs_a_price_above_it_by_a_tick() -> None:
    rows = [(100, 100, 100, 100, 1000), (100, 102, 99, 100, 1000), (100, 102.1, 99, 100, 1000)]
    out = line([*rows, *flat(1)])
    until(out, TIMER, T0 + HOUR)
    sell(out, 1, 1000, LIMIT, price=10200)
    finish(out)
    assert fills(out) == [(1, 3 - 1 / HOUR, -1, 10200, 1000)]


def test_resting_limit_keeps_its_price_when_the_market_opens_beyond_it() -> None:
    rows = [*flat(2), (95, 96, 94, 95, 1000), *flat(1, price=95)]
    out = line(rows)
    until(out, TIMER, T0 + HOUR)
    buy(out, 1, 1000, LIMIT, price=9800)
    finish(out)
    assert fills(out) == [(1, 3 - 1 / HOUR, 1, 9800, 1000)]


def test_marketable_limit_takes_the_worsened_open_if_that_is_within_it() -> None:
    sim = {**FREE, "slippage_floor_bps": 100}
    at_open, at_end = 1 + 50 * MS / HOUR, 2 - 1 / HOUR
    for limit, when, is_taker in ((10100, at_open, 1), (10090, at_end, 0)):
        out = line(flat(4), sim=sim)
        until(out, TIMER, T0 + HOUR)
        buy(out, 1, 1000, LIMIT, price=limit)
        finish(out)
        assert fills(out) == [(1, when, 1, limit, 1000)]
        assert column(out, "is_taker")[0] == is_taker


def test_limit_decided_inside_a_bar_is_not_filled_by_that_bar() -> None:
    rows = [*flat(1), (100, 101, 90, 100, 1000), *flat(2)]
    out = line(rows, grid_ns=HOUR // 2)
    until(out, TIMER, T0 + HOUR + HOUR // 2)
    buy(out, 1, 1000, LIMIT, price=9800)
    finish(out)
    assert fills(out) == []


@pytest.mark.parametrize(("price", "reason"), [(9990, ""), (10000, "post_only_would_cross")])
def test_post_only_is_refused_where_it_would_trade_at_once(price: int, reason: str) -> None:
    out = line(flat(4))
    until(out, TIMER, T0 + HOUR)
    buy(out, 1, 1000, POST_ONLY, price=price)
    finish(out)
    assert out.orders()["reason"][0] == reason


def test_post_only_counts_half_the_spread() -> None:
    sim = {**FREE, "half_spread_bps": 10}
    for price, reason in ((10000, ""), (10010, "post_only_would_cross")):
        out = line(flat(4), sim=sim)
        until(out, TIMER, T0 + HOUR)
        buy(out, 1, 1000, POST_ONLY, price=price)
        finish(out)
        assert out.orders()["reason"][0] == reason


def test_cancelled_order_trades_no_more() -> None:
    out = line(THROUGH)
    until(out, TIMER, T0 + HOUR)
    buy(out, 1, 1000, LIMIT, price=9800)
    until(out, TIMER, T0 + 2 * HOUR)
    out.cancel(1)
    assert out.next() == ACCOUNT
    assert [a[0] for a in out.answers()] == ["ack", "cancelled"]
    finish(out)
    assert fills(out) == []


@pytest.mark.parametrize(
    ("decided", "there"), [(2 * HOUR, 2 * HOUR + SECOND), (3 * HOUR - SECOND, 3 * HOUR - 1)]
)
def test_cancellation_takes_the_entry_latency_but_is_there_by_the_bars_end(
    decided: int, there: int
) -> None:
    out = line(THROUGH, sim={**FREE, "entry_latency_ns": SECOND}, grid_ns=SECOND)
    until(out, TIMER, T0 + HOUR)
    buy(out, 1, 1000, LIMIT, price=9800)
    until(out, TIMER, T0 + decided)
    out.answers()
    out.cancel(1)
    until(out, ACCOUNT, T0 + there + 20 * MS)
    assert [(a[0], a[1] - T0) for a in out.answers()] == [("cancelled", there)]
    finish(out)
    assert fills(out) == []
