"""Attribution adds up to the last digit, and says so when it does not."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pyarrow as pa
import pytest

from crypto_quant.backtesting.metrics.attribution import attribute
from crypto_quant.backtesting.metrics.result import RunResult
from crypto_quant.backtesting.metrics.schema import COMPONENTS


def moved(run: RunResult, name: str, row: int, by: str) -> RunResult:
    values = run.equity[name].to_pylist()
    values[row] += Decimal(by)
    at = run.equity.column_names.index(name)
    column = pa.array(values, type=run.equity[name].type)
    return replace(run, equity=run.equity.set_column(at, name, column))


def test_attribution_equals_decimal_sums(run: RunResult) -> None:
    found = attribute(run)
    assert found.exact
    for book in found.books:
        read = {n: run.equity[f"{book.book}/{n}"].to_pylist() for n in ("equity", *COMPONENTS)}
        assert book.start == read["equity"][0]
        assert book.end == read["equity"][-1]
        assert book.components == {n: read[n][-1] for n in COMPONENTS}
        assert book.start + book.flow + sum(book.components.values()) == book.end


@pytest.mark.parametrize("name", ["carry/funding", "model/equity", "portfolio/fees"])
def test_attribution_last_digit_off_is_not_exact(run: RunResult, name: str) -> None:
    found = attribute(moved(run, name, run.equity.num_rows - 1, "0.00000001"))
    assert not found.exact
    book = next(b for b in found.books if b.book == name.split("/")[0])
    assert abs(book.residual) == Decimal("0.00000001")


def test_attribution_one_hour_off_is_seen_though_the_end_agrees(run: RunResult) -> None:
    found = attribute(moved(run, "model/impact", 100, "-0.5"))
    book = next(b for b in found.books if b.book == "model")
    assert book.residual == 0
    assert book.worst == Decimal("0.5")
    assert not found.exact


def test_attribution_sleeves_not_adding_up_is_not_exact(run: RunResult) -> None:
    last = run.equity.num_rows - 1
    shifted = moved(moved(run, "carry/price", last, "2"), "carry/equity", last, "2")
    found = attribute(shifted)
    assert all(book.residual == 0 for book in found.books)
    assert found.gap["price"] == Decimal(-2)
    assert not found.exact


def test_attribution_own_component_and_finer_scale_are_counted(run: RunResult) -> None:
    zeros = pa.array([Decimal("0.0000000001")] * run.equity.num_rows, pa.decimal128(38, 10))
    own = run.equity.append_column("carry/interest", zeros)
    found = attribute(replace(run, equity=own))
    assert found.exact
    assert found.books[0].components["interest"] == 0
