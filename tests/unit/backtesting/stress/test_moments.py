"""All streams of a session change at one moment: a trade meets the book of its own market."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crypto_quant.backtesting.simulator import Market
from crypto_quant.backtesting.stress.shocks import SHOCKS
from crypto_quant.backtesting.stress.shocks.book import first_cut
from crypto_quant.backtesting.stress.shocks.moments import Edge, split, standing
from crypto_quant.backtesting.stress.tape import Parts, SessionTape, StressTape
from crypto_quant.core.messages import OrderType, Side
from crypto_quant.core.tickets import Ticket
from crypto_quant.data_pipeline.storage import flags
from crypto_quant.runtime.segments import Span
from crypto_quant.runtime.tape import Columns
from tests.unit.backtesting.simulator import markets
from tests.unit.backtesting.stress.tapes import FRAMES, MS, PERP, T0, TICK_SPAN, tick_tape, together
from tests.unit.runtime.own_orders import run

MOVED = ("gap_down", "gap_up", "usdt_down", "usdt_up", "deleveraging", "spread_x10")
KINDS = ("gap", "trade", "delta", "quote", "mark")
"""Streams in the order in which the venue lives rows of one time."""
END = T0 + FRAMES * 10 * MS
STARTS = st.one_of(
    st.integers(T0 + 1, END - 20 * MS),
    st.integers(1, FRAMES - 3).map(lambda n: T0 + n * 10 * MS),  # at a frame
    st.integers(1, FRAMES - 3).map(lambda n: T0 + n * 10 * MS + MS),  # at a trade
)


def lived(tape: SessionTape) -> Iterator[tuple[str, int, dict[str, Any]]]:
    """Yield kind, time and row as the venue lives them: a plain sort beside the line's merge."""
    streams = together(tape).streams
    rows = []
    for rank, kind in enumerate(KINDS):
        columns = streams.get((kind, PERP), {"ts_event": np.empty(0)})
        reached = np.maximum.accumulate(columns["ts_event"])
        rows += [(int(ts), rank, n) for n, ts in enumerate(reached)]
    for ts, rank, n in sorted(rows):
        columns = streams[KINDS[rank], PERP]
        yield KINDS[rank], ts, {name: int(values[n]) for name, values in columns.items()}


@settings(max_examples=60)
@given(key=st.sampled_from(MOVED), start=STARTS, length=st.integers(1, 2_500 * MS))
@example(key="gap_up", start=T0 + 500 * MS + MS // 2, length=2_000 * MS)  # a trade before a frame
@example(key="gap_up", start=T0 + 501 * MS, length=2_000 * MS)  # with a trade
@example(key="gap_up", start=T0 + 500 * MS, length=1_490 * MS + 1)  # to after the last frame
@example(key="spread_x10", start=T0 + 500 * MS, length=1_491 * MS - 1)  # and before its trade
def test_each_trade_is_at_the_best_price_that_stands(key: str, start: int, length: int) -> None:
    """On the tape it is so in every row; so it stays, however start and end lie between rows."""
    tape = tick_tape()
    span = Span(start, start + length)
    book: dict[tuple[int, int], int] = {}
    is_loading, quote, mark = False, (0, 0), 0
    seen = {"trade": 0, "quote": 0, "mark": 0}
    for kind, ts, row in lived(SHOCKS[key].on_ticks(tape, span)):
        if kind == "delta":
            if row["flags"] & flags.SNAPSHOT and not is_loading:
                book.clear()
            is_loading = bool(row["flags"] & flags.SNAPSHOT and not row["flags"] & flags.LAST)
            book[row["side"], row["px"]] = row["qty"]
            continue
        bid = max(px for (side, px), qty in book.items() if side > 0 and qty)
        ask = min(px for (side, px), qty in book.items() if side < 0 and qty)
        if kind == "trade":
            assert row["px"] == (ask if row["side"] > 0 else bid), ts - start
        if kind == "quote":
            quote = row["bid"], row["ask"]
            assert quote == (bid, ask), ts - start
        if kind == "mark":
            mark = row["mark"]
            assert abs(2 * mark - bid - ask) <= 2 * 55, ts - start
        seen[kind] += 1
    assert all(count >= FRAMES - 1 for count in seen.values())


@pytest.mark.parametrize("key", ["gap_up", "deleveraging", "usdt_down"])
def test_what_stands_at_the_start_is_of_after_it(key: str) -> None:
    """The mark too: a deleveraging at that moment is settled at it."""
    plain, laid = tick_tape(), SHOCKS[key].on_ticks(tick_tape(), TICK_SPAN)
    old = [row for kind, ts, row in lived(plain) if kind == "mark" and ts < TICK_SPAN.start][-1]
    new = [row for kind, ts, row in lived(laid) if kind == "mark" and ts <= TICK_SPAN.start][-1]
    assert new["ts_event"] == TICK_SPAN.start
    assert TICK_SPAN.start <= new["ts_recv"] <= TICK_SPAN.start + 5 * MS
    moved = next(row for kind, ts, row in lived(laid) if kind == "trade" and ts > TICK_SPAN.start)
    was = next(row for kind, ts, row in lived(plain) if kind == "trade" and ts > TICK_SPAN.start)
    assert new["mark"] - old["mark"] == moved["px"] - was["px"] != 0


def test_a_stop_meets_the_book_of_the_gap_and_not_the_one_before() -> None:
    """A trade beyond the trigger comes 50 ms after the gap, the next frame of the book 150 ms.

    Were the book of before left standing until that frame, the stop would be filled at
    600,001 ticks: better than its own trigger, as if there had been no gap.
    """
    tick = 10
    tape = StressTape(
        (markets.BTC,), dict(_streams(trade=(500, 1, 600_001, 3), frame=600)), {}, 0, {}
    )
    start = markets.T0 + 450 * MS
    laid = together(SHOCKS["gap_up"].on_ticks(tape, Span(start, start + 10**10)))
    streams = {kind: columns for (kind, _), columns in laid.streams.items()}
    short = Ticket(0, "one", 0, "a", Side.SELL, 5, OrderType.MARKET, "a", protect=601_000 * tick)
    ran = run(Market.of_columns(markets.BTC, streams), {100: [short]})
    sold, stopped = ran.fills
    assert sold[2:5] == (-1, 600_000, 5)
    gapped = 600_001 + 120_000  # a fifth of the middle, in whole ticks
    assert stopped[1:] == (500, 1, gapped, 5, True)


def _streams(trade: markets.Row, frame: int) -> Iterator[tuple[tuple[str, int], Parts]]:
    def columns(rows: list[markets.Row], delay: int, marks: list[int]) -> Columns:
        ms, side, px, qty = np.array(rows, dtype=np.int64).T
        return {
            "ts_event": markets.T0 + ms * MS,
            "ts_recv": markets.T0 + (ms + delay) * MS,
            "side": side.astype(np.int8),
            "px": px * 10,
            "qty": qty,
            "flags": np.array(marks, dtype=np.uint32),
        }

    levels = [(0, 1, 600_000, 500), (0, -1, 600_001, 500), (frame, 1, 599_999, 5)]
    levels.append((9_000, 1, 599_998, 5))
    whole = [flags.SNAPSHOT, flags.SNAPSHOT | flags.LAST, flags.LAST, flags.LAST]
    yield ("delta", 0), [columns(levels, 2, whole)]
    yield ("trade", 0), [{**columns([trade], 3, [0]), "id": np.zeros(1, dtype=np.int64)}]


@pytest.mark.parametrize("before", [True, False])
def test_an_account_without_marks_is_liquidated_at_the_gap_and_not_at_the_next_trade(
    before: bool,
) -> None:
    """Short 0.1 BTC at 60,000 with 700 dollars, when a fifth is added; nothing trades for 4.5 s.

    By hand: 1,200 are lost at that moment, of which 700 are there. Without any trade before, the
    middle of the moved book is the mark. The stop waits for a trade, which comes too late.
    """
    streams = dict(_streams(trade=(5_000, 1, 600_001, 3), frame=600))
    if before:
        [later], [early] = (
            streams["trade", 0],
            dict(_streams((300, 1, 600_001, 3), 600))["trade", 0],
        )
        streams["trade", 0] = [early, later]
    start = markets.T0 + 450 * MS
    tape = StressTape((markets.BTC,), streams, {}, 0, {})
    laid = together(SHOCKS["gap_up"].on_ticks(tape, Span(start, start + 10**10)))
    columns = {kind: rows for (kind, _), rows in laid.streams.items()}
    short = Ticket(0, "one", 0, "a", Side.SELL, 100, OrderType.MARKET, "a", protect=601_000 * 10)
    ran = run(Market.of_columns(markets.BTC, columns), {100: [short]}, capital=700)
    [sold] = ran.fills
    assert sold[1:5] == (104, -1, 600_000, 100)
    closed = ran.line.native.liquidations()
    assert np.asarray(closed["ts_event"]).tolist() == [start]
    assert np.asarray(closed["qty"]).tolist() == [100]
    assert ran.line.native.position(0) == 0
    assert float(ran.line.native.equity()) == 0


def test_a_book_that_a_gap_took_is_not_stated_anew() -> None:
    """Events are missing from 480 ms on; the next snapshot, at 520 ms, is of after the start."""
    tape = tick_tape()
    [deltas] = tape.streams["delta", PERP]
    frame = deltas["ts_event"] == T0 + 520 * MS
    kept = (deltas["ts_event"] < T0 + 480 * MS) | (deltas["ts_event"] > T0 + 520 * MS) | frame
    marked = {**deltas, "flags": np.where(frame, deltas["flags"] | flags.SNAPSHOT, deltas["flags"])}
    book = {name: values[kept] for name, values in marked.items()}
    gap = {"ts_event": np.array([T0 + 480 * MS]), "ts_recv": np.array([T0 + 524 * MS])}
    lost = tape.changed({("delta", PERP): [book], ("gap", PERP): [gap]})
    for key in ("gap_down", "depth_tenth", "venue_down"):
        laid = together(SHOCKS[key].on_ticks(lost, TICK_SPAN)).streams
        at = laid["delta", PERP]["ts_event"]
        assert not ((at >= T0 + 480 * MS) & (at < T0 + 520 * MS)).any()
        quotes = laid["quote", PERP]["ts_event"]
        assert (quotes == TICK_SPAN.start).sum() == (key != "venue_down"), key
    back = Span(T0 + 300 * MS, T0 + 500 * MS)  # the other way round: lost where it ends
    at = together(SHOCKS["spread_x10"].on_ticks(lost, back)).streams["delta", PERP]["ts_event"]
    assert (at == back.start).any()
    assert not (at == back.end).any()


TIMES = st.lists(st.integers(0, 30), min_size=1, max_size=12)


@settings(max_examples=200)
@given(times=TIMES, cuts=st.lists(st.integers(0, 12), max_size=3), start=st.integers(-2, 32))
def test_what_stands_changes_at_once_and_back_again(
    times: list[int], cuts: list[int], start: int
) -> None:
    """The value that stands at any time, by a plain loop, is that of the tape, plus 100 inside."""
    event = np.array(times, dtype=np.int64)
    rows: Columns = {
        "ts_event": event,
        "ts_recv": np.maximum.accumulate(event) + 3,
        "mark": np.arange(event.size) + 1,
    }
    places = [0, *sorted(min(cut, event.size) for cut in cuts), event.size]
    parts = [{name: values[a:b] for name, values in rows.items()} for a, b in pairwise(places)]
    span = Span(start, start + 7)
    made = list(standing(parts, span, lambda rows: {**rows, "mark": rows["mark"] + 100}))
    new = {name: np.concatenate([part[name] for part in made]) for name in rows}
    assert (np.diff(new["ts_recv"]) >= 0).all()
    assert (new["ts_recv"] >= new["ts_event"]).all()

    def at(columns: Columns, ts: int) -> int:
        """Return what stands after all that is lived by a time; 0 before anything is."""
        now = np.maximum.accumulate(columns["ts_event"])
        known = columns["mark"][now <= ts]
        return int(known[-1]) if known.size else 0

    for ts in range(-2, 45):
        was = at(rows, ts)
        inside = span.start <= ts < span.end
        assert at(new, ts) == (was + 100 if was and inside else was), ts


def test_an_edge_is_before_the_first_row_that_is_lived_then() -> None:
    """The third row says 4, and is lived with the one before it, at 6."""
    event = np.array([2, 6, 4, 9])
    parts = [{"ts_event": event, "ts_recv": event + np.array([1, 1, 5, 2])}]
    [a, five, b, seven, c, late] = split(parts, (5, 7, 12))
    assert isinstance(a, dict)
    assert isinstance(b, dict)
    assert isinstance(c, dict)
    assert [part["ts_event"].tolist() for part in (a, b, c)] == [[2], [6, 4], [9]]
    assert isinstance(five, Edge)
    assert five[:2] == (5, 6)
    assert five[3:] == (2, False)
    assert isinstance(seven, Edge)
    assert seven[:2] == (7, 9)
    assert seven[3:] == (6, False)
    assert isinstance(late, Edge)
    assert late[:2] == (12, 14)
    assert late[3:] == (9, True)


def test_a_snapshot_that_follows_another_at_once_replaces_it() -> None:
    """No row between them says that the first one has ended, but its own last one."""
    snapshot, last = flags.SNAPSHOT, flags.SNAPSHOT | flags.LAST
    rows: Columns = {
        "ts_event": np.array([0, 0, 1, 1, 2], dtype=np.int64),
        "ts_recv": np.array([0, 0, 1, 1, 2], dtype=np.int64),
        "side": np.array([1, -1, 1, -1, 1], dtype=np.int8),
        "px": np.array([100, 101, 200, 201, 199], dtype=np.int64),
        "qty": np.array([5, 5, 5, 5, 5], dtype=np.int64),
        "flags": np.array([snapshot, last, snapshot, last, flags.LAST], dtype=np.uint32),
    }
    for parts in (
        [rows],
        [{name: values[n : n + 1] for name, values in rows.items()} for n in range(5)],
    ):
        levels = first_cut(parts, 2).levels
        assert levels is not None
        assert sorted(levels["px"].tolist()) == [200, 201]
