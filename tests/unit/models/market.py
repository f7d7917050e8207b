"""Bars to label and learn from: seeded random walks, and real hourly perpetual bars."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from crypto_quant.models.labels import Bars

HOUR = 3_600_000_000_000
DAY = 24 * HOUR
START = 1_577_836_800_000_000_000  # 2020-01-01 00:00 UTC, a Wednesday


def walk_bars(rng: np.random.Generator, n: int, start: int = START) -> Bars:
    """Return hourly bars of a random walk with 0.6 % a bar."""
    steps = rng.normal(0.0, 0.006, n)
    close = 20_000.0 * np.exp(np.cumsum(steps))
    opened = np.concatenate([[20_000.0], close[:-1]])
    wick = np.abs(rng.normal(0.0, 0.003, (2, n)))
    high = np.maximum(opened, close) * (1 + wick[0])
    low = np.minimum(opened, close) * (1 - wick[1])
    return Bars(start + HOUR * np.arange(n), opened, high, low, close, HOUR)


def mean_range(bars: Bars, window: int = 24) -> NDArray[np.float64]:
    """Return the mean high-low range of the bars that ended by each bar's end; NaN at first."""
    sums = np.cumsum(np.concatenate([[0.0], bars.high - bars.low]))
    out = np.full(len(bars.ts), np.nan)
    out[window - 1 :] = (sums[window:] - sums[:-window]) / window
    return out


def segments_of(bars: Bars) -> list[tuple[int, int]]:
    """Return the stretches without a missing bar."""
    cuts = np.flatnonzero(np.diff(bars.ts) != bars.interval_ns) + 1
    return [(int(p[0]), int(p[-1]) + bars.interval_ns) for p in np.split(bars.ts, cuts)]


def real_bars(data_dir: Path) -> Bars:
    """Return every hourly BTCUSDT perpetual bar that the data holds, in the order of time."""
    parts = []
    for path in sorted((data_dir / "binance_perp").glob("BTCUSDT-perp-1h*.parquet")):
        table = pq.read_table(path)
        if "epoch" in table.column_names:
            ts = table["epoch"].to_numpy() * 1_000_000_000
        else:
            ts = table["timestamp"].to_numpy().astype("datetime64[ns]").astype(np.int64)
        prices = [table[name].to_numpy() for name in ("open", "high", "low", "close")]
        parts.append((ts, *prices))
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    return Bars._make([*columns, HOUR])
