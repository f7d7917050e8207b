"""Faults planted in copies of real rows are found, and little else is."""

from __future__ import annotations

import pytest

from crypto_quant.data_pipeline.cleaners.rows import Tables
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


def _others(case: Case, tables: Tables) -> bool:
    rows = tables.rows(case.kind, case.key)
    return bool(tables.same_instrument(rows) if case.check == "zero" else tables.same_asset(rows))
