"""Fills of the native line on bars: when, at which price, how much, for which fee."""

from __future__ import annotations

import math
from decimal import Decimal

import pytest

from crypto_quant._native import Line

from .line_tape import (
    ACCOUNT,
    FREE,
    HOUR,
    LIMIT,
    MS,
    POST_ONLY,
    STOP,
    T0,
    TIMER,
    Feature,
    buy,
    finish,
    flat,
    line,
    money,
    perp,
    sell,
    spot,
    until,
)

SECOND = 1000 * MS
FILL_COLUMNS = ("order_id", "ts_event", "side", "px", "qty")


def fills(out: Line) -> list[tuple[int, float, int, int, int]]:
    """Return (order, hours since T0, side, px, qty) of each fill but the closing ones."""
    table = out.fills()
    columns = [list(table[name]) for name in FILL_COLUMNS]
    rows = zip(*columns, table["tag"], strict=True)
    return [
        (int(order), (int(ts) - T0) / HOUR, int(side), int(px), int(qty))
        for order, ts, side, px, qty, tag in rows
        if tag == ""
    ]


def column(out: Line, name: str) -> list[int]:
    """Return an integer column of the fills."""
    return [int(value) for value in out.fills()[name]]


RISING = [
    (100, 101, 99, 100, 1000),
    (102, 103, 101, 102, 1000),
    (104, 105, 103, 104, 1000),
    (106, 107, 105, 106, 1000),
]


def test_market_order_fills_at_the_open_of_the_bar_that_begins_at_the_decision() -> None:
    out = line(RISING)
    until(out, TIMER, T0 + HOUR)
    buy(out, 1, 1000)
    assert out.next() == ACCOUNT
    assert out.now == T0 + HOUR + 70 * MS
    [answer] = out.answers()
    assert answer[:8] == ("fill", T0 + HOUR + 50 * MS, T0 + HOUR + 70 * MS, 1, 0, 10200, 1000, True)
    assert answer[8:] == (True, Decimal("0.051"), "")  # 1 x 102 x 0.0005
    assert out.sleeve_position(0, 0) == 1000
    assert out.position(0) == 1000


def test_fill_is_not_known_before_the_response_has_come_back() -> None:
    out = line(RISING, sim={**FREE, "response_latency_ns": HOUR})
    until(out, TIMER, T0 + HOUR)
    buy(out, 1, 1000)
    until(out, TIMER, T0 + 2 * HOUR)
    assert out.position(0) == 0
    assert out.next() == ACCOUNT
    assert out.now == T0 + 2 * HOUR + 50 * MS
    assert out.position(0) == 1000


def test_entry_latency_that_bars_cannot_show_is_refused() -> None:
    out = line(RISING, sim={**FREE, "entry_latency_ns": SECOND + 1})
    with pytest.raises(ValueError, match=r"at most 1 s.*fills at a bar's open"):
        out.next()


def test_entry_latency_moves_the_fill_but_not_its_bar() -> None:
    out = line(RISING, sim={**FREE, "entry_latency_ns": 400 * MS})
    until(out, TIMER, T0 + HOUR)
    buy(out, 1, 1000)
    finish(out)
    assert fills(out) == [(1, 1 + 400 * MS / HOUR, 1, 10200, 1000)]


def test_order_decided_inside_a_bar_waits_for_the_next_open() -> None:
    out = line(RISING, grid_ns=HOUR // 2)
    until(out, TIMER, T0 + HOUR + HOUR // 2)
    buy(out, 1, 1000)
    finish(out)
    assert fills(out) == [(1, 2.0, 1, 10400, 1000)]


def test_order_waits_out_a_halt() -> None:
    out = line(RISING, hours=[0, 1, 5, 6], end=T0 + 7 * HOUR)
    until(out, TIMER, T0 + 2 * HOUR)
    buy(out, 1, 1000)
    until(out, TIMER, T0 + 4 * HOUR)
    assert [a[0] for a in out.answers()] == ["ack"]
    finish(out)
    assert fills(out) == [(1, 5.0, 1, 10400, 1000)]


@pytest.mark.parametrize(("side", "expected"), [(1, 10210), (-1, 10190)])
def test_spread_worsens_and_rounds_to_the_tick_against_us(side: int, expected: int) -> None:
    # 102 x 3 bp = 3.06 grid units of 0.01; the tick is 10 of them: 102.0306 -> 102.10 or 101.90.
    out = line(RISING, sim={**FREE, "slippage_floor_bps": 1, "half_spread_bps": 3})
    until(out, TIMER, T0 + HOUR)
    (buy if side > 0 else sell)(out, 1, 1000)
    finish(out)
    assert fills(out)[0][2:] == (side, expected, 1000)
    assert column(out, "reference")[0] == 10200
    cost = money(out.equity_rows()["spread.one"])
    assert cost[1] == 0  # the row of hour 1 comes before the fill of hour 1
    assert cost[2] == Decimal("-0.10")


def test_floor_counts_where_the_half_spread_is_less() -> None:
    # 1000 x 20 bp = 2.00 exactly: no rounding beyond it.
    out = line(
        [(1000, 1000, 1000, 1000, 1000)] * 3,
        sim={**FREE, "slippage_floor_bps": 20, "half_spread_bps": 1},
    )
    until(out, TIMER, T0 + HOUR)
    buy(out, 1, 1000)
    finish(out)
    assert fills(out) == [(1, 1 + 50 * MS / HOUR, 1, 100200, 1000)]


def test_square_root_impact_uses_the_past_day_only() -> None:
    rows = [
        (100, 103, 100, 102, 400),
        (102, 103, 100, 101, 600),
        (101, 500, 100, 500, 9e5),  # the bar that is traded: nothing of it may count
        (101, 101, 101, 101, 1),
    ]
    out = line(rows, sim={**FREE, "impact_y": 1.5, "max_participation": 1})
    until(out, TIMER, T0 + 2 * HOUR)
    buy(out, 1, 40_000)
    finish(out)
    variance = (102 / 100 - 1) ** 2 + (101 / 102 - 1) ** 2
    sigma, volume = math.sqrt(variance * 12), 1000 * 12.0
    impact = math.ceil(10100 * 1.5 * sigma * math.sqrt(40 / volume))
    assert impact > 50
    assert fills(out)[0][3] == math.ceil((10100 + impact) / 10) * 10
    assert money(out.fills()["impact"])[0] == Decimal(impact) / 100


def test_slices_of_an_order_cost_together_what_one_fill_costs() -> None:
    # Closes of 1000 and 1010 in turn: each day has the same volatility and volume.
    rows = [(1000, 1010, 1000, (1000, 1010)[n % 2], 100) for n in range(36)]
    paid = {}
    for share in (Decimal(1), Decimal("0.25"), Decimal("0.1")):
        out = line(rows, sim={**FREE, "impact_y": 1.0, "max_participation": share})
        until(out, TIMER, T0 + 26 * HOUR)
        buy(out, 1, 100_000)
        finish(out)
        slices = list(zip(money(out.fills()["impact"]), column(out, "qty"), strict=True))[:-1]
        assert len(slices) == 1 / share
        paid[share] = sum(impact * qty for impact, qty in slices)
    variance = 12 * ((1010 / 1000 - 1) ** 2 + (1000 / 1010 - 1) ** 2)
    whole = 1000 * math.sqrt(variance) * math.sqrt(100 / 2400) * 100_000
    for cost in paid.values():
        assert 0 <= float(cost) - whole <= 0.01 * 100_000  # each fill is rounded up to 0.01


def test_costs_are_multiplied_under_stress() -> None:
    rows = [(1000, 1000, 1000, 1000, 1000)] * 3
    sim = {**FREE, "slippage_floor_bps": 10, "cost_multiplier": 2}
    out = line(rows, sim=sim)
    until(out, TIMER, T0 + HOUR)
    buy(out, 1, 1000)
    finish(out)
    assert fills(out)[0][3] == 100200  # 20 bp of 1000
    assert money(out.fills()["fee"])[0] == Decimal("1.002")  # 1002 x 0.0005 x 2


def test_no_more_than_its_part_of_a_bar_is_traded_and_the_rest_waits() -> None:
    rows = flat(6, volume=50)
    out = line(rows, sim={**FREE, "max_participation": Decimal("0.01")})
    until(out, TIMER, T0 + HOUR)
    buy(out, 1, 1200)
    finish(out)
    assert fills(out) == [
        (1, 1 + 50 * MS / HOUR, 1, 10000, 500),
        (1, 2.0, 1, 10000, 500),
        (1, 3.0, 1, 10000, 200),
    ]


def test_orders_of_one_bar_share_its_volume() -> None:
    out = line(flat(5, volume=50), sim={**FREE, "max_participation": Decimal("0.01")})
    until(out, TIMER, T0 + HOUR)
    buy(out, 1, 300)
    buy(out, 2, 300)
    finish(out)
    assert [row[::4] for row in fills(out)] == [(1, 300), (2, 200), (2, 100)]


def test_immediate_order_is_cancelled_where_the_bar_lets_it_no_more() -> None:
    out = line(flat(5, volume=50), sim={**FREE, "max_participation": Decimal("0.01")})
    until(out, TIMER, T0 + HOUR)
    buy(out, 1, 1200, ioc=True)
    finish(out)
    assert [row[4] for row in fills(out)] == [500]
    assert out.orders()["status"][0] == "cancelled"


def test_zero_volume_bar_trades_nothing() -> None:
    out = line([*flat(1), *flat(2, volume=0), *flat(2, price=110)])
    until(out, TIMER, T0 + HOUR)
    buy(out, 1, 1000)
    finish(out)
    assert fills(out) == [(1, 3.0, 1, 11000, 1000)]


def test_part_of_a_bar_is_cut_to_whole_lots() -> None:
    coarse = perp(lot=[(0, Decimal("0.1"))])
    sim = {**FREE, "max_participation": Decimal("0.01")}
    out = line(flat(4, volume=55), instruments=[coarse, spot()], sim=sim)
    until(out, TIMER, T0 + HOUR)
    buy(out, 1, 600)
    finish(out)
    assert [row[4] for row in fills(out)] == [500, 100]


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


def test_reduce_only_order_is_cut_to_the_position() -> None:
    out = line(flat(5))
    until(out, TIMER, T0 + HOUR)
    buy(out, 1, 1000)
    until(out, TIMER, T0 + 2 * HOUR)
    sell(out, 2, 3000, reduce_only=True)
    finish(out)
    assert [row[2:] for row in fills(out)] == [(1, 10000, 1000), (-1, 10000, 1000)]
    assert out.orders()["status"][1] == "cancelled"


def test_what_is_known_at_a_decision_does_not_depend_on_what_comes_after() -> None:
    features: list[Feature] = [
        (
            "r",
            {
                "operator": "log_return",
                "bars": "BTCUSDT-PERP.TEST",
                "interval_s": 3600,
                "window": 2,
            },
        )
    ]

    def seen(rows: list[tuple[float, ...]]) -> list[tuple[object, ...]]:
        out = line(rows, features=features, funding=[(T0 + 4 * HOUR, "0.001")])
        log: list[tuple[object, ...]] = []
        order = 0
        while out.next():
            if out.now > T0 + 3 * HOUR:
                break
            known = (out.now, out.equity(), out.last_price(0), out.mark(0), out.features.tobytes())
            log.append((*known, *out.answers()))
            if out.now % HOUR == 0:
                order += 1
                buy(out, order, 1000)
        return log

    changed: list[tuple[float, ...]] = [*RISING[:3], (7, 8, 6, 7, 3)]
    assert len(seen(list(RISING))) == 7  # 4 timers, 3 fills
    assert seen(list(RISING)) == seen(changed)
