"""Bars to label and learn from: seeded random walks, and real hourly perpetual bars."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from crypto_quant.models.labels import LABELS, Bars, LabelConfig, Labels
from crypto_quant.models.training import ResearchTable

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
    _, first = np.unique(columns[0], return_index=True)
    return Bars._make([*(column[first] for column in columns), HOUR])


class World(NamedTuple):
    """A market with features at each bar's end, to be labelled and learned from."""

    bars: Bars
    table: ResearchTable
    atr: NDArray[np.float64]
    segments: list[tuple[int, int]]

    def labels(self, name: str = "triple_barrier") -> Labels:
        """Label every decision time."""
        make = LABELS[name]
        return make(self.bars, self.table.ts, self.atr, self.segments, LabelConfig())


def planted_world(seed: int = 4, days: int = 160, pull: float = 0.0018) -> World:
    """Return a market whose slow drift is a feature, among noise, a constant and a gap.

    ``pull`` is the standard deviation of the drift, a bar's noise is 0.006.
    """
    rng = np.random.default_rng(seed)
    n = 24 * days
    drift = np.zeros(n)
    for i in range(1, n):
        drift[i] = 0.97 * drift[i - 1] + rng.normal(0.0, pull * np.sqrt(1 - 0.97**2))
    plain = walk_bars(rng, n)
    # The drift of a bar is what was known at its beginning.
    lift = np.exp(np.cumsum(np.concatenate([[0.0], drift[:-1]])))
    before = np.concatenate([[1.0], lift[:-1]])
    bars = Bars(
        plain.ts,
        plain.open * before,
        plain.high * np.maximum(before, lift),
        plain.low * np.minimum(before, lift),
        plain.close * lift,
        HOUR,
    )
    columns = {f"noise_{i}": rng.normal(size=n) for i in range(4)}
    columns |= {"drift": drift, "constant": np.ones(n), "copy": 2.0 * drift}
    columns["gappy"] = np.where(rng.random(n) < 0.5, np.nan, drift)
    table = ResearchTable(bars.ts + HOUR, np.stack([*columns.values()], axis=1), tuple(columns))
    return World(bars, table, mean_range(bars), segments_of(bars))
