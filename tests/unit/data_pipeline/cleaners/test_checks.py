"""Each check on a made market: silent on it as it is, exact about what was spoilt."""

from __future__ import annotations

import warnings

import numpy as np
import pyarrow as pa
import pytest

from crypto_quant.data_pipeline.cleaners.findings import Mend, Severity
from crypto_quant.data_pipeline.cleaners.rows import Rows, Tables, resampled, runs
from crypto_quant.data_pipeline.storage import flags
from tests.unit.data_pipeline.cleaners.made import (
    HOUR,
    Columns,
    Spoil,
    bars,
    found,
    named,
    of,
    spoilt,
)

AT = 300
MS = 10**6
T0 = 1_700_000_000 * 10**9


def _price(name: str, factor: float) -> Spoil:
    def spoil(columns: Columns) -> None:
        columns[name][AT] = round(columns[name][AT] * factor)
        columns["high"][AT] = max(columns["high"][AT], columns[name][AT])
        columns["low"][AT] = min(columns["low"][AT], columns[name][AT])

    return spoil


def _set(name: str, value: int) -> Spoil:
    def spoil(columns: Columns) -> None:
        columns[name][AT] = value

    return spoil


def _all_prices(columns: Columns) -> None:
    for name in ("open", "high", "low", "close"):
        columns[name][AT] = round(columns[name][AT] * 1.01)


def _copies(columns: Columns) -> None:
    for name in ("open", "high", "low", "close", "volume"):
        columns[name][AT : AT + 3] = columns[name][AT]


def _hole(columns: Columns) -> None:
    for name, values in columns.items():
        columns[name] = np.delete(values, (AT, AT + 1))


def _again(change: int) -> Spoil:
    def spoil(columns: Columns) -> None:
        for name, values in columns.items():
            more = values[AT] + (change if name == "volume" else 0)
            columns[name] = np.insert(values, AT + 1, more)

    return spoil


def _volumes(columns: Columns) -> None:
    columns["volume"][AT : AT + 120] *= 1000


def _swapped(columns: Columns) -> None:
    event, recv = columns["ts_event"], columns["ts_recv"]
    event[AT], recv[AT] = recv[AT].copy(), event[AT].copy()


def _exchanged(columns: Columns) -> None:
    for name in ("open", "high", "low", "close", "volume"):
        columns[name][[AT, AT + 1]] = columns[name][[AT + 1, AT]]


def test_a_clean_market_has_no_findings() -> None:
    assert named(found(bars())) == set()


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (_price("close", 1.03), ("prints", "close off", AT, 1)),
        (_price("close", 0.97), ("prints", "close off", AT, 1)),
        (_price("open", 1.03), ("prints", "open off", AT, 1)),
        (_all_prices, ("prints", "bar off", AT, 1)),
        (_copies, ("stale", "copied bars", AT + 1, 2)),
        (_hole, ("gaps", "hole", AT, 0)),
        (_again(0), ("duplicates", "repeated", AT + 1, 1)),
        (_again(5), ("duplicates", "two values", AT + 1, 1)),
        (_volumes, ("units", "volume too high", AT, 120)),
        (_price("close", 1000), ("units", "close too high", AT, 1)),
        (_swapped, ("clock", "swapped times", AT, 1)),
        (_exchanged, ("order", "neighbours exchanged", AT, 2)),
        (_set("high", 1), ("impossible", "high too low", AT, 1)),
        (_set("low", 10**9), ("impossible", "low too high", AT, 1)),
        (_set("low", 0), ("impossible", "price not positive", AT, 1)),
        (_set("volume", -1), ("impossible", "negative volume", AT, 1)),
        (_set("volume", 0), ("zero", "moved without volume", AT, 1)),
        (_set("ts_recv", AT * HOUR + HOUR - 1), ("clock", "known too early", AT, 1)),
    ],
)
def test_a_spoilt_row_is_found_where_it_is(
    spoil: Spoil, expected: tuple[str, str, int, int]
) -> None:
    assert expected in named(found(spoilt(bars(), spoil)))


def _funding(late: int, change: int) -> Rows:
    """Return 100 settlements whose stamps jitter, one of them twice, ``late`` ns apart."""
    rng = np.random.default_rng(3)
    ts = 8 * HOUR * np.arange(1, 101) + rng.integers(0, 20_000_000, 100)
    ts = np.insert(ts, 50, ts[49] + late)
    rate = np.insert(rng.integers(-9_000, 10_000, 100), 50, 0)
    rate[50] = rate[49] + change
    columns = {"ts_event": ts, "ts_recv": ts, "rate": rate, "interval_h": np.full(101, 8)}
    return of("funding", "TEST", {**columns, "flags": np.full(101, 4)}, 8 * HOUR)


@pytest.mark.parametrize("late", [0, 7_000_000])
@pytest.mark.parametrize(("change", "what"), [(0, "repeated"), (1, "two values")])
def test_a_settlement_is_the_same_within_its_scheduled_minute(
    late: int, change: int, what: str
) -> None:
    findings = named(found(_funding(late, change)))
    assert ("duplicates", what, 50, 1) in findings
    assert not any(name == "duplicates" for name, *_ in named(found(_funding(4 * HOUR, 0))))


def test_a_crash_that_goes_from_bar_to_bar_is_left_alone() -> None:
    """Down 40 % in three hours and half of it back, every bar opening at the close before."""

    def crash(columns: Columns) -> None:
        level = np.ones(columns["close"].size)
        level[AT:] = 0.8
        level[AT + 1 :] = 0.65
        level[AT + 2 :] = 0.6
        level[AT + 3 :] = 0.8
        close = np.round(columns["close"] * level).astype(np.int64)
        columns["close"] = close
        columns["open"][1:] = close[:-1]
        columns["high"] = np.maximum(columns["open"], close) + 50
        columns["low"] = np.minimum(columns["open"], close) - 50

    assert named(found(spoilt(bars(), crash))) == set()


def test_a_level_that_does_not_come_back_is_a_jump_and_has_no_repair() -> None:
    def jump(columns: Columns) -> None:
        for name in ("open", "high", "low", "close"):
            columns[name][AT:] = np.round(columns[name][AT:] * 1.05).astype(np.int64)

    (finding,) = [f for f in found(spoilt(bars(), jump)) if f.check == "prints"]
    assert (finding.what, finding.row, finding.mend) == ("jump between bars", AT, None)


def test_zero_volume_is_a_filler_only_where_other_bars_have_volume() -> None:
    hours = bars()

    def flat(columns: Columns) -> None:
        for name in ("open", "high", "low", "close"):
            columns[name][AT] = columns["close"][AT - 1]
        columns["volume"][AT] = 0

    days = resampled(hours, 24 * HOUR)
    columns = {
        "ts_event": days.ts,
        "ts_recv": days.ts + 24 * HOUR,
        "flags": np.full(days.ts.size, 4),
        "volume": np.round(days.volume * 1000).astype(np.int64),
    }
    for name in ("open", "high", "low", "close"):
        columns[name] = np.round(getattr(days, name) * 100).astype(np.int64)
    daily = of("bar", "TEST/1d", columns, 24 * HOUR)
    spoiled = spoilt(hours, flat)
    alone = [f for f in found(spoiled) if f.check == "zero"]
    beside = [f for f in found(spoiled, daily) if f.check == "zero"]
    assert [(f.what, f.severity) for f in alone] == [("no trade or filler", Severity.NOTE)]
    assert [(f.what, f.mend) for f in beside] == [("filler", Mend.MASK)]


def test_a_volume_that_is_missing_is_noted_and_is_no_zero() -> None:
    rows = bars()
    hollow = np.zeros(len(rows), dtype=bool)
    hollow[[AT, AT + 1, AT + 9]] = True
    at = rows.table.column_names.index("volume")
    volume = pa.array(rows.ints("volume"), mask=hollow)
    table = rows.table.set_column(at, rows.table.schema.field(at), volume)
    findings = found(Rows(rows.kind, rows.key, rows.interval, rows.exps, table))
    notes = [(f.what, f.severity, f.row, f.rows) for f in findings if f.check == "zero"]
    assert notes == [
        ("volume missing", Severity.NOTE, AT, 2),
        ("volume missing", Severity.NOTE, AT + 9, 1),
    ]
    assert not any(f.is_open for f in findings)


def test_a_price_that_is_not_positive_has_no_logarithm_to_look_at() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        findings = named(found(spoilt(bars(), _set("close", -100))))
    assert ("impossible", "price not positive", AT, 1) in findings


def _daily(values: np.ndarray, ts: np.ndarray) -> Rows:
    day = 24 * HOUR
    return of(
        "series",
        "made_1d",
        {"ts_event": ts, "ts_recv": ts + day, "value": values.astype(np.float64)},
        day,
    )


@pytest.mark.parametrize(("ahead", "is_found"), [(0, False), (1, True), (-1, False)])
def test_a_daily_value_made_of_the_next_day_is_look_ahead(ahead: int, is_found: bool) -> None:
    from crypto_quant.venues.rules import load_instruments

    hourly = bars(24 * 400, key="BTCUSDT-PERP.BINANCE/1h")
    days = resampled(hourly, 24 * HOUR)
    series = _daily(np.roll(days.close, -ahead)[2:-2], days.ts[2:-2])
    tables = Tables(None, load_instruments(), {})
    from crypto_quant.data_pipeline.cleaners.checks import CHECKS

    both = tables.replaced(hourly).replaced(series)
    what = [f.what for f in CHECKS["lookahead"](series, both)]
    assert what == (["knows the next period"] if is_found else [])


def test_crossed_quotes_and_trades_off_the_market_are_found() -> None:
    size = 200
    ts = np.arange(size, dtype=np.int64) * 10**7
    bid = 10_000 + np.arange(size) % 3
    quote = {
        "ts_event": ts,
        "ts_recv": ts + 10**6,
        "bid": bid,
        "ask": bid + 1,
        "bid_qty": np.full(size, 5),
        "ask_qty": np.full(size, 5),
        "flags": np.zeros(size, dtype=np.int64),
    }
    quote["bid"] = quote["bid"].copy()
    quote["bid"][50] = quote["ask"][50]
    assert named(found(of("quote", "T", quote, None))) == {("crossed", "bid not below ask", 50, 1)}
    trade = {
        "ts_event": ts,
        "ts_recv": ts + 10**6,
        "id": np.arange(size),
        "px": bid.copy(),
        "qty": np.full(size, 2),
        "side": np.ones(size, dtype=np.int64),
        "flags": np.zeros(size, dtype=np.int64),
    }
    trade["px"][60] = 10_150
    trade["px"][90], trade["flags"][90] = 10_150, flags.NOT_MARKET
    trade["id"] = np.r_[np.arange(100), np.arange(103, size + 3)]
    assert named(found(of("trade", "T", trade, None))) == {
        ("prints", "px off", 60, 1),
        ("sequence", "skips", 100, 1),
    }


def test_venue_time_that_goes_back_far_is_an_error_and_a_little_a_note() -> None:
    ts = T0 + np.arange(200, dtype=np.int64) * 100 * MS
    trade = {
        "ts_event": ts,
        "ts_recv": ts + 5 * MS,
        "id": np.arange(200, dtype=np.int64),
        "px": np.full(200, 10_000, dtype=np.int64),
        "qty": np.full(200, 5, dtype=np.int64),
        "side": np.ones(200, dtype=np.int64),
        "flags": np.zeros(200, dtype=np.int64),
    }
    assert [f for f in found(of("trade", "TEST", trade, None)) if f.check == "order"] == []
    trade["ts_event"] = ts.copy()
    trade["ts_event"][50] += 300 * MS
    trade["ts_event"][90] += 5_000 * MS
    order = [f for f in found(of("trade", "TEST", trade, None)) if f.check == "order"]
    assert [(f.what, f.severity, f.row, f.value) for f in order] == [
        ("venue time goes back", Severity.NOTE, 51, "by up to 200.000 ms"),
        ("venue time goes back far", Severity.ERROR, 91, "by 4,900.000 ms"),
    ]
    assert "before row 90 (id 90)" in order[1].reason


def test_runs_are_first_and_count() -> None:
    mask = np.array([True, True, False, True, False, False, True])
    assert runs(mask) == [(0, 2), (3, 1), (6, 1)]
    assert runs(np.zeros(3, dtype=bool)) == []
