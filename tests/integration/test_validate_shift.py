"""Stretches of real bars that are stamped a row off, by their length."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from crypto_quant.data_pipeline.cleaners.checks import CHECKS
from crypto_quant.data_pipeline.cleaners.rows import Rows, Tables
from crypto_quant.data_pipeline.storage import Key

pytestmark = pytest.mark.data

HOURS, QUARTERS = "BTCUSDT-PERP.BINANCE/1h", "BTCUSDT-PERP.BINANCE/15m"
FIVES, ETHER = "BTCUSDT-PERP.BINANCE/5m", "ETHUSDT-PERP.BINANCE/1h"
FAULTS = 40


def _need(tables: Tables, key: str) -> Rows:
    if Key("bar", key) not in tables.all_keys():
        pytest.skip(f"this data has no bar/{key}")
    rows = tables.rows("bar", key)
    if len(rows) < 600 * FAULTS:
        pytest.skip(f"bar/{key} is too short here")
    return rows


def _moved(rows: Rows, at: NDArray[np.int64], by: NDArray[np.int64], length: int) -> Rows:
    """Return a copy in which stretches from ``at`` on hold the values of ``by`` rows before."""
    take = np.arange(len(rows))
    for row, lag in zip(at, by, strict=True):
        take[row : row + length] -= lag
    table = rows.table.take(pa.array(take))
    for name in ("ts_event", "ts_recv"):
        table = table.set_column(table.schema.get_field_index(name), name, rows.table.column(name))
    return Rows(rows.kind, rows.key, rows.interval, rows.exps, table, rows.parts)


@pytest.mark.parametrize(
    ("key", "length", "least"),
    [
        (HOURS, 18, 30),
        (HOURS, 24, 38),
        (HOURS, 48, 40),
        (HOURS, 96, 40),
        (HOURS, 300, 40),
        (QUARTERS, 24, 38),
        (QUARTERS, 48, 40),
        (QUARTERS, 96, 40),
        (FIVES, 24, 36),
        (FIVES, 48, 40),
        (ETHER, 48, 34),
        (ETHER, 96, 38),
    ],
)
def test_a_stretch_stamped_one_or_two_rows_off_is_found_where_it_is(
    key: str, length: int, least: int, real_tables: Tables
) -> None:
    rows = _need(real_tables, key)
    if key != ETHER and not real_tables.same_asset(rows):
        pytest.skip("this data has no other series to hold it against")
    rng = np.random.default_rng(length)
    at = np.sort(rng.choice(np.arange(500, len(rows) - 500, 500), FAULTS, replace=False))
    by = rng.choice((-2, -1, 1, 2), FAULTS)
    copy = _moved(rows, at, by, length)
    found = list(CHECKS["shift"](copy, real_tables.replaced(copy)))
    hits = 0
    for row, lag in zip(at, by, strict=True):
        there = [f for f in found if f.row < row + length and row < f.row + f.rows]
        same = [f for f in there if f.value == f"{lag:+d} rows"]
        near = 8 if key == ETHER else 5
        hits += any(
            abs(f.row - row) <= near and abs(f.row + f.rows - row - length) <= near for f in same
        )
        found = [f for f in found if f not in there]
    assert hits >= least
    assert found == []


def test_no_real_series_is_stamped_off(real_tables: Tables) -> None:
    for kind, key in real_tables.all_keys():
        assert list(CHECKS["shift"](real_tables.rows(kind, key), real_tables)) == [], key
