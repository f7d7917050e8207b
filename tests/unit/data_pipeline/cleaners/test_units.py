"""Units mistaken: what is told of single rows, of edges and of whole series."""

from __future__ import annotations

import numpy as np

from crypto_quant.data_pipeline.cleaners.findings import Finding, Mend
from crypto_quant.data_pipeline.cleaners.rows import Rows
from tests.unit.data_pipeline.cleaners.made import Columns, bars, found, spoilt

AT = 300


def _units(rows: Rows, *others: Rows) -> list[Finding]:
    return [f for f in found(rows, *others) if f.check == "units"]


def test_a_row_that_may_be_on_either_side_of_an_edge_has_no_mend() -> None:
    def spoil(columns: Columns) -> None:
        volume = columns["volume"]
        volume[AT] = round(np.median(volume) * 1000**0.5)
        volume[AT + 1 : AT + 120] *= 1000

    findings = _units(spoilt(bars(), spoil))
    assert [(f.what, f.row, f.rows, f.mend) for f in findings] == [
        ("volume too high", AT, 1, None),
        ("volume too high", AT + 1, 119, Mend.MASK),
    ]


def test_stretches_count_as_wrong_though_a_series_begins_and_ends_in_one() -> None:
    def spoil(columns: Columns) -> None:
        for first, end in ((0, 60), (200, 290), (540, 600)):
            columns["volume"][first:end] *= 1000

    findings = _units(spoilt(bars(), spoil))
    assert [(f.what, f.row, f.rows) for f in findings] == [
        ("volume too high", 0, 60),
        ("volume too high", 200, 90),
        ("volume too high", 540, 60),
    ]


def test_rows_without_volume_in_a_wrong_stretch_are_not_wrong() -> None:
    def spoil(columns: Columns) -> None:
        columns["volume"][AT : AT + 120] *= 1000
        columns["volume"][AT + 50] = 0

    findings = _units(spoilt(bars(), spoil))
    assert [(f.row, f.rows) for f in findings] == [(AT, 50), (AT + 51, 69)]


def test_a_large_part_on_another_scale_has_no_mend_where_nothing_else_tells() -> None:
    def spoil(columns: Columns) -> None:
        for name in ("open", "high", "low", "close"):
            columns[name][400:] *= 1000

    prices = {f.what: f for f in _units(spoilt(bars(), spoil))}
    assert set(prices) == {f"{name} too high" for name in ("open", "high", "low", "close")}
    assert {(f.row, f.rows, f.mend) for f in prices.values()} == {(400, 200, None)}


def test_bars_of_another_length_tell_which_part_is_wrong() -> None:
    """Two thirds of the rows are wrong, and the mend removes these."""

    def spoil(columns: Columns) -> None:
        for name in ("open", "high", "low", "close"):
            columns[name][:400] *= 1000

    wrong = spoilt(bars(), spoil)
    (found,) = _units(wrong, bars(key="TEST/60m"))
    assert (found.what, found.row, found.rows) == ("prices in another unit", 0, 400)
    assert found.mend is Mend.MASK
    assert "1,000 times those of TEST/60m" in found.reason
