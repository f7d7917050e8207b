"""The bar world of the real files: the newest stretch without a hole."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from crypto_quant.feature_engineering import events as ev
from crypto_quant.feature_engineering.events import Events, Floats, Ints
from tests.conformance.feature_worlds import (
    DAY,
    HOUR,
    MINUTE,
    PRICE_EXP,
    QTY_EXP,
    SERIES,
    Bars,
    BarWorld,
    Points,
)

_SERIES_FOLDERS: Final = ("alternative", "onchain", "options", "coinglass")


def times(column: pa.ChunkedArray) -> Ints:
    """Return ns UTC of a column of dates, timestamps or milliseconds."""
    if pa.types.is_integer(column.type):
        return np.asarray(column, dtype=np.int64) * 10**6
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        column = pc.strptime(column.cast(pa.string()), format="%Y-%m-%d %H:%M:%S", unit="s")
    zoneless = column.cast(pa.timestamp("ns"), safe=False)
    return np.asarray(zoneless.cast(pa.int64()), dtype=np.int64)


def perp_files(data_dir: Path) -> list[Path]:
    return sorted((data_dir / "binance_perp").glob("BTCUSDT-perp-1h*.parquet"))


def bars_of(table: pa.Table, stamp: str, index: int, interval: int) -> tuple[Bars, Events]:
    """Return the bars of a table on the test grid, as floats and as events."""
    begin = times(table[stamp])
    scale = (10**PRICE_EXP, 10**QTY_EXP)

    def whole(name: str, unit: int) -> Ints:
        return np.rint(np.asarray(table[name], dtype=np.float64) * unit).astype(np.int64)

    prices = np.stack([whole(name, scale[0]) for name in ("open", "high", "low", "close")], axis=1)
    volume = whole("volume", scale[1])
    has_flow = "taker_buy_volume" in table.column_names
    count = whole("count", 1) if has_flow else np.full(len(begin), ev.NULL)
    taker_buy = whole("taker_buy_volume", scale[1]) if has_flow else np.full(len(begin), ev.NULL)
    tape = ev.bars(index, interval, begin, prices, volume, count, taker_buy)
    floats = [column / scale[0] for column in prices.T[1:]]
    floats += [volume / scale[1], count.astype(np.float64), taker_buy / scale[1]]
    return Bars(begin + interval, *floats), tape


def _rows_between(table: pa.Table, stamp: str, begin: int, end: int) -> pa.Table:
    ts = times(table[stamp])
    return table.filter(pa.array((ts >= begin) & (ts < end)))


def _whole_hours(perp: Ints, spot: Ints) -> Ints:
    """Return the begins of hours with a perpetual bar and sixty spot minutes."""
    full, count = np.unique(spot // HOUR, return_counts=True)
    return np.intersect1d(perp // HOUR, full[count == 60]) * HOUR


def _newest_run(hours: Ints, length: int) -> tuple[int, int]:
    """Return begin and end of the newest ``length`` hours in a row."""
    starts = np.flatnonzero(np.concatenate([[True], np.diff(hours) != HOUR]))
    for first, stop in reversed(list(zip(starts, [*starts[1:], len(hours)], strict=True))):
        if stop - first >= length:
            end = int(hours[stop - 1]) + HOUR
            return end - length * HOUR, end
    raise AssertionError(f"no {length} hours without a hole")


def _funding(data_dir: Path, begin: int, end: int) -> tuple[Points, Events]:
    points = []
    for path in sorted((data_dir / "binance_perp").glob("BTCUSDT-perp-funding-8h*.parquet")):
        table = pq.read_table(path)
        rate = "rate" if "rate" in table.column_names else "funding_rate"
        points.append((times(table["timestamp"]), np.asarray(table[rate], dtype=np.float64)))
    ts = np.concatenate([times_ for times_, _ in points])
    rate_units = np.rint(np.concatenate([rates for _, rates in points]) * 10**8).astype(np.int64)
    inside = (ts >= begin) & (ts < end)
    ts, rate_units = ts[inside], rate_units[inside]
    return Points(ts, ts, rate_units / 10**8), ev.funding(0, ts, ts, rate_units, 8)


def _series(data_dir: Path, name: str, end: int) -> Points | None:
    """Return a daily series known half a day after its day, or nothing if there is no file."""
    dataset, column = name.split(".")
    stem = dataset.removesuffix("_1d")
    found = [p for f in _SERIES_FOLDERS for p in sorted((data_dir / f).glob(f"{stem}*.parquet"))]
    found = [path for path in found if "4h" not in path.name]
    for path in found:
        table = pq.read_table(path)
        stamp = next(c for c in ("date", "Date", "time", "timestamp") if c in table.schema.names)
        if column not in table.column_names:
            continue
        value: Floats = np.asarray(table[column].cast(pa.float64()).to_numpy())
        period = times(table[stamp])
        keep = ~np.isnan(value) & (period + DAY + DAY // 2 <= end)
        return Points(period[keep], (period + DAY + DAY // 2)[keep], value[keep])
    return None


def real_world(data_dir: Path, hours: int) -> BarWorld:
    """Return the newest ``hours`` without a hole, with what series there are."""
    frames = [pq.read_table(path) for path in perp_files(data_dir)]
    columns = ["timestamp", "open", "high", "low", "close", "volume"]
    stamps = [times(frame["timestamp"]) for frame in frames]
    newest = frames[int(np.argmax([ts[-1] for ts in stamps]))].select(columns)
    spot_files = sorted((data_dir / "binance_spot_1m").glob("BTCUSDT-spot-1m-*.parquet"))
    spot_table = pa.concat_tables([pq.read_table(path) for path in spot_files[-2:]])
    whole = _whole_hours(times(newest["timestamp"]), times(spot_table["open_time"]))
    begin, end = _newest_run(whole, hours)
    perp, perp_tape = bars_of(_rows_between(newest, "timestamp", begin, end), "timestamp", 0, HOUR)
    minutes = _rows_between(spot_table, "open_time", begin, end)
    spot, spot_tape = bars_of(minutes, "open_time", 1, MINUTE)
    funding, funding_tape = _funding(data_dir, begin, end)
    tapes, series = [perp_tape, spot_tape, funding_tape], {}
    for index, name in enumerate(SERIES):
        points = _series(data_dir, name, end)
        if points is not None and len(points.value):
            series[name] = points
            tapes.append(ev.external(index, points.period, points.known, points.value))
    grid = np.arange(begin + HOUR, end + 1, HOUR, dtype=np.int64)
    return BarWorld(perp, spot, funding, series, ev.merge(tapes), grid)
