"""What marks an instrument under a shock, before it, and before the first mark of all."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from crypto_quant.backtesting.engine.portfolio import Books
from crypto_quant.backtesting.stress.marked import marked, marked_under
from crypto_quant.backtesting.stress.measure import Figures, Market, measure
from crypto_quant.backtesting.stress.shocks import SHOCKS
from crypto_quant.backtesting.stress.tape import Parts
from crypto_quant.core.measures.arrays import Ints
from crypto_quant.runtime.segments import Span
from crypto_quant.strategy.risk_manager.config import RiskConfig
from tests.unit.backtesting.stress.tapes import PERP, T0, instruments, tick_tape

MS = 10**6
EARLY = Span(T0 + 5 * MS, T0 + 1_500 * MS)
"""It begins before the first mark, which is of 11 ms."""


def laid_marks(key: str) -> tuple[Parts, Parts]:
    """Return the marks under a shock, and those recorded."""
    tape = tick_tape()
    laid = SHOCKS[key].on_ticks(tape, EARLY)
    return laid.streams["mark", PERP], tape.streams["mark", PERP]


@pytest.mark.parametrize("key", ["gap_down", "gap_up", "deleveraging", "mark_above"])
def test_a_shock_before_the_first_mark_moves_no_mark_of_before_it(key: str) -> None:
    """Without a mark yet the first recorded one stands; from the start on the shock's does."""
    laid, recorded = laid_marks(key)
    [rows] = recorded
    ts = np.array([EARLY.start, T0 - MS, EARLY.start - 1, T0 + 12 * MS])
    found = marked_under(laid, recorded, EARLY.start, ts)
    assert found[1:3].tolist() == [rows["mark"][0]] * 2
    assert found[[0, 3]].tolist() == marked(laid, ts[[0, 3]]).tolist()
    assert abs(int(found[0]) - int(rows["mark"][0])) > 100_000


def raw(values: list[str]) -> bytes:
    return b"".join(
        int(Decimal(value).scaleb(18)).to_bytes(16, "little", signed=True) for value in values
    )


def held_through(equity: list[str], marks: tuple[Parts, Parts], ts: Ints) -> Figures:
    """Measure a tenth of a coin that is held all the time."""
    perp, _ = instruments()
    none: Ints = np.empty(0, dtype=np.int64)
    path = {"ts": ts, "equity": raw(equity), f"position.{perp.id}": np.full(ts.size, 100)}
    orders: dict[str, Any] = {name: none for name in ("order_id", "ts", "stop", "side")}
    orders |= {"type": [], "status": []}
    fills: dict[str, Any] = {name: none for name in ("order_id", "ts_event", "px")}
    fills |= {"tag": []}
    market = Market((perp,), lambda _, at: marked_under(*marks, EARLY.start, at), ())
    books = Books(("hold",), path, fills, orders, {}, {})
    return measure(RiskConfig(leverage=10), market, books, EARLY, 100_000.0)


def test_gross_and_margin_before_a_fall_are_those_of_the_recorded_mark() -> None:
    """By hand: 0.1 coin at 40,000 on an equity of 5,000 is 0.8; after the fall less on less."""
    marks = laid_marks("gap_down")
    ts = np.array([T0 + 4 * MS, T0 + 20 * MS])
    found = held_through(["5000", "4200"], marks, ts)
    first = float(next(iter(marks[1]))["mark"][0]) / 100
    seen = {limit.name: limit.seen for limit in found.limits}
    assert seen["gross notional"] == pytest.approx(0.1 * first / 5_000)
    assert seen["initial margin"] == pytest.approx(0.1 * first / 5_000 / 10)
