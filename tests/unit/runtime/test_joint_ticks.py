"""Two recordings as one session: what is counted and measured is of what was run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from crypto_quant.core.errors import ConfigError
from crypto_quant.data_pipeline.storage import Catalog, SourceInfo
from crypto_quant.runtime.joint_ticks import JointReader, JointTape
from crypto_quant.runtime.order_latency import RoundTrips, travel
from crypto_quant.runtime.ticks import TickReader, TickTape
from crypto_quant.runtime.venue_config import OrderLatency
from crypto_quant.venues.rules import load_instruments

from .tick_market import GRID, MS, PERP, T0, Update, book, keep, levels, snapshot, trades

OTHER = load_instruments()["BTCUSDT-PERP.BYBIT"]
HOUR = 3_600_000
"""In ms."""


def quiet(ms: int, own: int, before: int | None = None) -> Update:
    return (ms, own - 1 if before is None else before, own, [(1, 9_000_000, own)], 0)


def stretch(root: Path, name: str, begin: int, latency: int, first: int) -> None:
    """Record ten updates of the long recording, whose feed is as late as is said, ms."""
    updates = [quiet(begin + 100 * n, first + n) for n in range(10)]
    if not begin:
        updates[0] = snapshot(0, first, levels(200, 20))
    keep(root, "delta", book(updates, latency), name, "vendor")
    ids = [first * 100 + 2 * n for n in range(10)]  # between two of them one is missing
    times = [begin + 100 * n + 50 for n in range(10)]
    keep(root, "trade", trades(times, latency, ids), name, "vendor")


def short(root: Path, name: str, begin: int, end: int) -> Catalog:
    """Record the other instrument for a while."""
    catalog = Catalog(root)
    source = SourceInfo(name, f"hash of other {name}", 1, "test")
    rows = book([snapshot(begin, 5, levels(9, 9)), quiet(end, 6)], 0)
    catalog.write("delta", OTHER.id, rows, source, GRID, "vendor")
    return catalog


def read(reader: JointReader) -> list[JointTape]:
    found = [reader.read(session) for session in reader.sessions()]
    assert all(isinstance(tape, JointTape) for tape in found)
    return [tape for tape in found if isinstance(tape, JointTape)]


@pytest.fixture
def recorded(tmp_path: Path) -> Catalog:
    """Record one for 30 minutes, 1, 5, 9, 50 and 200 ms late; another in two parts of them.

    The parts lie more than ten minutes apart, so both meet the one recording.
    """
    for part, latency in enumerate((1, 5, 9, 50, 200)):
        stretch(tmp_path, f"part {part}", part * 500_000, latency, 10 + 10 * part)
    short(tmp_path, "first", 499_000, 502_000)
    return short(tmp_path, "second", 1_499_000, 1_502_000)


def test_latency_is_measured_on_the_stretch_that_is_run(recorded: Catalog) -> None:
    first, second = read(JointReader(recorded, (PERP, OTHER)))
    # 5 ms late are the updates of 500 s, 50 ms those of 1,500 s; nothing of 0 to 1 s, 1,000 s
    # or of 2,000 s, which is later than either.
    assert first.each[0].feed_delay_ns == {"p50": 5 * MS, "p99": 5 * MS}
    assert second.each[0].feed_delay_ns == {"p50": 50 * MS, "p99": 50 * MS}
    for tape in (first, second):
        assert all((own.start, own.end) == (tape.start, tape.end) for own in tape.each)
    assert (first.start - T0, first.end - T0) == (499_000 * MS, 502_000 * MS)
    assert travel(OrderLatency(), None, "p99", first.each[0]).entry == 5 * MS


def test_recorded_orders_are_those_of_the_stretch_that_is_run(recorded: Catalog) -> None:
    """Of an order each second 4 were sent from 499 to 502 s, each as slow as its second."""
    first, _ = read(JointReader(recorded, (PERP, OTHER)))
    second = np.arange(2_000, dtype=np.int64)
    sent = T0 + second * 1_000 * MS
    trips = RoundTrips(sent, sent + second, sent + 2 * second + 7)
    way = travel(OrderLatency(), trips, "sampled", first.each[0])
    assert way.sim["entry_samples_ns"] == [499, 500, 501, 502]


def test_rows_of_one_recording_are_counted_in_the_session_that_they_are_of(
    recorded: Catalog,
) -> None:
    first, second = read(JointReader(recorded, (PERP, OTHER)))
    for tape in (first, second):
        assert tape.each[0].rows == {"delta": 10, "gap": 0, "trade": 10}
        # Nine between ten; and those since the last trade, of the part before.
        assert tape.each[0].missing_trades >= 9
    alone = TickReader(recorded, PERP)
    (session,) = alone.sessions()
    whole = alone.read(session)
    assert isinstance(whole, TickTape)
    assert whole.rows == {"delta": 59, "gap": 0, "trade": 50}
    counted = sum(tape.each[0].missing_trades for tape in (first, second))
    # 5 parts of nine, and 981 between two parts: 1,018 to 2,000.
    assert whole.missing_trades == 5 * 9 + 4 * 981
    assert counted == 2 * (9 + 981)


def test_updates_of_no_book_are_counted_where_they_were_known(tmp_path: Path) -> None:
    """The chain breaks at 0.2 and at 500.2 s; the book is back at 500 s, and then no more."""
    begun = [snapshot(0, 10, levels(9, 9)), quiet(100, 11)]
    lost = [quiet(200, 21), quiet(300, 22)]
    again = [snapshot(500_000, 40, levels(9, 9)), quiet(500_100, 41)]
    keep(tmp_path, "delta", book([*begun, *lost, *again], 0), "a", "vendor")
    keep(tmp_path, "delta", book([quiet(500_200, 51), quiet(500_300, 52)], 0), "b", "vendor")
    catalog = short(tmp_path, "first", 499_000, 500_250)
    (joint,) = read(JointReader(catalog, (PERP, OTHER)))
    own = joint.each[0]
    assert (own.unused, own.rows) == (1, {"delta": 11, "gap": 1})
    reader = TickReader(catalog, PERP)
    whole = reader.read(reader.sessions()[0])
    assert isinstance(whole, TickTape)
    assert (whole.unused, whole.rows) == (4, {"delta": 22, "gap": 2})
    assert reader.cut(whole, whole.start, whole.end) == whole
    # Up to its last row, which makes no book any more, all is what the whole one has.
    later = reader.cut(whole, whole.start, whole.end + 100 * MS)
    assert (later.unused, later.rows) == (4, whole.rows)
    assert later.feed_delay_ns == whole.feed_delay_ns


def test_a_session_ends_before_funding_that_nobody_knows_and_so_does_what_is_measured(
    tmp_path: Path,
) -> None:
    """T0 is 6,400 s before 00:00 UTC: what is known later is 90 ms late, and not of the run."""
    early = [snapshot(6_399_000, 5, levels(9, 9)), *(quiet(6_399_000 + n, n) for n in range(6, 9))]
    late = [quiet(6_400_000 + n * 10, n) for n in range(9, 99)]
    keep(tmp_path, "delta", book(early, 2), "a", "vendor")
    keep(tmp_path, "delta", book(late, 90), "b", "vendor")
    times = [6_399_000 + 100 * n for n in range(20)]
    catalog = keep(tmp_path, "trade", trades(times, 0, range(0, 40, 2)), "t", "vendor")
    (tape,) = read(JointReader(catalog, (PERP,)))
    due = T0 + 6_400_000 * MS
    assert (tape.unpaid, tape.end) == (due, due - 1)
    (own,) = tape.each
    assert own.feed_delay_ns == {"p50": 2 * MS, "p99": 2 * MS}
    # All that was known before 00:00: a trade as old as the snapshot, too.
    assert (own.rows, own.missing_trades) == ({"delta": 13, "gap": 0, "trade": 10}, 9)
    sent = np.array([due - 5, due + 5], dtype=np.int64)
    way = travel(OrderLatency(), RoundTrips(sent, sent + 3, sent + 4), "sampled", own)
    assert way.sim["entry_samples_ns"] == [3]


def test_a_session_without_an_update_has_no_feed_delay_to_stand_for_latencies(
    tmp_path: Path,
) -> None:
    keep(tmp_path, "delta", book([snapshot(0, 5, levels(9, 9))], 1), "a", "vendor")
    keep(tmp_path, "trade", trades([10, HOUR], 1), "a", "vendor")
    (tape,) = read(JointReader(short(tmp_path, "b", 500_000, 501_000), (PERP, OTHER)))
    with pytest.raises(ConfigError, match=r"has no update of its book while it is run.*give both"):
        travel(OrderLatency(), None, "p50", tape.each[0])
    said = OrderLatency.model_validate({"entry_ms": {"p50": 1, "p99": 2}} | RESPONSE)
    assert travel(said, None, "p50", tape.each[0]).entry == MS


RESPONSE = {"response_ms": {"p50": 1, "p99": 2}}
