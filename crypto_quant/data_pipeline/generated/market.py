"""Months of a made-up market as bars and funding, for a machine without data or network.

The flow that makes the frames is summed over quarters of a minute (``coarse``) and driven by
the same slow series. The files are those of a real data folder, so everything downstream is
the same code. Each carries a label, in its metadata and in a column that outlives a
conversion; the import takes it into the catalog's manifest, and from there it is on every
output, whatever the files are called. The numbers they lead to say nothing about any market.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from crypto_quant import _native
from crypto_quant.core.errors import ConfigError
from crypto_quant.data_pipeline.generated.label import labelled
from crypto_quant.data_pipeline.generated.parameters import load_parameters
from crypto_quant.data_pipeline.generated.recorder import START_NS

MARKER: Final = ".generated"
"""File that is written last: the folder is a whole generated market."""

SPOT_SHARE: Final = 0.25
"""Spot's volume and trades, as a share of the perpetual's: assumed."""

_TICK: Final = 0.1
_MINUTE_MS: Final = 60_000
_START_MS: Final = START_NS // 10**6
_POINTS: Final = 5
_HOUR: Final = 60
_EIGHT_HOURS: Final = 480

Floats = NDArray[np.float64]


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
    parameters = load_parameters()
    try:
        flow: dict[str, Any] = {
            **_native.flow_minutes(parameters["coarse"], parameters["slow"], seed, days * 1440)
        }
    except (ValueError, TypeError, OverflowError) as err:
        raise ConfigError(f"generated market: {err}") from err
    flow["price"] = _prices(flow["path"], parameters["price"] * _TICK)
    tables = {
        folder / "binance_spot_1m" / "BTCUSDT-spot-1m-generated.parquet": _spot(flow),
        folder / "binance_perp" / "BTCUSDT-perp-1h_generated.parquet": _perpetual(flow),
        folder / "binance_perp" / "BTCUSDT-perp-funding-8h_generated.parquet": _funding(flow),
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


def _prices(path: Floats, first: float) -> Floats:
    """Return spot prices on their tick, shape (minutes, 5): the last is the next open."""
    return np.round(first * np.exp(path), 2).reshape(-1, _POINTS)


def _spot(flow: dict[str, Any]) -> pa.Table:
    price, minutes = flow["price"], len(flow["price"])
    volume = np.round(flow["volume"] * SPOT_SHARE, 5)
    return pa.table(
        {
            "open_time": _START_MS + _MINUTE_MS * np.arange(minutes, dtype=np.int64),
            "open": price[:, 0],
            "high": price.max(axis=1),
            "low": price.min(axis=1),
            "close": price[:, -1],
            "volume": volume,
            "count": np.maximum(1, (flow["trades"] * SPOT_SHARE).astype(np.int64)),
            "taker_buy_volume": np.round(volume * flow["bought"], 5),
        }
    )


def _perpetual(flow: dict[str, Any]) -> pa.Table:
    """Return perpetual bars: the prices with their basis, on a 0.1 tick."""
    price = flow["price"] * (1.0 + flow["basis"])[:, None]
    by_hour = np.round(price.reshape(-1, _HOUR * _POINTS), 1)
    return pa.table(
        {
            "timestamp": _times(len(by_hour), _HOUR),
            "open": by_hour[:, 0],
            "high": by_hour.max(axis=1),
            "low": by_hour.min(axis=1),
            "close": by_hour[:, -1],
            "volume": np.round(flow["volume"].reshape(-1, _HOUR).sum(axis=1), 3),
        }
    )


def _funding(flow: dict[str, Any]) -> pa.Table:
    rate = np.round(flow["rate"][::_EIGHT_HOURS], 8)
    return pa.table({"timestamp": _times(len(rate), _EIGHT_HOURS), "rate": rate})


def _times(count: int, minutes: int) -> pa.Array:
    start = np.datetime64(_START_MS, "ms") + np.arange(count) * np.timedelta64(minutes, "m")
    return pa.array(start.astype("datetime64[us]"), pa.timestamp("us"))
