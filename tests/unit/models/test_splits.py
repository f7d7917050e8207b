"""Folds, purge and embargo against oracles that look at every row and fold by itself."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from crypto_quant.models.splits import SplitConfig, known_before, purged_kfold, walk_forward
from tests.unit.models.market import DAY, HOUR, START


def _spans(data: st.DataObject) -> tuple[np.ndarray, np.ndarray]:
    gaps = data.draw(st.lists(st.integers(0, 3), min_size=4, max_size=60))
    t0 = np.cumsum(np.array(gaps, dtype=np.int64))
    lives = data.draw(st.lists(st.integers(1, 8), min_size=len(t0), max_size=len(t0)))
    return t0, t0 + np.array(lives, dtype=np.int64)


@given(st.integers(0, 400), st.integers(1, 250), st.booleans())
def test_walk_forward_equals_search_over_every_hour(
    offset_h: int, days: int, anchored: bool
) -> None:
    start = START + offset_h * HOUR
    end = start + days * DAY + 5 * HOUR
    config = SplitConfig(anchored=anchored)
    folds = walk_forward([(start, end)], config)
    expected = []
    for ts in range(start - start % HOUR, end, HOUR):
        moment = datetime.fromtimestamp(ts // 10**9, UTC)
        if moment.weekday() == 0 and moment.hour == 0 and ts - start >= 60 * DAY:
            expected.append((0, start if anchored else ts - 60 * DAY, ts, min(ts + 7 * DAY, end)))
    assert [tuple(fold) for fold in folds] == expected


def test_walk_forward_restarts_after_a_hole_and_never_spans_it() -> None:
    first = (START, START + 100 * DAY)
    second = (START + 130 * DAY, START + 230 * DAY)
    folds = walk_forward([first, second], SplitConfig())
    assert {fold.segment for fold in folds} == {0, 1}
    for fold in folds:
        start, end = (first, second)[fold.segment]
        assert start <= fold.train_start < fold.test_start < fold.test_end <= end


def test_walk_forward_segment_shorter_than_training_has_no_fold() -> None:
    assert walk_forward([(START, START + 59 * DAY)], SplitConfig()) == []


def test_split_config_overlapping_tests_and_short_purge_are_refused() -> None:
    with pytest.raises(ValidationError, match="two models would be in force together"):
        SplitConfig(test_days=8)
    with pytest.raises(ValidationError):
        SplitConfig(purge_h=23)


@given(st.data())
def test_known_before_keeps_exactly_what_was_over_and_far_enough(data: st.DataObject) -> None:
    t0, t1 = _spans(data)
    start, length, purge = (data.draw(st.integers(0, n)) for n in (20, 60, 10))
    end = start + length
    kept = known_before(t0, t1, start, end, purge)
    for i in range(len(t0)):
        meets_test = any(moment >= end for moment in range(t0[i], t1[i] + 1))
        inside = start <= t0[i] and t0[i] + purge < end
        assert kept[i] == (inside and not meets_test)


@given(st.data(), st.integers(2, 5), st.integers(0, 6))
def test_purged_kfold_training_labels_share_no_instant_with_the_test(
    data: st.DataObject, folds: int, embargo: int
) -> None:
    t0, t1 = _spans(data)
    seen: list[int] = []
    for train, test in purged_kfold(t0, t1, folds, embargo):
        seen += test.tolist()
        span = range(min(t0[test]), max(t1[test]) + 1)
        for i in range(len(t0)):
            apart = not (set(range(t0[i], t1[i] + 1)) & set(span))
            waited = not span[-1] < t0[i] <= span[-1] + embargo
            assert (i in train) == (apart and waited)
    assert seen == list(range(len(t0)))
