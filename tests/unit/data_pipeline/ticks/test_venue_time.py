"""Times that go back, and a least latency that no other message comes near, are seen."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from crypto_quant.core.errors import DataError
from crypto_quant.data_pipeline.cleaners.venue_time import (
    BACK_NS,
    JUDGED,
    NEAR_NS,
    Back,
    Place,
    VenueTimes,
    check_column_times,
)
from crypto_quant.data_pipeline.storage.flags import SYNTHETIC_EVENT

MS = 10**6
T0 = 1_700_000_000 * 10**9


def at(*ms: int) -> NDArray[np.int64]:
    return np.array([T0 + t * MS for t in ms], dtype=np.int64)


def take(
    times: VenueTimes, event: NDArray[np.int64], latency_ms: int = 5, marks: tuple[int, ...] = ()
) -> list[Back]:
    given = np.array(marks or [0] * len(event), dtype=np.uint32)
    return times.take(event, event + latency_ms * MS, given)


def test_a_step_back_of_the_bound_is_taken_and_one_more_is_named_with_the_row_ahead() -> None:
    assert take(VenueTimes(), at(0, 1500, 500)) == []
    back = np.append(at(0, 1500, 1400), T0 + 500 * MS - 1)
    (found,) = VenueTimes().take(back, back, np.zeros(4, dtype=np.uint32), np.array([7, 8, -1, 9]))
    assert found == Back(Place(3, 9, T0 + 500 * MS - 1), Place(1, 8, T0 + 1500 * MS))
    assert str(found.ahead) == "row 1 (id 8) of 2023-11-14T22:13:21.500000Z"
    assert "lies 1,000.000 ms before row 1 (id 8)" in found.describe()


def test_every_stretch_that_lies_behind_is_named_once() -> None:
    found = take(VenueTimes(), at(0, 5000, 100, 200, 5100, 300, 5200))
    assert [(b.behind.row, b.ahead.row) for b in found] == [(2, 1), (5, 4)]


def test_times_that_the_venue_did_not_give_are_not_judged() -> None:
    assert take(VenueTimes(), at(9000, 0, 100), marks=(SYNTHETIC_EVENT, 0, 0)) == []
    assert take(VenueTimes(), at(9000, 0, 100), marks=(0, SYNTHETIC_EVENT, SYNTHETIC_EVENT)) == []


@given(st.lists(st.integers(0, 5000), min_size=1, max_size=30), st.data())
def test_parts_of_a_stream_are_judged_as_the_whole(ms: list[int], data: st.DataObject) -> None:
    """Against a loop over all pairs of rows."""
    cut = data.draw(st.integers(0, len(ms)))
    times, event = VenueTimes(), at(*ms)
    found = take(times, event[:cut]) + take(times, event[cut:])
    behind = [row for row, own in enumerate(ms) if any(before - own > 1000 for before in ms[:row])]
    starts = {row for row in behind if row - 1 not in behind}
    assert starts <= {back.behind.row for back in found} <= starts | {cut}
    for back in found:
        assert ms[back.ahead.row] == max(ms[: back.behind.row])
        assert back.ahead.row < back.behind.row


def spread(count: int) -> NDArray[np.int64]:
    return at(*range(0, 100 * count, 100))


@pytest.mark.parametrize(("alone", "is_met"), [(0, True), (249, True), (251, False)])
def test_a_least_latency_is_met_by_one_message_in_a_hundred(alone: int, is_met: bool) -> None:
    """One row is ``alone`` ms ahead of the venue's clock, all others took 5 ms."""
    event = spread(500)
    recv = event + 5 * MS
    event[-1] += alone * MS
    times = VenueTimes(least=(5 - alone) * MS)
    assert times.take(event, recv, np.zeros(500, dtype=np.uint32)) == []
    assert times.is_met is is_met
    if not is_met:
        assert "1 of 500 messages" in times.unmet()
        assert (
            "that of row 499 of 2023-11-14T22:14:10.151000Z, whose time is ahead" in times.unmet()
        )


def test_a_message_of_many_rows_counts_once() -> None:
    event = np.append(np.repeat(spread(1) + 300 * MS, 50), spread(200) + 400 * MS)
    recv = np.append(event[:50] - 300 * MS, event[50:] + 5 * MS)
    times = VenueTimes(least=-300 * MS)
    times.take(event[:20], recv[:20], np.zeros(20, dtype=np.uint32))
    times.take(event[20:], recv[20:], np.zeros(230, dtype=np.uint32))
    assert (times.messages, times.near, times.is_met) == (201, 1, False)


def test_a_stream_far_above_the_least_latency_points_to_another_one() -> None:
    times = VenueTimes(least=0)
    take(times, spread(JUDGED), latency_ms=NEAR_NS // MS + 1)
    assert not times.is_met
    assert "0 of 100 messages" in times.unmet()
    assert "that of another file or stream" in times.unmet()
    few, raw = VenueTimes(least=0), VenueTimes()
    take(few, spread(JUDGED - 1), latency_ms=9000)
    take(raw, spread(JUDGED), latency_ms=9000)
    assert few.is_met
    assert raw.is_met


@pytest.mark.parametrize("name", ["ts_event", "ts_recv"])
def test_columns_in_memory_have_no_negative_time(name: str) -> None:
    columns: dict[str, NDArray[Any]] = {"ts_event": at(0, 1), "ts_recv": at(2, 3)}
    check_column_times("BTC", "trade", columns)
    columns[name][1] = -1
    with pytest.raises(DataError, match=f"^BTC: trade, column {name}, row 1: .* was -1: correct"):
        check_column_times("BTC", "trade", columns)


def test_columns_in_memory_do_not_go_back() -> None:
    event = at(0, 2000, 999)
    columns = {"ts_event": event, "ts_recv": event + 5000 * MS, "id": np.array([4, 5, 6])}
    said = (
        r"^BTC: trade, column ts_event: row 2 \(id 6\) .* lies 1,001.000 ms before row 1 \(id 5\)"
    )
    with pytest.raises(DataError, match=said):
        check_column_times("BTC", "trade", columns)
    assert BACK_NS == 1000 * MS
