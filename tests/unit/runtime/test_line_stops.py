"""Stops of the native line on bars: what triggers them, at which price, and what beside them."""

from __future__ import annotations

from crypto_quant._native import Line

from .line_tape import (
    ACCOUNT,
    FREE,
    HOUR,
    LIMIT,
    MS,
    SECOND,
    STOP,
    T0,
    TIMER,
    buy,
    column,
    fills,
    finish,
    flat,
    line,
    sell,
    until,
)


def with_stop(rows: list[tuple[float, ...]], trigger: int, **more: object) -> Line:
    """Return an ended line: long from hour 1, a stop beside it."""
    out = line(rows, sim={**FREE, **more})  # type: ignore[dict-item]
    until(out, TIMER, T0 + HOUR)
    buy(out, 1, 1000)
    sell(out, 2, 1000, STOP, stop=trigger, reduce_only=True)
    finish(out)
    return out


def test_stop_fills_at_its_trigger_at_the_end_of_the_bar_that_reached_it() -> None:
    out = with_stop([*flat(2), (100, 101, 97, 99, 1000), *flat(1)], 9800)
    assert fills(out)[1:] == [(2, 3 - 1 / HOUR, -1, 9800, 1000)]
    assert column(out, "ts_recv")[1] == T0 + 3 * HOUR  # not later, though a response takes 20 ms


def test_stop_hit_inside_a_bar_is_known_to_the_decision_at_its_end() -> None:
    out = line([*flat(2), (100, 101, 97, 99, 1000), *flat(2)])
    until(out, TIMER, T0 + HOUR)
    buy(out, 1, 1000)
    sell(out, 2, 1000, STOP, stop=9800, reduce_only=True)
    assert out.next() == ACCOUNT  # the entry
    until(out, TIMER, T0 + 2 * HOUR)
    assert (out.next(), out.now) == (ACCOUNT, T0 + 3 * HOUR)
    assert (out.next(), out.now) == (TIMER, T0 + 3 * HOUR)
    assert out.position(0) == 0  # a step that wants to be flat has nothing left to sell
    finish(out)
    assert [row[2] * row[4] for row in fills(out)] == [1000, -1000]
    held = out.equity_rows()["position.BTCUSDT-PERP.TEST"]
    assert [int(q) for q in held] == [0, 0, 1000, 0, 0, 0]


def test_earlier_answers_arrive_with_the_stop_that_followed_them() -> None:
    slow = {**FREE, "response_latency_ns": HOUR}
    out = line([*flat(1), (100, 101, 97, 99, 1000), *flat(2)], sim=slow)
    until(out, TIMER, T0 + HOUR)
    buy(out, 1, 1000)
    sell(out, 2, 1000, STOP, stop=9800, reduce_only=True)
    assert (out.next(), out.now) == (ACCOUNT, T0 + 2 * HOUR)
    assert [(a[0], a[3]) for a in out.answers()] == [("fill", 1), ("ack", 2), ("fill", 2)]
    assert out.orders()["status"] == ["filled", "filled"]


def test_stop_and_the_close_in_its_stead_do_not_both_trade_at_the_open() -> None:
    out = line([*flat(2), (90, 90, 90, 90, 1000), *flat(1)])
    until(out, TIMER, T0 + HOUR)
    buy(out, 1, 1000)
    sell(out, 2, 1000, STOP, stop=9800, reduce_only=True)
    until(out, TIMER, T0 + 2 * HOUR)
    out.cancel(2)
    sell(out, 3, 1000)  # the open gaps through the stop
    finish(out)
    assert fills(out)[1:] == [(3, 2 + 50 * MS / HOUR, -1, 9000, 1000)]
    assert out.orders()["status"] == ["filled", "cancelled", "filled"]


def test_stop_and_the_close_in_its_stead_just_before_a_bars_end_do_not_both_trade() -> None:
    rows = [*flat(2), (100, 100, 90, 92, 1000), (92, 92, 92, 92, 1000), *flat(1)]
    out = line(rows, sim={**FREE, "entry_latency_ns": SECOND}, grid_ns=SECOND)
    until(out, TIMER, T0 + HOUR)
    buy(out, 1, 1000)
    sell(out, 2, 1000, STOP, stop=9500, reduce_only=True)
    until(out, TIMER, T0 + 3 * HOUR - SECOND)
    out.cancel(2)
    sell(out, 3, 1000)
    finish(out)
    assert fills(out)[1:] == [(3, 3, -1, 9200, 1000)]
    assert out.orders()["status"] == ["filled", "cancelled", "filled"]


def test_stop_at_the_extreme_of_a_bar_is_reached() -> None:
    out = with_stop([*flat(2), (100, 101, 98, 99, 1000), *flat(1)], 9800)
    assert fills(out)[1:] == [(2, 3 - 1 / HOUR, -1, 9800, 1000)]
    out = with_stop([*flat(2), (100, 101, 98.1, 99, 1000), *flat(1)], 9800)
    assert fills(out)[1:] == []


def test_stop_gapped_through_fills_at_the_open() -> None:
    out = with_stop([*flat(2), (90, 99, 89, 95, 1000), *flat(1)], 9800)
    assert fills(out)[1:] == [(2, 2.0, -1, 9000, 1000)]


def test_stop_is_worsened_like_any_taker() -> None:
    out = with_stop([*flat(2), (100, 101, 97, 99, 1000), *flat(1)], 9800, slippage_floor_bps=100)
    assert fills(out)[1][3] == 9700  # 98 less 1 %: 97.02, down to the tick


def test_stop_protects_within_the_bar_of_the_entry() -> None:
    out = with_stop([*flat(1), (100, 101, 97, 99, 1000), *flat(2)], 9800)
    assert fills(out) == [
        (1, 1 + 50 * MS / HOUR, 1, 10000, 1000),
        (2, 2 - 1 / HOUR, -1, 9800, 1000),
    ]


def test_buying_stop_triggers_above() -> None:
    out = line([*flat(2), (100, 103, 99, 100, 1000), *flat(1)])
    until(out, TIMER, T0 + HOUR)
    sell(out, 1, 1000)
    buy(out, 2, 1000, STOP, stop=10200, reduce_only=True)
    finish(out)
    assert fills(out)[1:] == [(2, 3 - 1 / HOUR, 1, 10200, 1000)]


def test_of_a_stop_and_a_target_in_one_bar_the_stop_happened() -> None:
    out = line([*flat(2), (100, 110, 90, 100, 1000), *flat(2)])
    until(out, TIMER, T0 + HOUR)
    buy(out, 1, 1000)
    sell(out, 2, 1000, LIMIT, price=10500, reduce_only=True)
    sell(out, 3, 1000, STOP, stop=9500, reduce_only=True)
    finish(out)
    assert fills(out)[1:] == [(3, 3 - 1 / HOUR, -1, 9500, 1000)]


def test_stop_without_a_position_blocks_no_limit() -> None:
    out = line([*flat(2), (100, 110, 90, 100, 1000), *flat(2)])
    until(out, TIMER, T0 + HOUR)
    sell(out, 2, 1000, LIMIT, price=10500)
    sell(out, 3, 1000, STOP, stop=9500, reduce_only=True)
    finish(out)
    assert [row[0] for row in fills(out)] == [2]
    assert out.orders()["status"][1] == "cancelled"


def test_rest_of_a_stop_goes_on_at_the_next_open() -> None:
    rows = [*flat(2), (100, 101, 97, 99, 0.5), (90, 90, 90, 90, 1000), *flat(1)]
    out = with_stop(rows, 9800)
    assert fills(out)[1:] == [(2, 3 - 1 / HOUR, -1, 9800, 500), (2, 3.0, -1, 9000, 500)]
