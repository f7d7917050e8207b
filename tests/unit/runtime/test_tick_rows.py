"""A session in parts: whatever their size, the rows and the events of gaps are the same."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto_quant.core.errors import DataError
from crypto_quant.data_pipeline.collectors.ticks.chain import BookRows
from crypto_quant.data_pipeline.storage import part
from crypto_quant.runtime.config import TickConfig
from crypto_quant.runtime.decision_json import as_line
from crypto_quant.runtime.drive import recorded
from crypto_quant.runtime.tick_rows import GapEvents
from crypto_quant.runtime.ticks import TickReader, TickTape
from tests.unit.runtime.one_market import compose_tick_state, tick_capital, tick_line

from .tick_market import BID, PERP, Sink, Update, book, keep, levels, snapshot, trades, whole

CONFIG = TickConfig()


def read(root: Path, parts: int | None, monkeypatch: pytest.MonkeyPatch) -> TickReader:
    """Write a session whose book breaks twice, in row groups of ``parts`` rows."""
    if parts is not None:
        monkeypatch.setattr(part, "_ROWS", parts)
    updates: list[Update] = [snapshot(0, 5, levels(200, 20))]
    for own in range(6, 90):
        change = [(1, BID - 10 * (own % 5), 150 + own), (-1, BID + 10 + 10 * (own % 3), own % 4)]
        # 30 and 60 are lost; what comes then waits for the snapshots of 41 and of 62.
        if own not in (30, 60):
            updates.append((own * 100, own - 1, own, change, 0))
        if own in (45, 66):
            updates.append(snapshot(own * 100 + 50, own - 4, levels(50, 60, up=own)))
    keep(root, "delta", book(updates, 3), "a", "vendor")
    return TickReader(keep(root, "trade", trades(range(10, 9000, 50), 3), "a", "vendor"), PERP)


def tape(reader: TickReader) -> TickTape:
    found = reader.read(reader.sessions()[0])
    assert isinstance(found, TickTape)
    return found


def said(reader: TickReader) -> list[bytes]:
    sink, line = Sink(), tick_line(CONFIG, PERP, tape(reader), tick_capital(CONFIG, PERP))
    recorded(line, compose_tick_state(CONFIG, PERP), sink)
    return [as_line(decision) for decision in sink.decisions]


@pytest.mark.parametrize("rows", [1, 3, 50])
def test_a_session_is_the_same_in_any_row_groups(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    one = read(tmp_path / "one", None, monkeypatch)
    cut = read(tmp_path / "cut", rows, monkeypatch)
    expected, found = tape(one), tape(cut)
    assert len(list(found.streams["delta"])) > len(list(expected.streams["delta"]))
    assert (found.start, found.end, found.rows) == (expected.start, expected.end, expected.rows)
    assert (found.unused, found.missing_trades) == (expected.unused, expected.missing_trades)
    assert found.rows["gap"] == 2
    for kind in expected.streams:
        columns, wanted = whole(found.streams[kind]), whole(expected.streams[kind])
        for name, values in wanted.items():
            assert columns[name].tolist() == values.tolist()
    assert said(cut) == said(one)


def test_a_bad_row_is_named_by_its_place_in_the_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(part, "_ROWS", 4)
    quiet: list[Update] = [(100, own, own + 1, [(1, BID - 5000, own)], 0) for own in range(5, 9)]
    bad: Update = (200, 9, 10, [(1, 0, 7)], 0)
    rows = book([snapshot(0, 5, levels(9, 9)), *quiet, bad], 2)
    line = tick_line(
        CONFIG, PERP, tape(TickReader(keep(tmp_path, "delta", rows, "a", "vendor"), PERP)), []
    )
    wrong = r"BTCUSDT-PERP\.BINANCE: delta of instrument 0, row 14: a price must be positive"
    with pytest.raises(DataError, match=wrong):
        list(iter(line.next, None))


times = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=30)


@settings(deadline=None)
@given(times, st.lists(st.integers(0, 60), max_size=5), st.lists(st.integers(0, 30), max_size=4))
def test_a_gap_happened_after_the_last_row_that_was_known_before_it(
    steps: list[tuple[int, int]], gaps: list[int], cuts: list[int]
) -> None:
    recv = np.cumsum([step for step, _ in steps])
    event = recv - np.array([back for _, back in steps])
    known = np.sort(np.array(gaps, dtype=np.int64))
    found = GapEvents()
    bounds = [0, *sorted(min(cut, len(recv)) for cut in cuts), len(recv)]
    for first, end in pairwise(bounds):
        reach = recv[end] if end < len(recv) else 2**62
        mine = known[(known >= (recv[first - 1] if first else 0)) & (known < reach)]
        mine = mine[mine > found.columns()["ts_recv"].max(initial=-1)]
        rows = pa.table({"ts_event": event[first:end], "ts_recv": recv[first:end]})
        found.take(BookRows(rows, mine, 0))
    columns = found.columns()
    for happened, when in zip(*columns.values(), strict=True):
        before = event[recv < when]
        last = before.max() if len(before) else event[0]
        assert happened == min(last + 1, when)
    assert set(columns["ts_recv"]) == set(known)
