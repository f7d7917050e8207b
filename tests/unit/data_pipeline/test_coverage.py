"""Segments and holes, counted by hand."""

from __future__ import annotations

import math

import numpy as np

from crypto_quant.data_pipeline.storage.coverage import Hole, Segment, of_parts, of_rows


def _steps(n: int, step: int = 10) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.full(n, step, dtype=np.int64)


def test_of_rows_with_a_gap_gives_two_segments_and_the_missing_rows() -> None:
    cover = of_rows(np.array([0, 10, 20, 60, 70]), _steps(5))
    assert cover.segments == (Segment(0, 30, 3), Segment(60, 80, 2))
    assert cover.holes == (Hole(30, 60, 3),)
    assert cover.share == 5 / 8


def test_of_rows_that_jitter_have_no_holes() -> None:
    cover = of_rows(np.array([0, 11, 19, 33]), _steps(4))
    assert cover.holes == ()
    assert cover.segments == (Segment(0, 43, 4),)


def test_of_rows_whose_period_shrinks_have_no_hole_at_the_change() -> None:
    times = np.array([0, 80, 160, 200, 240])
    cover = of_rows(times, np.array([80, 80, 40, 40, 40]))
    assert cover.holes == ()


def test_of_rows_of_nothing_is_undefined() -> None:
    cover = of_rows(np.array([], dtype=np.int64), _steps(0))
    assert cover.segments == ()
    assert math.isnan(cover.share)


def test_of_parts_takes_each_file_as_a_segment() -> None:
    cover = of_parts([(50, 60, 2), (0, 10, 3), (10, 20, 1)])
    assert [s.rows for s in cover.segments] == [3, 1, 2]
    assert cover.holes == (Hole(20, 50, 0),)
