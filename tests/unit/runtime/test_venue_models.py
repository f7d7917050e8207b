"""Models of the venue out of the configuration: latencies, feed, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from crypto_quant import _native
from crypto_quant.core.errors import ConfigError
from crypto_quant.runtime.config import TickConfig
from crypto_quant.runtime.feed_latency import feed_model
from crypto_quant.runtime.order_latency import Travel, read_round_trips, travel
from crypto_quant.runtime.tick_rows import Delays
from crypto_quant.runtime.ticks import TickReader, TickSession, TickTape
from crypto_quant.runtime.venue_config import BandSection, FeedSection, LatencyName, OrderLatency

from .tick_market import MS, PERP, T0, book, keep, levels, snapshot, trades

Ints = Any
SESSION = TickSession("made up", 0, 10**6, None)


def tape(feed: dict[str, int]) -> TickTape:
    return TickTape(SESSION, 0, 10**6, {}, {}, 0, 0, feed)


def file_of(path: Path, **columns: list[int]) -> str:
    pq.write_table(pa.table(columns), path)
    return str(path)


def asked(latency: OrderLatency, level: LatencyName) -> Travel:
    return travel(latency, read_round_trips(latency), level, tape({"p50": 7, "p99": 70}))


def test_latencies_are_recorded_else_configured_else_the_feeds(tmp_path: Path) -> None:
    # Twenty-five orders inside the session: 1 to 25 ns there, 100 to 2,500 ns back; one before it.
    sent = [-50, *range(0, 25_000, 1_000)]
    venue = [-40, *(ts + n for n, ts in enumerate(sent[1:], 1))]
    answered = [-10, *(ts + 100 * n for n, ts in enumerate(venue[1:], 1))]
    rows = file_of(tmp_path / "orders.parquet", sent=sent, venue=venue, answered=answered)
    configured = {"entry_ms": {"p50": 1, "p99": 2}, "response_ms": {"p50": 3, "p99": 4}}
    recorded = OrderLatency.model_validate({"rows": rows, **configured})
    assert asked(recorded, "p50")[:2] == (13, 1_300)
    assert asked(recorded, "p99")[:2] == (25, 2_500)
    assert asked(recorded, "p50").source == "p50 of 25 recorded orders"
    said = OrderLatency.model_validate(configured)
    assert asked(said, "p99")[:2] == (2 * MS, 4 * MS)
    proxy = asked(OrderLatency(), "p99")
    assert proxy[:2] == (70, 70)
    assert proxy.source.startswith("proxy: p99 of the session's feed delay")
    assert proxy.sim == {"entry_latency_ns": 70, "response_latency_ns": 70}
    drawn = asked(recorded, "sampled").sim
    assert drawn["entry_samples_ns"] == list(range(1, 26))
    assert drawn["latency_seed"] == 0
    between = asked(recorded, "interpolated").sim["latency_rows"]
    assert isinstance(between, list)
    assert between[0] == (0, 1, 101)
    assert len(between) == 25


def test_too_few_recorded_orders_are_no_percentile(tmp_path: Path) -> None:
    rows = file_of(tmp_path / "few.parquet", sent=[1], venue=[2], answered=[3])
    few = OrderLatency(rows=rows)
    assert asked(few, "p50").source.startswith("proxy")
    assert asked(few, "sampled").sim["entry_samples_ns"] == [1]
    with pytest.raises(ConfigError, match="needs recorded orders of session made up"):
        asked(OrderLatency(), "interpolated")


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"sent": [1]}, "lacks venue, answered"),
        ({"sent": [5, 5], "venue": [6, 6], "answered": [7, 7]}, "grow, row 1"),
        ({"sent": [5], "venue": [4], "answered": [7]}, "sent, venue, answered in this order"),
        ({"sent": [5], "venue": [6], "answered": [None]}, "a value is missing"),
        (
            {"sent": [5], "venue": [6], "answered": [7.5]},
            "answered: expected whole ns, was floating",
        ),
    ],
)
def test_recorded_orders_that_cannot_be_are_one_error(
    tmp_path: Path, columns: dict[str, list[int]], message: str
) -> None:
    path = file_of(tmp_path / "bad.parquet", **columns)
    with pytest.raises(ConfigError, match=message):
        read_round_trips(OrderLatency(rows=path))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"venue": {"feed": {"model": "constant"}}}, "needs ms"),
        ({"venue": {"feed": {"model": "sampled"}}}, "needs rows"),
        ({"venue": {"feed": {"ms": {"p50": 1, "p99": 2}}}}, 'ms is of the model "constant"'),
        ({"venue": {"feed": {"rows": "a.csv"}}}, 'model "recorded" does not read rows'),
        ({"venue": {"latency": {"entry_ms": {"p50": 1, "p99": 2}}}}, "given together"),
        ({"venue": {"latency": {"entry_ms": {"p50": 3, "p99": 2}}}}, "p99 must be at least p50"),
        ({"band": {"queues": []}}, "at least 1"),
        ({"band": {"queues": ["log", "log"]}}, "differ"),
        ({"band": {"queues": ["fifo"]}}, "risk_averse"),
        ({"venue": {"queue_exponent": 0}}, "greater than 0"),
    ],
)
def test_models_that_cannot_be_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        TickConfig.model_validate(settings)


def test_a_single_cell_is_the_one_that_assumes_least() -> None:
    assert BandSection().single() == BandSection(queues=("risk_averse",), latencies=("p99",))
    one = BandSection(queues=("log", "power"), latencies=("sampled",))
    assert one.single() == BandSection(queues=("log",), latencies=("sampled",))


def test_a_modelled_feed_moves_what_is_known_and_nothing_else(tmp_path: Path) -> None:
    """Rows that say 2 ms: 9 ms of model move the book, its snapshot and the trades to 9."""
    keep(tmp_path, "delta", book([snapshot(0, 5, levels(200, 200))], 2), "a", "vendor")
    catalog = keep(tmp_path, "trade", trades([10, 20], 3), "a", "vendor")
    feed = feed_model(FeedSection.model_validate({"model": "constant", "ms": SLOW}), "p99")
    plain, slow = (TickReader(catalog, PERP, model) for model in (None, feed))
    before, after = (reader.read(reader.sessions()[0]) for reader in (plain, slow))
    assert isinstance(before, TickTape)
    assert isinstance(after, TickTape)
    assert (before.start - T0, after.start - T0) == (2 * MS, 9 * MS)
    assert before.feed_delay_ns == {"p50": 2 * MS, "p99": 2 * MS}
    assert after.feed_delay_ns == {"p50": 9 * MS, "p99": 9 * MS}
    for kind in ("delta", "trade"):
        (was,), (now,) = (list(found.streams[kind]) for found in (before, after))
        assert (now["ts_event"] == was["ts_event"]).all()
        assert (now["ts_recv"] == was["ts_event"] + 9 * MS).all()
    quick = feed_model(FeedSection.model_validate({"model": "constant", "ms": SLOW}), "p50")
    same = TickReader(catalog, PERP, quick)
    unmoved = same.read(same.sessions()[0])
    assert isinstance(unmoved, TickTape)
    assert unmoved.start == before.start  # 1 ms is less than the stamps say


SLOW = {"p50": 1, "p99": 9}


def test_recorded_feed_delays_are_those_of_the_later_of_two_messages(tmp_path: Path) -> None:
    rows = file_of(tmp_path / "feed.parquet", ts_event=[20, 10, 10], ts_recv=[26, 12, 14])
    model = feed_model(FeedSection(model="interpolated", rows=rows), "p50")
    assert model is not None
    times = np.array([10, 15, 20], dtype=np.int64)
    # 4 ns at 10 and 6 ns at 20.
    assert model.stream("trade").stamp(times, times).tolist() == [14, 20, 26]


def test_each_stream_draws_its_own_delays_again_and_again(tmp_path: Path) -> None:
    event = list(range(0, 1_000, 10))
    rows = file_of(tmp_path / "feed.parquet", ts_event=event, ts_recv=[ts + ts % 7 for ts in event])
    model = feed_model(FeedSection(model="sampled", rows=rows, seed=3), "p50")
    assert model is not None
    times = np.arange(0, 10**6, 10**3, dtype=np.int64)

    def drawn(stream: str) -> list[int]:
        found: list[int] = (model.stream(stream).stamp(times, times) - times).tolist()
        return found

    assert drawn("trade") == drawn("trade")
    assert drawn("trade") != drawn("delta")
    assert set(drawn("trade")) == set(range(7))


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 50), st.integers(0, 9)), min_size=1, max_size=40),
    st.lists(st.integers(0, 30), min_size=1, max_size=5),
    st.integers(0, 40),
)
def test_no_row_is_known_before_its_stamp_nor_out_of_order(
    steps: list[tuple[int, int]], samples: list[int], cut: int
) -> None:
    event = np.cumsum([step for step, _ in steps]).astype(np.int64)
    recv = np.maximum.accumulate(event + np.array([lag for _, lag in steps]))
    drawn = np.array(samples, dtype=np.int64)
    whole = _native.FeedLatency.sampled(drawn, 9).stamp(event, recv)
    assert (whole >= recv).all()
    assert (whole >= event + min(samples)).all()
    assert (np.diff(whole) >= 0).all()
    parts = _native.FeedLatency.sampled(drawn, 9)
    joined = [parts.stamp(event[:cut], recv[:cut]), parts.stamp(event[cut:], recv[cut:])]
    assert np.concatenate(joined).tolist() == whole.tolist()


def test_delays_count_a_message_once_and_their_quantiles_are_reached() -> None:
    delays = Delays()
    # 1.5, 3 and 3 us; the second is of two rows.
    delays.take(np.array([0, 10, 10, 20]), np.array([1_500, 3_010, 3_010, 3_020]))
    assert delays.quantile(0.3) == 2_000
    assert delays.quantile(0.5) == 3_000
    delays.take(np.array([90]), np.array([9_090]))
    assert delays.quantile(0.99) == 9_000
