"""Average uniqueness against a count second by second."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto_quant.models.labels import average_uniqueness


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 12)), min_size=1, max_size=25))
def test_average_uniqueness_equals_unit_by_unit_count(spans: list[tuple[int, int]]) -> None:
    t0 = np.array([start for start, _ in spans], dtype=np.int64)
    t1 = t0 + np.array([length for _, length in spans], dtype=np.int64)
    alive = [int(((t0 <= unit) & (unit < t1)).sum()) for unit in range(50)]
    expected = [
        np.mean([1 / alive[unit] for unit in range(a, b)]) for a, b in zip(t0, t1, strict=True)
    ]
    assert average_uniqueness(t0, t1) == pytest.approx(np.array(expected), abs=1e-12)


def test_average_uniqueness_of_disjoint_labels_is_one_and_of_copies_a_share() -> None:
    day = 86_400_000_000_000
    t0 = day * np.arange(20_000, 20_005)
    assert average_uniqueness(t0, t0 + day).tolist() == [1.0] * 5
    copies = np.full(4, day * 20_000)
    assert average_uniqueness(copies, copies + day).tolist() == [0.25] * 4


def test_average_uniqueness_of_nothing_is_empty() -> None:
    none = np.empty(0, dtype=np.int64)
    assert average_uniqueness(none, none).shape == (0,)
