"""Every feature of the catalog keeps the promises of its protocol."""

from __future__ import annotations

import pickle
from typing import Final, TypeAlias

import numpy as np
import pytest

from crypto_quant.feature_engineering import events as ev
from crypto_quant.feature_engineering.catalog import CATALOG
from crypto_quant.feature_engineering.events import Events, Floats, Ints, Kind
from crypto_quant.feature_engineering.rows import FeatureInfo
from tests.conformance import feature_worlds as fw
from tests.conformance.feature_oracles import ORACLES
from tests.conformance.tick_oracles import TICK_ORACLES, WARM, replay

BARS: Final = fw.bar_world()
TICKS: Final = fw.tick_world()
BAR_TABLE: Final = fw.stream(fw.BAR_ROWS).table(BARS.events, BARS.grid)
TICK_TABLE: Final = fw.stream(fw.TICK_ROWS).table(TICKS.events, TICKS.grid)
World: TypeAlias = tuple[fw.BarWorld | fw.TickWorld, tuple[FeatureInfo, ...], Floats]
WORLDS: Final[dict[str, World]] = {
    "bars": (BARS, fw.BAR_ROWS, BAR_TABLE),
    "ticks": (TICKS, fw.TICK_ROWS, TICK_TABLE),
}


@pytest.fixture(params=["bars", "ticks"])
def world(request: pytest.FixtureRequest) -> World:
    return WORLDS[request.param]


def _same(a: Floats, b: Floats) -> None:
    np.testing.assert_array_equal(a.view(np.uint64), b.view(np.uint64))


def test_every_feature_has_an_oracle_and_is_on_one_side() -> None:
    assert set(ORACLES) | set(TICK_ORACLES) == set(CATALOG)
    assert len(fw.BAR_ROWS) + len(fw.TICK_ROWS) == len(CATALOG)


@pytest.mark.parametrize("name", [row.name for row in fw.BAR_ROWS])
def test_bar_features_equal_a_naive_oracle(name: str) -> None:
    column = [row.name for row in fw.BAR_ROWS].index(name)
    for row in (730, 761, len(BARS.grid) - 1):
        now = int(BARS.grid[row])
        expected = ORACLES[name](BARS.until(now), now)
        np.testing.assert_allclose(BAR_TABLE[row, column], expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", [row.name for row in fw.TICK_ROWS])
def test_tick_features_equal_a_naive_oracle(name: str) -> None:
    column = [row.name for row in fw.TICK_ROWS].index(name)
    rows = np.flatnonzero(TICKS.grid >= WARM)[::23]
    found, expected = [], []
    for row in rows:
        found.append(TICK_TABLE[row, column])
        expected.append(TICK_ORACLES[name](replay(TICKS.events, int(TICKS.grid[row]))))
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


def _another_future(events: Events, after: int, rng: np.random.Generator) -> Events:
    """Return events with other prices, quantities and values after a time, and fewer ticks."""
    head, body, value = events.head.copy(), events.body.copy(), events.value.copy()
    late = events.ts_recv > after
    for kind, cells in {
        Kind.BAR: slice(1, 8),
        Kind.FUNDING: slice(0, 1),
        Kind.QUOTE: slice(0, 4),
        Kind.DELTA: slice(2, 3),
        Kind.TRADE: slice(2, 3),
    }.items():
        rows = np.flatnonzero(late & (head[:, 0] == kind))
        factor = rng.uniform(1.1, 3.0, (len(rows), 1))
        if kind in (Kind.BAR, Kind.QUOTE):
            factor = rng.uniform(1.1, 3.0, (len(rows), body[0, cells].size))
        body[rows, cells] = np.rint(body[rows, cells] * factor)
    value[late] *= rng.uniform(1.1, 3.0, int(late.sum()))
    is_tick = np.isin(head[:, 0], [Kind.DELTA, Kind.QUOTE, Kind.TRADE])
    lost = late & is_tick & (events.ts_recv // 50_000_000 % 3 == 0)
    return Events(head, body, value)[~lost]


def test_features_up_to_a_time_ignore_what_comes_after(world: World) -> None:
    tape, rows, table = world
    cut = int(len(tape.grid) * 0.92)
    now = int(tape.grid[cut])
    other_tape = _another_future(tape.events, now, np.random.default_rng(3))
    other = fw.stream(rows).table(other_tape, tape.grid)
    _same(other[: cut + 1], table[: cut + 1])
    reads_nothing = {row.name for row in rows if not row.inputs}
    changed = (other[cut + 1 :] != table[cut + 1 :]).any(axis=0)
    for row, has_changed in zip(rows, changed, strict=True):
        expected = row.name not in reads_nothing | {"hours_to_funding_perp"}
        assert has_changed == expected, row.name


def test_a_batch_gives_the_same_bits_as_a_stream_read_at_any_time(world: World) -> None:
    tape, rows, table = world
    live = fw.stream(rows)
    streamed = np.full_like(table, np.nan)
    recv = tape.events.ts_recv
    empty = np.array([], dtype=np.int64)
    begin = 0
    for index, now in enumerate(tape.grid):
        end = int(np.searchsorted(recv, now, side="right"))
        for stop in range(begin + 1, end + 1, 7):
            live.table(tape.events[begin:stop], empty)
            live.write(int(recv[stop - 1]))
            begin = stop
        live.table(tape.events[begin:end], empty)
        begin = end
        streamed[index] = live.write(int(now))
    _same(streamed, table)


@pytest.mark.parametrize("row", fw.BAR_ROWS, ids=lambda row: row.name)
def test_bar_features_are_nan_until_the_declared_warm_up_and_finite_after(
    row: FeatureInfo,
) -> None:
    """Read at the end of every minute: the first value comes at the declared moment."""
    recv = BARS.events.ts_recv[BARS.events.ts_recv <= BARS.grid[-1]]
    column = fw.stream((row,)).table(BARS.events, recv)[:, 0]
    finite = np.isfinite(column)
    assert finite.any()
    first = int(recv[np.argmax(finite)])
    assert finite[recv >= first].all()
    if row.warm_up_s is not None:
        assert first == _begin(row) + row.warm_up_s * fw.S


def _begin(row: FeatureInfo) -> int:
    """Return when the first input of a feature begins; of several, the last to do so."""
    begins = [int(BARS.events.ts_recv[0])] if not row.inputs else []
    for name in row.inputs:
        if name.startswith("series:"):
            begins.append(int(BARS.series[name.removeprefix("series:")].known[0]))
        else:
            begins.append(fw.T0)
    return max(begins)


def test_tick_features_are_nan_until_the_declared_warm_up_and_finite_after() -> None:
    for row, column in zip(fw.TICK_ROWS, TICK_TABLE.T, strict=True):
        finite = np.isfinite(column)
        first = int(np.argmax(finite))
        assert finite.any(), row.name
        if row.warm_up_s is not None:
            assert TICKS.grid[first] == fw.T0 + row.warm_up_s * fw.S, row.name
        if row.name != "trade_flow_1s":  # a second without a trade has no flow
            assert finite[first:].all(), row.name


def _gap(ts: int, instrument: int) -> Events:
    at = np.array([ts], dtype=np.int64)
    return ev.columns(Kind.GAP, instrument, at, at, [])


def test_a_gap_resets_tick_features_and_leaves_bar_features_alone(world: World) -> None:
    tape, rows, table = world
    cut = int(len(tape.grid) * 0.95)
    now = int(tape.grid[cut])
    known = tape.events[tape.events.ts_recv <= now]
    gaps = [_gap(now, 0), _gap(now, 1)]
    after = fw.stream(rows).table(ev.merge([known, *gaps]), tape.grid[cut : cut + 1])[0]
    assert np.isfinite(table[cut]).all()
    for row, value, before in zip(rows, after, table[cut], strict=True):
        assert np.isnan(value) if row.gap == "reset" else value == before, row.name


def test_missing_bars_are_bridged_and_counted() -> None:
    halt = (BARS.grid[770], BARS.grid[773])
    head = BARS.events.head
    end = head[:, 2] + BARS.events.body[:, 0]
    in_halt = (head[:, 0] == Kind.BAR) & (end > halt[0]) & (end <= halt[1])
    live = fw.stream(fw.BAR_ROWS)
    values = live.table(BARS.events[~in_halt], BARS.grid[-20:])
    assert np.isfinite(values).all()
    assert live.bridged == 2
    assert live.refused == 0


def test_memory_does_not_grow_with_the_tape(world: World) -> None:
    """A tape twice as long leaves as many words, up to what a window holds at that moment."""
    tape, rows, _ = world
    if isinstance(tape, fw.BarWorld):
        longer: fw.BarWorld | fw.TickWorld = fw.bar_world(hours=1_600)
    else:
        longer = fw.tick_world(seconds=180)
    for row in rows:
        words = []
        for some in (tape, longer):
            live = fw.stream((row,))
            live.table(some.events, some.grid)
            words.append(live.state_words)
        slack = 1.5 if row.gap == "reset" else 1.02  # a tick window holds what came in it
        assert words[1] <= words[0] * slack, row.name


def test_a_pickled_stream_goes_on_with_the_same_bits(world: World) -> None:
    tape, rows, table = world
    for share in (0.01, 0.5, 0.93):
        cut = int(len(tape.grid) * share)
        seen = tape.events.ts_recv <= tape.grid[cut]
        live = fw.stream(rows)
        live.table(tape.events[seen], tape.grid[:0])
        copy = pickle.loads(pickle.dumps(live))  # noqa: S301 - made one line above
        _same(copy.table(tape.events[~seen], tape.grid[cut:]), table[cut:])
        assert copy.names == live.names


def test_nothing_is_seen_before_it_is_known(world: World) -> None:
    """One ns before an event is known its features stand as without it."""
    tape, rows, _ = world
    moments: Ints = np.unique(tape.events.ts_recv)[-40:]
    for now in moments:
        known = tape.events[tape.events.ts_recv < now]
        early = fw.stream(rows).table(tape.events, np.array([now - 1]))
        _same(early, fw.stream(rows).table(known, np.array([now - 1])))


def test_a_series_that_the_run_lacks_is_a_column_of_nan() -> None:
    live = fw.stream(fw.BAR_ROWS, series=())
    bars_only = BARS.events[BARS.events.head[:, 0] != Kind.EXTERNAL]
    values = live.table(bars_only, BARS.grid)
    for row, column, full in zip(fw.BAR_ROWS, values.T, BAR_TABLE.T, strict=True):
        if row.series:
            assert np.isnan(column).all(), row.name
        else:
            _same(column.copy(), full.copy())


@pytest.mark.parametrize(
    ("cell", "names"),
    [
        (6, {"trades_ratio_spot_1h_24h", "trade_size_spot_1h_24h"}),
        (
            7,
            {"vpin_spot_24h", "kyle_spot_4h", "kyle_spot_24h"}
            | {f"flow_spot_{n}h" for n in (1, 4, 24)},
        ),
    ],
)
def test_a_count_or_taker_volume_never_recorded_is_missing_not_zero(
    cell: int, names: set[str]
) -> None:
    body = BARS.events.body.copy()
    body[BARS.events.head[:, 0] == Kind.BAR, cell] = ev.NULL
    values = fw.stream(fw.BAR_ROWS).table(
        Events(BARS.events.head, body, BARS.events.value), BARS.grid[-1:]
    )[0]
    missing = {row.name for row, value in zip(fw.BAR_ROWS, values, strict=True) if np.isnan(value)}
    assert missing == names


def test_zero_volume_and_a_still_price_divide_by_nothing() -> None:
    """Undefined ratios are NaN; no feature is ever infinite."""
    body = BARS.events.body.copy()
    is_bar = BARS.events.head[:, 0] == Kind.BAR
    body[is_bar, 1:5] = 4_000_000
    body[is_bar, 5:8] = 0
    tape = Events(BARS.events.head, body, BARS.events.value)
    values = fw.stream(fw.BAR_ROWS).table(tape, BARS.grid)
    assert not np.isinf(values).any()
    last = dict(zip((row.name for row in fw.BAR_ROWS), values[-1], strict=True))
    undefined = {"rsi_perp_14h", "flow_spot_1h", "kyle_spot_24h", "amihud_spot_24h"}
    undefined |= {"bb_position_perp_20h", "volume_z_perp_168h", "jump_ratio_spot_24h"}
    assert all(np.isnan(last[name]) for name in undefined)
    assert {last[name] for name in ("atr_perp_14h", "vol_perp_24h", "roll_spot_24h")} == {0.0}
