"""When a shock of a tick session begins."""

from __future__ import annotations

import numpy as np

from crypto_quant.backtesting.engine.portfolio import Books
from crypto_quant.backtesting.stress.tick_session import most_held
from crypto_quant.runtime.segments import Span


def books(rows: list[tuple[int, int, int]]) -> Books:
    ts, side, qty = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    return Books(("one",), {}, {"ts_event": ts, "side": side, "qty": qty}, {}, {}, {})


def test_it_is_just_after_the_largest_position_was_taken_in_time() -> None:
    fills = books([(10, 1, 5), (20, -1, 12), (30, 1, 4), (40, -1, 8), (50, 1, 11)])
    # Positions: 5, -7, -3, -11, 0.
    assert most_held(fills, Span(0, 100)) == 41
    assert most_held(fills, Span(0, 40)) == 21
    assert most_held(fills, Span(0, 15)) == 11


def test_it_is_the_middle_where_nothing_was_held() -> None:
    assert most_held(books([]), Span(100, 300)) == 200
    assert most_held(books([(350, 1, 5)]), Span(100, 300)) == 200
