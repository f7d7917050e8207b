"""Units mistaken in copies of real bars: the rows to be mended are the wrong ones, no others."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from crypto_quant.data_pipeline.cleaners.checks import CHECKS
from crypto_quant.data_pipeline.cleaners.rows import Rows, Tables
from crypto_quant.data_pipeline.storage import Key

pytestmark = pytest.mark.data

PRICES = ("open", "high", "low", "close")
HOURS, QUARTERS = "BTCUSDT-PERP.BINANCE/1h", "BTCUSDT-PERP.BINANCE/15m"


def _need(tables: Tables, key: str) -> Rows:
    if Key("bar", key) not in tables.all_keys():
        pytest.skip(f"this data has no bar/{key}")
    return tables.rows("bar", key)


def _scaled(rows: Rows, names: tuple[str, ...], at: NDArray[np.bool_], factor: float) -> Rows:
    """Return a copy in which some rows' values are in another unit."""
    table = rows.table
    for name in names:
        values = rows.ints(name)
        changed = np.where(at, np.round(values * factor), values).astype(np.int64)
        column = pa.array(changed, mask=~rows.known(name))
        table = table.set_column(table.schema.get_field_index(name), name, column)
    return Rows(rows.kind, rows.key, rows.interval, rows.exps, table, rows.parts)


def _mended(rows: Rows, tables: Tables) -> set[int]:
    found = [f for f in CHECKS["units"](rows, tables) if f.mend is not None]
    return {row for f in found for row in range(f.row, f.row + f.rows)}


def _stretches(rows: Rows, count: int, length: int) -> NDArray[np.bool_]:
    """Choose stretches at seeded places, where there was trade in every bar."""
    rng = np.random.default_rng([9, length])
    marked = np.zeros(len(rows), dtype=bool)
    pool = np.arange(1_000, len(rows) - 1_000, 3 * length + 400)
    for row in rng.choice(pool, count, replace=False):
        marked[row : row + length] = True
    return np.asarray(marked & (rows.ints("volume") > 0))


@pytest.mark.parametrize("factor", [1000, 0.001, 100])
@pytest.mark.parametrize("length", [20, 24, 30, 47, 49, 200, 2_000])
@pytest.mark.parametrize("key", [HOURS, QUARTERS])
def test_a_mend_of_prices_removes_the_wrong_rows_and_no_others(
    key: str, length: int, factor: float, real_tables: Tables
) -> None:
    rows = _need(real_tables, key)
    marked = _stretches(rows, 5, length)
    copy = _scaled(rows, PRICES, marked, factor)
    before = _mended(rows, real_tables)
    after = _mended(copy, real_tables.replaced(copy))
    assert after - before == set(np.flatnonzero(marked).tolist()) - before


@pytest.mark.parametrize("factor", [1000, 0.001])
@pytest.mark.parametrize("length", [30, 200, 2_000])
@pytest.mark.parametrize("key", [HOURS, QUARTERS])
def test_a_mend_of_volumes_removes_no_good_row(
    key: str, length: int, factor: float, real_tables: Tables
) -> None:
    """Rows of which the volume alone does not tell are left to whoever reads the report."""
    rows = _need(real_tables, key)
    marked = _stretches(rows, 5, length)
    copy = _scaled(rows, ("volume",), marked, factor)
    tables = real_tables.replaced(copy)
    before = _mended(rows, real_tables)
    after = _mended(copy, tables) - before
    wrong = set(np.flatnonzero(marked).tolist())
    assert after <= wrong
    assert len(after) >= 0.99 * len(wrong - before)
    found = {row for f in CHECKS["units"](copy, tables) for row in range(f.row, f.row + f.rows)}
    assert wrong <= found
