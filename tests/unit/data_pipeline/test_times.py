"""Times of every notation that files use, against ``datetime``."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pyarrow as pa
import pytest

from crypto_quant.core.errors import DataError
from crypto_quant.data_pipeline.collectors.times import to_ns

_MOMENT = datetime(2025, 1, 1, 0, 1, 2, 345678, UTC)
_NS = int(_MOMENT.timestamp()) * 10**9 + 345678000
_DAY = int(datetime(2018, 6, 3, tzinfo=UTC).timestamp()) * 10**9


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pa.array([_NS // 10**9]), _NS // 10**9 * 10**9),
        (pa.array([_NS // 10**6]), _NS // 10**6 * 10**6),
        (pa.array([_NS // 10**3]), _NS),
        (pa.array([_NS]), _NS),
        (pa.array([float(_NS // 10**6)]), _NS // 10**6 * 10**6),
        (pa.array([str(_NS // 10**3)]), _NS),
        (pa.array([_MOMENT], pa.timestamp("us")), _NS),
        (pa.array([_MOMENT], pa.timestamp("ns", "UTC")), _NS),
        (pa.array([date(2018, 6, 3)]), _DAY),
        (pa.array(["2025-01-01 00:01:02.345678"]), _NS),
        (pa.array(["2025-01-01T00:01:02.345678Z"]), _NS),
        (pa.array(["2025-01-01 00:01:02.345678+00:00"]), _NS),
        (pa.array(["2018-06-03"]), _DAY),
        (pa.array(["2018-06-03"], pa.large_string()), _DAY),
    ],
)
def test_to_ns_reads(values: pa.Array, expected: int) -> None:
    assert to_ns(pa.chunked_array([values]), "x").tolist() == [expected]


def test_to_ns_mixes_slashed_and_iso_dates_once_told_the_order() -> None:
    texts = pa.chunked_array([["6/3/2018", "2018-06-03", "06/03/2018"]])
    assert to_ns(texts, "x", "mdy").tolist() == [_DAY] * 3
    assert to_ns(pa.chunked_array([["3/6/2018"]]), "x", "dmy").tolist() == [_DAY]


@pytest.mark.parametrize(
    ("values", "dates", "message"),
    [
        (["6/3/2018"], None, "row 0: '6/3/2018' is not a time"),
        (["2018-06-03", "yesterday"], "mdy", "row 1: 'yesterday' is not a time"),
        (["13/13/2018"], "mdy", "not a date in this order"),
        (["2018-06-03", None], None, "row 1: the time is missing"),
        ([1.5], None, "not a whole number"),
        ([True], None, "expected times"),
        ([1_700_000_000, 50_000_000_000], None, "row 1: 50000000000 is out of range"),
        ([2**63 - 1], None, "row 0: 9223372036854775807 is out of range"),
        ([-(2**63)], None, "row 0: -9223372036854775808 is out of range"),
        (["2024-01-01", "2200-01-01"], None, "row 1: 7258118400000000000 is out of range"),
    ],
)
def test_to_ns_of_a_mistake_names_the_row(
    values: list[object], dates: str | None, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        to_ns(pa.chunked_array([values]), "x", dates)
