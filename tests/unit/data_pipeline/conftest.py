"""Small tables and files in the layouts that are imported."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from crypto_quant.data_pipeline.storage import KINDS, Catalog

HOUR = 3_600 * 10**9
BarMaker = Callable[..., pa.Table]


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    """Return a catalog that does not exist yet."""
    return Catalog(tmp_path / "catalog")


@pytest.fixture
def hourly() -> BarMaker:
    """Return a maker of hourly bars of one price from hour ``first`` to before ``last``."""

    def make(first: int, last: int, price: int = 5) -> pa.Table:
        rows = last - first
        times = [hour * HOUR for hour in range(first, last)]
        columns: dict[str, list[int] | list[None]] = {
            "ts_event": times,
            "ts_recv": [ts + HOUR for ts in times],
            **{name: [price] * rows for name in ("open", "high", "low", "close", "volume")},
            **{name: [None] * rows for name in ("quote_volume", "count", "taker_buy")},
            "flags": [4] * rows,
        }
        return pa.table(columns, schema=KINDS["bar"].schema())

    return make
