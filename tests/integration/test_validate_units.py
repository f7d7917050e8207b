"""Units mistaken in copies of real bars: the rows to be mended are the wrong ones, no others."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from crypto_quant.data_pipeline.cleaners.checks import CHECKS
from crypto_quant.data_pipeline.cleaners.findings import Severity
from crypto_quant.data_pipeline.cleaners.rows import Rows, Tables
from crypto_quant.data_pipeline.storage import Key

pytestmark = pytest.mark.data

PRICES = ("open", "high", "low", "close")
HOURS, QUARTERS = "BTCUSDT-PERP.BINANCE/1h", "BTCUSDT-PERP.BINANCE/15m"
SPOT = "BTCUSDT.BINANCE/1m"


def _need(tables: Tables, key: str, kind: str = "bar") -> Rows:
    if Key(kind, key) not in tables.all_keys():
        pytest.skip(f"this data has no {kind}/{key}")
    return tables.rows(kind, key)


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


def test_only_repair_of_the_wrong_one_of_two_files(real_tables: Tables) -> None:
    """The longer of two files is the wrong one: the other series of the asset tell."""
    rows = _need(real_tables, HOURS)
    if len(rows.parts) < 2 or not real_tables.same_asset(rows):
        pytest.skip("this data has one file of it, or nothing to hold it against")
    longer = max(rows.parts, key=lambda part: part.rows)
    marked = np.asarray((rows.ts >= longer.start) & (rows.ts <= longer.end))
    copy = _scaled(rows, PRICES, marked, 1000)
    before = _mended(rows, real_tables)
    after = _mended(copy, real_tables.replaced(copy))
    assert after - before == set(np.flatnonzero(marked).tolist()) - before


_WHOLE = [
    ("bar", HOURS, PRICES),
    ("bar", HOURS, ("volume",)),
    ("bar", QUARTERS, PRICES),
    ("bar", QUARTERS, ("volume",)),
    ("bar", SPOT, PRICES),
    ("bar", SPOT, ("volume", "taker_buy")),
    ("bar", "BTCUSDT-PERP.BYBIT/1h", ("volume",)),
    ("bar", "BTC-USDT-SWAP.OKX/5m", ("volume",)),
    ("bar", "BTC-PERP.FTX/1m", ("quote_volume",)),
    ("trade", "BTCUSDT-PERP.BINANCE", ("px",)),
    ("quote", "BTCUSDT.BINANCE", ("bid", "ask")),
    ("mark", "BTCUSDT-PERP.BINANCE", ("mark", "index")),
]


@pytest.mark.parametrize("factor", [1000, 0.001])
@pytest.mark.parametrize(("kind", "key", "names"), _WHOLE)
def test_a_whole_file_in_another_unit_is_found_and_no_other_blamed(
    kind: str, key: str, names: tuple[str, ...], factor: float, real_tables: Tables
) -> None:
    rows = _need(real_tables, key, kind)
    if not real_tables.same_asset(rows):
        pytest.skip("this data has no other series to hold it against")
    copy = _scaled(rows, names, np.ones(len(rows), dtype=bool), factor)
    tables = real_tables.replaced(copy)
    what = "volumes" if "volume" in names[0] else "prices"
    found = [f for f in CHECKS["units"](copy, tables) if f.what == f"{what} in another unit"]
    assert sum(f.rows for f in found) >= 0.99 * len(rows)
    assert {f.mend for f in found} == {None}
    for other in real_tables.same_asset(rows)[:3]:
        blamed = {f.what for f in CHECKS["units"](other, tables)}
        assert not blamed & {f"{what} in another unit", f"{what} apart"}, other.key


@pytest.mark.parametrize("factor", [1000, 0.001, 100])
def test_of_two_series_apart_both_are_named(factor: float, real_tables: Tables) -> None:
    one, two = _need(real_tables, QUARTERS), _need(real_tables, "BTCUSDT-PERP.BYBIT/1h")
    copy = _scaled(one, PRICES, np.ones(len(one), dtype=bool), factor)
    given = {Key("bar", rows.key): rows for rows in (copy, two)}
    tables = Tables(None, real_tables.instruments, given)
    for rows, other, times in ((copy, two, factor), (two, copy, 1 / factor)):
        (found,) = [f for f in CHECKS["units"](rows, tables) if f.what == "prices apart"]
        assert found.severity is Severity.ERROR
        assert (found.row, found.rows, found.mend) == (0, len(rows), None)
        assert f"those of {other.key}: one of the two" in found.reason
        assert float(found.reason.split()[0].replace(",", "")) == pytest.approx(times, rel=0.01)


@pytest.mark.parametrize("name", ["volume", "quote_volume"])
@pytest.mark.parametrize("factor", [1000, 0.001])
def test_turnover_and_trades_tell_where_there_is_no_other_series(
    name: str, factor: float, real_tables: Tables
) -> None:
    rows = _need(real_tables, "ETHUSDT-PERP.BINANCE/1h")
    copy = _scaled(rows, (name,), np.ones(len(rows), dtype=bool), factor)
    tables = Tables(None, real_tables.instruments, {Key("bar", rows.key): copy})
    found = {f.what for f in CHECKS["units"](copy, tables)}
    assert "turnover apart" in found
    assert ("trades of odd size" in found) == (name == "volume")


def test_nothing_real_is_in_another_unit_as_a_whole(real_tables: Tables) -> None:
    for kind, key in real_tables.all_keys():
        found = CHECKS["units"](real_tables.rows(kind, key), real_tables)
        assert not {f.what for f in found if "volume too" not in f.what}, key
