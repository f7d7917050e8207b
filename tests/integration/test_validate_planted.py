"""Faults planted in copies of real rows are found, and little else is."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from crypto_quant.data_pipeline.cleaners.checks import CHECKS
from crypto_quant.data_pipeline.cleaners.findings import Severity
from crypto_quant.data_pipeline.cleaners.rows import Rows, Tables
from crypto_quant.data_pipeline.cleaners.validator import DataValidator
from crypto_quant.data_pipeline.storage import Key
from tests.integration.planting import BARS, TICKS, Case, measure

pytestmark = pytest.mark.data


@pytest.mark.parametrize("case", [*BARS, *TICKS], ids=lambda case: f"{case.name} in {case.key}")
def test_planted_faults_are_found(case: Case, real_tables: Tables) -> None:
    if Key(case.kind, case.key) not in real_tables.all_keys():
        pytest.skip(f"this data has no {case.kind}/{case.key}")
    if case.check in ("shift", "wicks", "zero") and not _others(case, real_tables):
        pytest.skip("this data has no other series to hold it against")
    score = measure(case, real_tables)
    assert score.planted >= min(case.faults, 1)
    assert score.recall >= case.recall, score
    assert score.precision >= case.precision, score


@pytest.mark.parametrize("key", ["btc_price_mcap_1d", "btc_daily_panel_1d"])
def test_a_daily_price_stamped_a_day_early_is_look_ahead(key: str, real_tables: Tables) -> None:
    if Key("series", key) not in real_tables.all_keys():
        pytest.skip(f"this data has no series/{key}")
    rows = real_tables.rows("series", key)
    table = rows.table
    for name in rows.names:
        values = pa.array(np.roll(rows.floats(name), -1), from_pandas=True)
        table = table.set_column(table.schema.get_field_index(name), name, values)
    early = Rows(rows.kind, rows.key, rows.interval, rows.exps, table)
    tables = real_tables.replaced(early)
    names = {f.value.split(":")[0] for f in CHECKS["lookahead"](early, tables)}
    assert names & {"close", "price"}
    assert list(CHECKS["lookahead"](rows, real_tables)) == []


def test_explanations_do_not_swallow_planted_faults(real_tables: Tables) -> None:
    """The table that explains the real rows must leave a bad print and a unit error open."""
    key = "BTCUSDT-PERP.BINANCE/1h"
    if Key("bar", key) not in real_tables.all_keys():
        pytest.skip(f"this data has no bar/{key}")
    rows = real_tables.rows("bar", key)
    if len(rows) < 4_000:
        pytest.skip("too few rows beyond the contract's first weeks")
    table, at = rows.table, np.arange(1_000, len(rows) - 500, 97)
    close, volume = rows.ints("close").copy(), rows.ints("volume").copy()
    close[at[::2]] = np.round(close[at[::2]] * 1.01).astype(np.int64)
    volume[at[1::2]] *= 1_000
    high = np.maximum(rows.ints("high"), close)
    for name, values in (("close", close), ("high", high), ("volume", volume)):
        table = table.set_column(table.schema.get_field_index(name), name, pa.array(values))
    copy = Rows(rows.kind, rows.key, rows.interval, rows.exps, table, rows.parts)
    found = DataValidator(real_tables.replaced(copy)).validate([Key("bar", key)])
    is_open = {f.row for f in found if f.is_open and f.check in ("prints", "units")}
    assert len(set(at.tolist()) & is_open) >= 0.95 * at.size


@pytest.mark.parametrize("key", ["BTCUSDT.BINANCE/1m", "BTCUSDT-PERP.BINANCE/1h"])
def test_a_hole_of_fifteen_days_within_a_file_is_not_explained(
    key: str, real_tables: Tables
) -> None:
    """Neither as a halt of the venue nor as two source files that do not meet."""
    if Key("bar", key) not in real_tables.all_keys():
        pytest.skip(f"this data has no bar/{key}")
    rows = real_tables.rows("bar", key)
    ts, day = rows.ts, 86_400 * 10**9
    first = int(ts[np.searchsorted(ts, rows.parts[0].start + 20 * day)])
    if rows.parts[0].end < first + 20 * day:
        pytest.skip("the first file is too short for the hole")
    table = rows.table.filter(pa.array((ts < first) | (ts >= first + 15 * day)))
    copy = Rows(rows.kind, rows.key, rows.interval, rows.exps, table, rows.parts)
    checks = {"gaps": CHECKS["gaps"]}
    there, found = (
        DataValidator(tables, checks).validate([Key("bar", key)])
        for tables in (real_tables, real_tables.replaced(copy))
    )
    known = {f.ts for f in there}
    after = int(copy.ts[np.searchsorted(copy.ts, first)])
    new = [(f.ts, f.severity) for f in found if f.is_open and f.ts not in known]
    assert new == [(after, Severity.WARNING)]


def _others(case: Case, tables: Tables) -> bool:
    rows = tables.rows(case.kind, case.key)
    return bool(tables.same_instrument(rows) if case.check == "zero" else tables.same_asset(rows))
