"""When a shock of a session begins, and on what position."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto_quant.backtesting.engine.portfolio import Books
from crypto_quant.backtesting.stress.held import Held, place
from crypto_quant.runtime.segments import Span


def held(*fills: tuple[int, ...], delay: int = 0, lot: tuple[float, ...] = (1.0,)) -> Held:
    """Return what fills of time, side, lots, and of which thing, come to, each told later."""
    rows = [(*fill, 0)[:4] for fill in fills]
    ts, side, qty, what = np.array(rows, dtype=np.int64).reshape(-1, 4).T
    table = {"ts_event": ts, "ts_recv": ts + delay, "side": side, "qty": qty, "instrument": what}
    return Held.of(Books(("one",), {}, table, {}, {}, {}), lot)


RUN = held((10, 1, 5), (20, -1, 12), (30, 1, 4), (40, -1, 8), (50, 1, 11))
"""Positions: 5, -7, -3, -11, 0."""


@pytest.mark.parametrize(
    ("span", "room", "start"),
    [
        (Span(0, 100), 0, 41),
        (Span(0, 100), 59, 21),  # 41 + 59 would be the end itself
        (Span(0, 100), 58, 41),
        (Span(0, 100), 85, 11),
        (Span(0, 100), 95, 41),  # nothing was held so early: then not for as long
        (Span(0, 40), 0, 21),
        (Span(41, 100), 0, 41),
    ],
)
def test_it_is_just_after_the_largest_position_was_taken(span: Span, room: int, start: int) -> None:
    assert place(RUN, span, room) == start


def test_of_positions_as_large_it_is_the_first() -> None:
    assert place(held((10, 1, 5), (20, -1, 10), (30, 1, 5)), Span(0, 90), 0) == 11


def test_fills_of_one_time_count_together() -> None:
    """What was bought and sold at once was never held, and a position taken level by level was."""
    assert place(held((10, 1, 9), (10, -1, 9), (20, 1, 1), (20, 1, 2)), Span(0, 90), 0) == 21


def test_it_is_after_we_were_told_of_it_where_it_is_held_so_long() -> None:
    """So a shock meets a position that decisions have been made on, its stop among them."""
    fills = (10, 1, 5), (20, -1, 12), (30, 1, 4)
    assert place(held(*fills, delay=6), Span(0, 90), 0) == 27
    assert place(held(*fills, delay=9), Span(0, 90), 0) == 30
    assert place(held(*fills, delay=10), Span(0, 90), 0) == 21
    assert held(*fills, delay=6).at(27) == (-7,)


def test_it_is_the_middle_where_nothing_is_ever_held() -> None:
    assert place(held(), Span(100, 300), 0) == 200
    assert place(held((350, 1, 5)), Span(100, 300), 50) == 200


def test_a_position_is_that_before_what_happens_then() -> None:
    found = [RUN.at(ts) for ts in (0, 10, 11, 21, 41, 50, 51)]
    assert found == [(0,), (0,), (5,), (-7,), (-11,), (-11,), (0,)]


def test_of_several_it_is_what_all_of_them_are_worth() -> None:
    """Two lots of the second are worth three of the first; long and short do not net."""
    run = held((10, 1, 4), (20, -1, 2, 1), (30, -1, 3), (40, -1, 2, 1), lot=(1.0, 1.5))
    assert [run.at(ts) for ts in (11, 21, 31, 41)] == [(4, 0), (4, -2), (1, -2), (1, -4)]
    assert place(run, Span(0, 90), 0) == 21  # 4 + 3 = 7, as much as 1 + 6 later
    assert place(run, Span(0, 90), 75) == 11
    heavier = held((10, 1, 4), (20, -1, 2, 1), (30, -1, 3), (40, -1, 2, 1), lot=(1.0, 1.6))
    assert place(heavier, Span(0, 90), 0) == 41


def test_it_is_after_we_were_told_of_every_part() -> None:
    """The first thing is told at 26, the second at 36; both are held until 60."""
    fills = (20, 1, 5), (30, -1, 5, 1), (60, -1, 5)
    assert place(held(*fills, delay=6, lot=(1.0, 1.0)), Span(0, 90), 0) == 37
    assert place(held(*fills, delay=40, lot=(1.0, 1.0)), Span(0, 90), 0) == 31


FILLS = st.lists(
    st.tuples(st.integers(0, 60), st.sampled_from([-1, 1]), st.integers(1, 9), st.integers(0, 1)),
    max_size=20,
)
LOT = 3.0, 2.0


@given(fills=FILLS, room=st.integers(0, 70))
def test_never_where_nothing_is_held_if_anything_ever_is(
    fills: list[tuple[int, int, int, int]], room: int
) -> None:
    """Against a plain loop over every ns."""
    span = Span(0, 70)
    sizes = [
        sum(
            LOT[n] * abs(sum(side * lots for at, side, lots, of in fills if at < ts and of == n))
            for n in (0, 1)
        )
        for ts in range(span.start, span.end)
    ]
    start = place(held(*sorted(fills), lot=LOT), span, room)
    fits = sizes[: max(span.end - room, 0)]
    assert sizes[start] == (max(fits, default=0) or max(sizes))
