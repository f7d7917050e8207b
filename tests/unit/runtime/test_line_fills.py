"""Fills of the native line on bars: when, at which price, how much, for which fee."""

from __future__ import annotations

from decimal import Decimal

import pytest

from .line_tape import (
    ACCOUNT,
    FREE,
    HOUR,
    MS,
    RISING,
    SECOND,
    T0,
    TIMER,
    Feature,
    buy,
    fills,
    finish,
    flat,
    line,
    perp,
    sell,
    spot,
    until,
)


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
    buy(out, 1, 1200, tif=1)
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
