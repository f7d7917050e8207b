"""A small seeded market for a machine that has no data and no network.

It is made of the same files as a real data folder, so everything downstream is the
same code. Each file carries a label, in its metadata and in a column that outlives a
conversion; the import takes it into the catalog's manifest, and from there it is on every
output, whatever the files are called. The numbers they lead to say nothing about any
market.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from crypto_quant.data_pipeline.storage.manifest import GENERATED

MARKER = ".generated"
"""File that is written last: the folder is a whole generated market."""

LABEL = "not a real market"
"""What the label says: the value of its column in every row, and of its key in the metadata."""

_MINUTE_MS = 60_000
_START_MS = 1_672_531_200_000  # 2023-01-01, an arbitrary Sunday


def generate_market(folder: Path, *, days: int = 210, seed: int = 20_231) -> Path:
    """Write spot minutes, perpetual hours and funding rows of a seeded market.

    Parameters
    ----------
    folder
        Where the files go; made if missing.
    days
        Length in days.
    seed
        Same seed, same bytes.

    Returns
    -------
    Path
        ``folder``; it is whole, or nothing was added to it.
    """
    rng = np.random.default_rng(seed)
    minutes = days * 1440
    path = _sub_minute_path(rng, minutes)
    spot = _spot_bars(rng, path)
    hours = _hourly(path, rng)
    tables = {
        folder / "binance_spot_1m" / "BTCUSDT-spot-1m-generated.parquet": spot,
        folder / "binance_perp" / "BTCUSDT-perp-1h_generated.parquet": hours,
        folder / "binance_perp" / "BTCUSDT-perp-funding-8h_generated.parquet": _funding(rng, days),
    }
    missing = [above for above in (folder, *folder.parents) if not above.exists()]
    try:
        for file, table in tables.items():
            file.parent.mkdir(parents=True, exist_ok=True)
            pq.write_table(labelled(table), file)
        (folder / MARKER).write_text(f"seed {seed}, {days} days\n", "utf-8")
    except BaseException:
        _remove([*tables, folder / MARKER], [*{file.parent for file in tables}, *missing])
        raise
    return folder


def _remove(files: Iterable[Path], folders: Iterable[Path]) -> None:
    """Remove what there is of files, and of folders that are empty then."""
    with contextlib.suppress(OSError):  # a folder that takes no files has none to remove
        for file in files:
            file.unlink(missing_ok=True)
        for folder in folders:
            if folder.is_dir():
                folder.rmdir()


def labelled(table: pa.Table) -> pa.Table:
    """Return a table that says of itself that no market made it."""
    labels = pa.repeat(pa.scalar(LABEL), table.num_rows)
    metadata = {**(table.schema.metadata or {}), GENERATED: LABEL}
    return table.append_column(GENERATED, labels).replace_schema_metadata(metadata)


def _sub_minute_path(rng: np.random.Generator, minutes: int) -> NDArray[np.float64]:
    """Return prices at 4 points a minute, shape (minutes, 5): the last is the next open."""
    steps = minutes * 4
    log_vol = _ou(rng, minutes, half_life=2_880, sd=0.45)
    vol = np.repeat(7e-4 * np.exp(log_vol), 4) / 2.0
    drift = np.repeat(_ou(rng, minutes, half_life=20_160, sd=2e-6), 4) / 4.0
    shocks = rng.standard_t(4, steps) / np.sqrt(2.0)
    log_price = np.log(20_000.0) + np.concatenate([[0.0], np.cumsum(drift + vol * shocks)])
    price = np.round(np.exp(log_price), 2)
    return np.stack([price[i : i + steps : 4] for i in range(4)] + [price[4::4]], axis=1)


def _ou(rng: np.random.Generator, n: int, *, half_life: float, sd: float) -> NDArray[np.float64]:
    """Return a stationary mean-reverting series."""
    decay = 0.5 ** (1.0 / half_life)
    noise = rng.standard_normal(n) * sd * np.sqrt(1.0 - decay**2)
    out = np.empty(n)
    level = rng.standard_normal() * sd
    for i, shock in enumerate(noise):
        level = level * decay + shock
        out[i] = level
    return out


def _spot_bars(rng: np.random.Generator, path: NDArray[np.float64]) -> pa.Table:
    n = len(path)
    move = np.log(path[:, 4] / path[:, 0])
    scale = 1.0 + 600.0 * np.abs(move)
    volume = np.round(rng.lognormal(2.5, 0.8, n) * scale, 5)
    share = 1.0 / (1.0 + np.exp(-(900.0 * move + rng.standard_normal(n) * 0.5)))
    return pa.table(
        {
            "open_time": _START_MS + _MINUTE_MS * np.arange(n, dtype=np.int64),
            "open": path[:, 0],
            "high": path.max(axis=1),
            "low": path.min(axis=1),
            "close": path[:, 4],
            "volume": volume,
            "count": np.maximum(1, (volume * 18.0).astype(np.int64)),
            "taker_buy_volume": np.round(volume * share, 5),
        }
    )


def _hourly(path: NDArray[np.float64], rng: np.random.Generator) -> pa.Table:
    """Return perpetual bars: spot hours moved by a mean-reverting basis, on a 0.1 tick."""
    by_hour = path.reshape(-1, 60, 5)
    hours = len(by_hour)
    basis = 1.0 + _ou(rng, hours + 1, half_life=12, sd=3e-4)
    open_ = np.round(by_hour[:, 0, 0] * basis[:-1], 1)
    close = np.round(by_hour[:, -1, 4] * basis[1:], 1)
    high = np.round(by_hour.max(axis=(1, 2)) * basis[:-1], 1)
    low = np.round(by_hour.min(axis=(1, 2)) * basis[:-1], 1)
    start = np.datetime64(_START_MS, "ms") + np.arange(hours) * np.timedelta64(1, "h")
    return pa.table(
        {
            "timestamp": pa.array(start.astype("datetime64[us]"), pa.timestamp("us")),
            "open": open_,
            "high": np.maximum.reduce([high, open_, close]),
            "low": np.minimum.reduce([low, open_, close]),
            "close": close,
            "volume": np.round(rng.lognormal(8.5, 0.6, hours), 3),
        }
    )


def _funding(rng: np.random.Generator, days: int) -> pa.Table:
    rows = days * 3
    rate = np.round(1e-4 + _ou(rng, rows, half_life=15, sd=1.2e-4), 8)
    start = np.datetime64(_START_MS, "ms") + np.arange(rows) * np.timedelta64(8, "h")
    return pa.table(
        {
            "timestamp": pa.array(start.astype("datetime64[us]"), pa.timestamp("us")),
            "rate": rate,
        }
    )
