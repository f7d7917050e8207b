"""Rank statistics against scipy and a count over all pairs."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats  # type: ignore[import-untyped]  # scipy ships no types

from crypto_quant.models.ranks import mean_ranks, rank_auc, spearman

FEW = st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), min_size=3, max_size=40)


@given(FEW)
def test_mean_ranks_and_spearman_equal_scipy(pairs: list[tuple[int, int]]) -> None:
    x, y = (np.array(c, dtype=np.float64) for c in zip(*pairs, strict=True))
    assert mean_ranks(x).tolist() == stats.rankdata(x).tolist()
    if len(set(x)) == 1 or len(set(y)) == 1:
        assert math.isnan(spearman(x, y))
    else:
        assert spearman(x, y) == pytest.approx(stats.spearmanr(x, y).statistic, abs=1e-12)


def test_spearman_leaves_missing_pairs_out() -> None:
    x = np.array([1.0, 2.0, np.nan, 4.0, 3.0])
    y = np.array([1.0, 3.0, -9.0, 2.0, np.nan])
    assert spearman(x, y) == pytest.approx(0.5)
    assert math.isnan(spearman(x[:3], y[:3]))


@given(st.lists(st.tuples(st.integers(-3, 3), st.booleans()), max_size=40))
def test_rank_auc_equals_count_over_pairs(rows: list[tuple[int, bool]]) -> None:
    score = np.array([s for s, _ in rows], dtype=np.float64)
    positive = np.array([p for _, p in rows], dtype=np.bool_)
    wins = [(a > b) + 0.5 * (a == b) for a in score[positive] for b in score[~positive]]
    if wins:
        assert rank_auc(score, positive) == pytest.approx(np.mean(wins), abs=1e-12)
    else:
        assert math.isnan(rank_auc(score, positive))
