"""The native line on a real capture, against a book of dictionaries read from the frames."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crypto_quant._native import Line

from .line_tape import END, MS, PERP, TIMER, buy, perp, sell

pytestmark = pytest.mark.data

SECOND = 1000 * MS
ENTRY, MINUTES, SIZE = 50 * MS, 1, 700
Row = tuple[int, int, int, int, int, int]
"""ts_event, ts_recv, side, px, qty, flags."""


@dataclass
class Session:
    """Level changes, trades and best prices of a capture, in the order of arrival."""

    deltas: list[Row] = field(default_factory=list)
    trades: list[Row] = field(default_factory=list)
    tops: dict[int, tuple[int, int, int, int]] = field(default_factory=dict)
    ends: dict[int, int] = field(default_factory=dict)
    last_id: int | None = None
    early: list[tuple[int, dict[str, Any]]] = field(default_factory=list)

    def levels(self, when: int, recv: int, frame: dict[str, Any], flags: int) -> None:
        """Add the rows of a frame; the last one closes it."""
        names = ("bids", "asks") if flags else ("b", "a")
        rows = [(1, level) for level in frame[names[0]]] + [
            (-1, level) for level in frame[names[1]]
        ]
        for at, (side, (px, qty)) in enumerate(rows):
            last = 2 if at + 1 == len(rows) else 0
            self.deltas.append((when, recv, side, units(px, 2), units(qty, 3), flags | last))

    def depth(self, recv: int, frame: dict[str, Any]) -> None:
        """Add a change of the book, or keep it until the snapshot is there."""
        if self.last_id is None:
            self.early.append((recv, frame))
        elif frame["u"] > self.last_id:
            self.levels(frame["T"] * MS, recv, frame, 0)
            self.ends[frame["u"]] = len(self.deltas)

    def snapshot(self, recv: int, frame: dict[str, Any]) -> None:
        """Begin the book."""
        self.last_id = frame["lastUpdateId"]
        self.levels(frame["T"] * MS, recv, frame, 1)
        for _, waiting in self.early:
            self.depth(recv, waiting)

    def add(self, recv: int, frame: dict[str, Any]) -> None:
        """Take one frame."""
        if "lastUpdateId" in frame:
            self.snapshot(recv, frame)
            return
        data = frame["data"]
        if data["e"] == "depthUpdate":
            self.depth(recv, data)
        elif data["e"] == "trade" and data["X"] == "MARKET":
            side = -1 if data["m"] else 1
            row = (data["T"] * MS, recv, side, units(data["p"], 2), units(data["q"], 3), 0)
            self.trades.append(row)
        elif data["e"] == "bookTicker":
            top = (data["b"], data["B"], data["a"], data["A"])
            scaled = tuple(units(v, 2 + at % 2) for at, v in enumerate(top))
            self.tops[data["u"]] = scaled  # type: ignore[assignment]


def units(text: str, exp: int) -> int:
    """Read a decimal text as an integer of the grid."""
    return int(Decimal(text).scaleb(exp))


def frames(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the frames of the first minutes with their stamps in ns."""
    first = None
    with gzip.open(path, "rt") as lines:
        for text in lines:
            stamp, _, payload = text.partition(" ")
            recv = int(stamp) * 10 ** (19 - len(stamp))
            first = recv if first is None else first
            if recv > first + MINUTES * 60 * SECOND:
                return
            yield recv, json.loads(payload)


@pytest.fixture(scope="module")
def session(data_dir: Path) -> Session:
    """Return the newest USD-M capture that has a snapshot, its clock re-based."""
    for path in sorted((data_dir / "hftbacktest" / "usdm").glob("btcusdt_*.gz"), reverse=True):
        out = Session()
        for recv, frame in frames(path):
            out.add(recv, frame)
        if out.last_id is not None:
            rows = out.deltas + out.trades
            shift = max(0, MS - min(recv - when for when, recv, *_ in rows))
            for name in ("deltas", "trades"):
                moved = [(row[0], row[1] + shift, *row[2:]) for row in getattr(out, name)]
                setattr(out, name, moved)
            return out
    pytest.skip("no USD-M capture with a snapshot")


def columns(rows: list[Row]) -> list[Any]:
    """Return the rows as columns of their types."""
    table = np.array(rows, dtype=np.int64).T
    kinds = (np.int64, np.int64, np.int8, np.int64, np.int64, np.uint32)
    return [
        np.ascontiguousarray(column, dtype=kind) for column, kind in zip(table, kinds, strict=True)
    ]


def line(session: Session, grid: int) -> Line:
    """Return a line over the session."""
    start = -(-session.deltas[0][1] // SECOND) * SECOND
    out = Line(
        [perp()],
        ["one"],
        [],
        [],
        grid_ns=grid,
        start=start,
        end=session.deltas[-1][1] - SECOND,
        sim={"entry_latency_ns": ENTRY, "response_latency_ns": 20 * MS},
        wallets=[("usdm", ["USDT"], [PERP])],
        capital=[(0, "usdm", "USDT", Decimal(10**6))],
        sample_ns=SECOND,
    )
    event, recv, side, px, qty, flags = columns(session.deltas)
    out.add_deltas(PERP, event, recv, side, px, qty, flags)
    event, recv, side, px, qty, _ = columns(session.trades)
    out.add_trades(PERP, event, recv, np.arange(len(px)), px, qty, side)
    return out


class Replay:
    """The book as two dictionaries, by event time (stamp 0) or receipt (stamp 1)."""

    def __init__(self, rows: list[Row], stamp: int) -> None:
        self.rows, self.stamp = rows, stamp
        self.sides: dict[int, dict[int, int]] = {1: {}, -1: {}}
        self.done = 0

    def step(self) -> None:
        """Apply the next level change."""
        row = self.rows[self.done]
        self.done += 1
        self.sides[row[2]][row[3]] = row[4]
        if row[4] == 0:
            del self.sides[row[2]][row[3]]

    def until(self, ts: int) -> None:
        """Apply all that happened up to a time; an earlier stamp after a later one waits."""
        while self.done < len(self.rows) and self.rows[self.done][self.stamp] <= ts:
            self.step()

    def top(self) -> tuple[int, int, int, int]:
        """Return best bid, its quantity, best ask, its quantity."""
        bids, asks = self.sides[1], self.sides[-1]
        bid, ask = max(bids), min(asks)
        return bid, bids[bid], ask, asks[ask]

    def levels(self) -> list[list[tuple[int, int]]]:
        """Return bids and asks from the touch outwards."""
        bids, asks = self.sides[1], self.sides[-1]
        return [sorted(bids.items(), reverse=True), sorted(asks.items())]


def test_known_top_of_book_is_that_of_the_dictionaries(session: Session) -> None:
    out, replay, checked = line(session, 100 * MS), Replay(session.deltas, 1), 0
    while (woke := out.next()) != END:
        if woke == TIMER:
            replay.until(out.now)
            assert out.top(PERP) == replay.top()
            checked += 1
            if checked % 50 == 1:
                known = out.levels(PERP, 10**6)
                assert known is not None
                assert [[tuple(row) for row in side] for side in known] == replay.levels()
    assert checked > 100


def test_levels_are_as_many_as_asked_for_and_none_without_a_book(session: Session) -> None:
    out = line(session, 100 * MS)
    assert out.levels(PERP, 5) is None
    assert out.levels(PERP + 1, 5) is None
    while out.next() != TIMER:
        pass
    known = out.levels(PERP, 5)
    assert known is not None
    bids, asks = known
    assert (bids.shape, asks.shape) == ((5, 2), (5, 2))
    assert (*bids[0], *asks[0]) == out.top(PERP)


def test_book_agrees_with_the_recorded_best_prices(session: Session) -> None:
    same = [u for u in session.tops if u in session.ends]
    assert len(same) > 5
    wanted = {session.ends[u]: session.tops[u] for u in same}
    replay = Replay(session.deltas, 1)
    for _ in session.deltas:
        replay.step()
        if replay.done in wanted:
            assert wanted[replay.done] == replay.top()


def test_market_orders_walk_the_book_of_their_arrival(session: Session) -> None:
    out = line(session, 5 * SECOND)
    sent: list[tuple[int, int]] = []
    while (woke := out.next()) != END:
        if woke == TIMER:
            sent.append((out.now + ENTRY, 1 if len(sent) % 2 else -1))
            (buy if len(sent) % 2 == 0 else sell)(out, len(sent), SIZE)
    assert len(sent) > 5
    expected, replay = [], Replay(session.deltas, 0)
    for order, (arrival, side) in enumerate(sent, 1):
        replay.until(arrival)
        left = SIZE
        for px, qty in sorted(replay.sides[-side].items(), key=lambda level: level[0] * side):
            taken = min(left, qty)
            left -= taken
            if taken:
                expected.append((order, arrival, side, px, taken))
    table = out.fills()
    names = ("order_id", "ts_event", "side", "px", "qty")
    got = [tuple(int(v) for v in row) for row in zip(*[table[n] for n in names], strict=True)]
    real = [row for row, tag in zip(got, table["tag"], strict=True) if tag == ""]
    assert real == expected
