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
from tests.integration.planted import BARS, TICKS, Case
from tests.integration.planting import fits, measure, measure_alone

pytestmark = pytest.mark.data


CASES = [*BARS, *TICKS]
each_case = pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c.name} in {c.key}")


@each_case
def test_planted_faults_are_found_and_good_rows_stay(case: Case, real_tables: Tables) -> None:
    _need(case, real_tables)
    score = measure(case, real_tables)
    assert score.planted == case.faults
    assert score.recall >= case.recall, score
    assert score.precision >= case.precision, score
    assert score.removed == 0, score


@each_case
def test_a_single_fault_is_found(case: Case, real_tables: Tables) -> None:
    """Explanations hold for few rows: a fault must not pass because it is the only one."""
    _need(case, real_tables)
    assert measure_alone(case, real_tables) >= case.alone


def test_every_case_asks_for_something() -> None:
    for case in CASES:
        assert min(case.recall, case.precision, case.alone) > 0, case


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


def _need(case: Case, tables: Tables) -> None:
    """Skip where other data stands in, without the series or what it is held against."""
    if Key(case.kind, case.key) not in tables.all_keys():
        pytest.skip(f"this data has no {case.kind}/{case.key}")
    rows = tables.rows(case.kind, case.key)
    if not fits(case, rows):
        pytest.skip(f"this data has too few rows of {case.kind}/{case.key}")
    others = {
        "shift": tables.same_asset,
        "wicks": tables.same_asset,
        "zero": tables.same_instrument,
        "agreement": tables.same_instrument,
    }
    if case.check in others and not others[case.check](rows):
        pytest.skip("this data has no other series to hold it against")
