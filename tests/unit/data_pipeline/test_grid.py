"""Exactness of integers on a grid, against ``decimal`` as the oracle."""

from __future__ import annotations

import math
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto_quant.core.errors import DataError
from crypto_quant.data_pipeline.storage.grid import rescale, settle, to_grid
from crypto_quant.data_pipeline.storage.kinds import KINDS, Exps

_digits = st.integers(min_value=-(10**17), max_value=10**17)
_places = st.integers(min_value=0, max_value=9)


def _values(numbers: pa.Array, exp: int) -> list[Decimal | None]:
    return [None if n is None else Decimal(n).scaleb(-exp) for n in numbers.to_pylist()]


@given(st.lists(st.tuples(_digits, _places), min_size=1, max_size=20), st.integers(0, 6))
def test_to_grid_of_floats_is_their_shortest_decimal(
    parts: list[tuple[int, int]], least: int
) -> None:
    floats = [float(Decimal(digits).scaleb(-places)) for digits, places in parts]
    expected = [Decimal(repr(value)) for value in floats]
    finest = max(max(0, -int(v.normalize().as_tuple().exponent)) for v in expected)
    exp_due = max(least, finest)
    if max(abs(v) for v in expected).scaleb(exp_due) >= 2**63:
        with pytest.raises(DataError, match="64 bits"):
            to_grid(pa.array(floats), least, "x")
        return
    numbers, exp = to_grid(pa.array(floats), least, "x")
    assert exp == exp_due
    assert _values(numbers, exp) == expected


@given(st.lists(st.tuples(_digits, _places), min_size=1, max_size=20))
def test_to_grid_of_text_keeps_every_digit(parts: list[tuple[int, int]]) -> None:
    expected = [Decimal(digits).scaleb(-places) for digits, places in parts]
    if max(abs(v) for v in expected).scaleb(max(p for _, p in parts)) >= 2**63:
        return
    numbers, exp = to_grid(pa.array([f"{value:f}" for value in expected]), 0, "x")
    assert _values(numbers, exp) == expected


def test_to_grid_of_text_reads_exponents_blanks_and_bare_points() -> None:
    numbers, exp = to_grid(pa.array(["5e-05", " 1.50 ", "", None, "7.", "NaN", "100"]), 1, "x")
    assert exp == 5
    expected = [Decimal("0.00005"), Decimal("1.5"), None, None, Decimal(7), None, Decimal(100)]
    assert _values(numbers, exp) == expected


def test_to_grid_of_slices_reads_the_slice() -> None:
    numbers, exp = to_grid(pa.array(["9.9", "1.25", "2.5"]).slice(1), 0, "x")
    assert (numbers.to_pylist(), exp) == ([125, 250], 2)


def test_to_grid_turns_nan_into_null() -> None:
    numbers, _ = to_grid(pa.array([1.5, math.nan]), 0, "x")
    assert numbers.to_pylist() == [15, None]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (pa.array([1.0, math.inf]), "row 1 is infinite"),
        (pa.array(["1", "abc"]), "'abc' is not a number"),
        (pa.array([1 / 3]), "more than 12 decimals"),
        (pa.array(["0.1234567890123"]), "13 decimals"),
        (pa.array([True]), "expected numbers"),
        (pa.array(["123456789012.12345678"]), "64 bits"),
    ],
)
def test_to_grid_of_what_cannot_be_kept_is_refused(values: pa.Array, message: str) -> None:
    with pytest.raises(DataError, match=message):
        to_grid(values, 0, "column")


def test_settle_takes_float_sums_back_to_fifteen_digits() -> None:
    noisy = 0.1 + 0.2
    values, changed = settle(pa.array([noisy, 0.3, 33512.719300000004, math.nan, 0.0]))
    assert changed == 2
    assert values.to_pylist() == [0.3, 0.3, 33512.7193, None, 0.0]


def test_rescale_is_exact_and_refuses_overflow() -> None:
    schema = pa.schema([field for field in KINDS["funding"].schema() if field.name == "rate"])
    table = pa.table({"rate": np.array([3, -7])}, schema=schema)
    finer = rescale(table, "funding", Exps(rate=2), Exps(rate=5))
    assert finer.column("rate").to_pylist() == [3000, -7000]
    with pytest.raises(DataError, match="64 bits"):
        rescale(pa.table({"rate": [10**18]}), "funding", Exps(), Exps(rate=2))
