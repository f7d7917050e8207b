"""Costs of the native line on bars: spread, floor, impact, and their stress."""

from __future__ import annotations

import math
from decimal import Decimal

import pytest

from .line_tape import (
    FREE,
    HOUR,
    MS,
    RISING,
    T0,
    TIMER,
    buy,
    column,
    fills,
    finish,
    line,
    money,
    sell,
    until,
)


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
        sim = {**FREE, "impact_y": 1.0, "max_participation": share}
        out = line(rows, sim=sim, cash="200000")
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
