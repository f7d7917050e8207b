"""The native line on a recorded book: walking levels, waiting in the queue, gaps."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from numpy.typing import NDArray

from crypto_quant._native import Line

from .line_tape import (
    ACCOUNT,
    GAP,
    LIMIT,
    MS,
    PERP,
    POST_ONLY,
    STOP,
    T0,
    TIMER,
    buy,
    finish,
    perp,
    sell,
    until,
)

SECOND = 1000 * MS
SNAPSHOT, LAST = 1, 2
BOOK = [(1, 9990, 500), (1, 9980, 700), (-1, 10010, 300), (-1, 10020, 400), (-1, 10030, 900)]
"""Bids 99.90 x 0.5 and 99.80 x 0.7; asks 100.10 x 0.3, 100.20 x 0.4 and 100.30 x 0.9."""


def ints(values: list[int]) -> NDArray[np.int64]:
    """Return an int64 column."""
    return np.array(values, dtype=np.int64)


def tick_line(
    deltas: list[tuple[int, int, int, int]] | None = None,
    trades: list[tuple[int, int, int, int]] | None = None,
    gaps: list[int] | None = None,
    latency_ms: int = 5,
    snapshot: bool = True,
) -> Line:
    """Return ten seconds of a book; rows are (ms, side, px, qty), received 2 ms later."""
    sim: dict[str, int | float | Decimal | str] = {
        "entry_latency_ns": latency_ms * MS,
        "response_latency_ns": 20 * MS,
    }
    out = Line(
        [perp()],
        ["one"],
        [],
        [],
        grid_ns=SECOND,
        start=T0,
        end=T0 + 10 * SECOND,
        sim=sim,
        wallets=[("usdm", ["USDT"], [PERP])],
        capital=[(0, "usdm", "USDT", Decimal(1000))],
        sample_ns=SECOND,
    )
    first = [(0, *row) for row in BOOK] if snapshot else []
    rows = [*first, *(deltas or [])]
    marks = [SNAPSHOT] * len(first) + [LAST] * len(deltas or [])
    if first:
        marks[len(first) - 1] |= LAST
    when = ints([T0 + row[0] * MS for row in rows])
    sides = np.array([row[1] for row in rows], dtype=np.int8)
    px, qty = ints([row[2] for row in rows]), ints([row[3] for row in rows])
    out.add_deltas(PERP, when, when + 2 * MS, sides, px, qty, np.array(marks, dtype=np.uint32))
    if trades:
        when = ints([T0 + row[0] * MS for row in trades])
        sides = np.array([row[1] for row in trades], dtype=np.int8)
        px, qty = ints([row[2] for row in trades]), ints([row[3] for row in trades])
        ids = ints(list(range(len(trades))))
        out.add_trades(PERP, when, when + 2 * MS, ids, px, qty, sides)
    if gaps:
        when = ints([T0 + ms * MS for ms in gaps])
        out.add_gaps(PERP, when, when + 2 * MS)
    return out


def fills(out: Line) -> list[tuple[int, float, int, int]]:
    """Return (order, ms since T0, px, qty) of each fill but the closing ones."""
    table = out.fills()
    names = ("order_id", "ts_event", "px", "qty")
    rows = zip(*[list(table[name]) for name in names], table["tag"], strict=True)
    return [
        (int(order), (int(ts) - T0) / MS, int(px), int(qty))
        for order, ts, px, qty, tag in rows
        if tag == ""
    ]


def test_market_order_walks_the_book() -> None:
    out = tick_line()
    until(out, TIMER, T0 + SECOND)
    assert out.top(PERP) == (9990, 500, 10010, 300)
    buy(out, 1, 600)
    until(out, ACCOUNT)
    assert out.now == T0 + SECOND + 25 * MS
    finish(out)
    assert fills(out) == [(1, 1005.0, 10010, 300), (1, 1005.0, 10020, 300)]
    assert [int(v) for v in out.fills()["reference"]][:2] == [10000, 10000]


def test_impact_is_what_lies_beyond_the_touch() -> None:
    out = tick_line()
    until(out, TIMER, T0 + SECOND)
    buy(out, 1, 600)
    until(out, ACCOUNT)
    part = out.attribution(0)
    assert part["spread"] == Decimal("-0.06")
    assert part["impact"] == Decimal("-0.03")
    assert part["fees"] == Decimal("-0.03003") / 2 - Decimal("0.03006") / 2  # 5 bp of the notionals


def test_what_is_taken_stays_taken_until_its_level_is_refreshed() -> None:
    out = tick_line(deltas=[(3000, -1, 10010, 250)])
    until(out, TIMER, T0 + SECOND)
    buy(out, 1, 200)
    until(out, TIMER, T0 + 2 * SECOND)
    buy(out, 2, 200)
    until(out, TIMER, T0 + 4 * SECOND)
    buy(out, 3, 200)
    finish(out)
    assert [row[2:] for row in fills(out)] == [
        (10010, 200),
        (10010, 100),
        (10020, 100),
        (10010, 200),
    ]


def test_order_meets_the_book_of_its_arrival_not_of_its_decision() -> None:
    changes = [(1004, -1, 10010, 0), (1006, -1, 10005, 900)]
    for latency, px in ((3, 10010), (5, 10020), (7, 10005)):
        out = tick_line(deltas=changes, latency_ms=latency)
        until(out, TIMER, T0 + SECOND)
        buy(out, 1, 100)
        finish(out)
        assert fills(out)[0][2] == px


def test_more_than_the_book_holds_is_cancelled() -> None:
    out = tick_line()
    until(out, TIMER, T0 + SECOND)
    buy(out, 1, 5000)
    finish(out)
    assert sum(row[3] for row in fills(out)) == 1600
    assert out.orders()["status"][0] == "cancelled"


def test_limit_takes_up_to_its_price_and_rests_with_the_remainder() -> None:
    out = tick_line()
    until(out, TIMER, T0 + SECOND)
    buy(out, 1, 600, LIMIT, price=10010)
    until(out, ACCOUNT)
    finish(out)
    assert fills(out) == [(1, 1005.0, 10010, 300)]
    assert out.orders()["status"][0] == "cancelled"  # by the end of the data


def test_immediate_limit_does_not_rest() -> None:
    out = tick_line(trades=[(3000, -1, 9900, 999)])
    until(out, TIMER, T0 + SECOND)
    buy(out, 1, 600, LIMIT, price=10010, tif=1)
    finish(out)
    assert fills(out) == [(1, 1005.0, 10010, 300)]


@pytest.mark.parametrize(("price", "reason"), [(10000, ""), (10010, "post_only_would_cross")])
def test_post_only_is_refused_at_the_touch(price: int, reason: str) -> None:
    out = tick_line()
    until(out, TIMER, T0 + SECOND)
    buy(out, 1, 100, POST_ONLY, price=price)
    finish(out)
    assert out.orders()["reason"][0] == reason


def test_resting_order_waits_for_the_queue_before_it() -> None:
    trades = [(2000, -1, 9990, 400), (3000, -1, 9990, 150), (4000, -1, 9990, 100)]
    out = tick_line(trades=trades)
    until(out, TIMER, T0 + SECOND)
    buy(out, 1, 120, LIMIT, price=9990)  # behind 500
    finish(out)
    assert fills(out) == [(1, 3000.0, 9990, 50), (1, 4000.0, 9990, 70)]
    assert [int(v) for v in out.fills()["is_taker"]][:2] == [0, 0]
    # 0.05 x 99.90 x 2 bp
    assert out.answers()[1][9] == Decimal("0.000999")


def test_a_cancellation_counts_as_one_behind_us_while_there_is_room_for_it() -> None:
    # 500 rest before us, and 300 join behind; 300 leave, which may have been those.
    deltas = [(1500, 1, 9990, 800), (2000, 1, 9990, 500)]
    out = tick_line(deltas=deltas, trades=[(3000, -1, 9990, 500)])
    until(out, TIMER, T0 + SECOND)
    buy(out, 1, 100, LIMIT, price=9990)
    finish(out)
    assert fills(out) == []


def test_trade_through_the_price_comes_to_us_first() -> None:
    out = tick_line(trades=[(2000, -1, 9989, 700), (3000, -1, 9980, 9000)])
    until(out, TIMER, T0 + SECOND)
    buy(out, 1, 5000, LIMIT, price=9990)
    finish(out)
    assert fills(out) == [(1, 2000.0, 9990, 700), (1, 3000.0, 9990, 4300)]


def test_selling_order_is_filled_from_above() -> None:
    out = tick_line(trades=[(2000, 1, 10010, 300), (3000, 1, 10010, 1), (4000, 1, 10011, 500)])
    until(out, TIMER, T0 + SECOND)
    sell(out, 1, 100, LIMIT, price=10010)
    finish(out)
    assert fills(out) == [(1, 3000.0, 10010, 1), (1, 4000.0, 10010, 99)]


def test_better_price_than_the_book_has_nobody_before_it() -> None:
    out = tick_line(trades=[(2000, -1, 10000, 30)])
    until(out, TIMER, T0 + SECOND)
    buy(out, 1, 100, LIMIT, price=10000)
    finish(out)
    assert fills(out) == [(1, 2000.0, 10000, 30)]


def test_one_trade_is_shared_by_our_orders() -> None:
    out = tick_line(trades=[(2000, -1, 10000, 100)])
    until(out, TIMER, T0 + SECOND)
    buy(out, 1, 70, LIMIT, price=10000)
    buy(out, 2, 70, LIMIT, price=10000)
    finish(out)
    assert fills(out) == [(1, 2000.0, 10000, 70), (2, 2000.0, 10000, 30)]


def test_trade_before_the_arrival_fills_nothing() -> None:
    out = tick_line(trades=[(1004, -1, 9900, 999), (1005, -1, 9900, 999)])
    until(out, TIMER, T0 + SECOND)
    buy(out, 1, 100, LIMIT, price=9990)  # arrives at 1005, after the trade of that time
    finish(out)
    assert fills(out) == []


def test_stop_triggers_on_a_trade_and_walks_the_book() -> None:
    out = tick_line(trades=[(500, 1, 10010, 1), (3000, -1, 9951, 1), (4000, -1, 9950, 1)])
    until(out, TIMER, T0 + SECOND)
    buy(out, 1, 100)
    sell(out, 2, 100, STOP, stop=9950, reduce_only=True)
    finish(out)
    assert fills(out)[1:] == [(2, 4000.0, 9990, 100)]


def test_gap_wakes_the_step_and_empties_the_book() -> None:
    out = tick_line(gaps=[2500], trades=[(3000, -1, 9990, 9999), (4000, -1, 9980, 500)])
    until(out, TIMER, T0 + SECOND)
    buy(out, 1, 100, LIMIT, price=9990)
    until(out, GAP)
    assert (out.now, out.gap) == (T0 + 2502 * MS, PERP)
    assert out.top(PERP) is None
    until(out, TIMER, T0 + 3 * SECOND)
    assert out.gap is None
    buy(out, 2, 100)
    finish(out)
    # Its place in the queue is unknown since the gap: only a trade beyond its price fills it.
    assert fills(out) == [(1, 4000.0, 9990, 100)]
    assert out.orders()["reason"][1] == "no_book"


def test_quotes_alone_are_a_book_of_one_level() -> None:
    out = tick_line(snapshot=False)
    when = ints([T0, T0 + 3 * SECOND])
    bid, bid_qty, ask, ask_qty = (ints([v, v]) for v in (9990, 500, 10010, 300))
    out.add_quotes(PERP, when, when + MS, bid, bid_qty, ask, ask_qty)
    until(out, TIMER, T0 + SECOND)
    assert out.top(PERP) == (9990, 500, 10010, 300)
    buy(out, 1, 400)
    until(out, TIMER, T0 + 2 * SECOND)
    buy(out, 2, 400)
    until(out, TIMER, T0 + 4 * SECOND)
    buy(out, 3, 400)
    finish(out)
    assert fills(out) == [(1, 1005.0, 10010, 300), (3, 4005.0, 10010, 300)]
    assert out.orders()["status"][:3] == ["cancelled", "cancelled", "cancelled"]


def test_data_end_closes_on_the_book() -> None:
    out = tick_line(trades=[(500, 1, 10010, 1)])
    until(out, TIMER, T0 + SECOND)
    buy(out, 1, 200)
    finish(out)
    table = out.fills()
    assert table["tag"] == ["", "data_end"]
    assert int(table["px"][1]) == 9990
    assert out.position(PERP) == 0
