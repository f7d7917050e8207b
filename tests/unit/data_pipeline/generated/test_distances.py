"""Distances against scipy's and statsmodels', and halves that are what they say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats  # type: ignore[import-untyped]  # ships no types
from statsmodels.tsa.stattools import acf  # type: ignore[import-untyped]  # ships no types

from crypto_quant.data_pipeline.generated.distances import (
    LAGS,
    autocorrelation,
    halves,
    kolmogorov_smirnov,
    sample,
)
from crypto_quant.data_pipeline.generated.observed import REACH, Frames, frames_of, sample_book
from crypto_quant.data_pipeline.generated.parameters import load_parameters
from crypto_quant.data_pipeline.generated.recorder import START_NS, pieces, recorder

values = st.lists(st.integers(0, 9), min_size=2, max_size=40)


@given(one=values, two=values)
def test_the_distance_of_samples_is_that_of_scipy(one: list[int], two: list[int]) -> None:
    ours = kolmogorov_smirnov(np.array(one, dtype=float), np.array(two, dtype=float))
    theirs = stats.ks_2samp(one, two, method="asymp").statistic
    assert ours == pytest.approx(theirs, abs=1e-12)


def test_the_autocorrelation_is_that_of_statsmodels() -> None:
    series = np.cumsum(np.random.default_rng(1).standard_normal(500))
    theirs = acf(series, nlags=LAGS, fft=False)[1:]
    assert autocorrelation(series) == pytest.approx(theirs, rel=1e-12)


@pytest.fixture(scope="module")
def made() -> Frames:
    native = recorder(load_parameters(), seed=11)
    return frames_of("made", pieces(native, START_NS + 60 * 10**9))


def test_the_second_half_begins_with_the_book_that_the_first_leaves(made: Frames) -> None:
    first, second = halves(made)
    whole, late = sample_book(made), sample_book(second)
    assert len(first.trade["px"]) + len(second.trade["px"]) == len(made.trade["px"])
    at = np.searchsorted(whole.times, late.times, side="right") - 1
    same = (whole.touch[at] == late.touch).all(axis=1)
    assert same.mean() > 0.8  # the grids of the two begin at different frames
    assert whole.depth.shape == (len(whole.times), 2, REACH)


def test_a_session_is_at_no_distance_from_itself(made: Frames) -> None:
    measured = sample(made)
    assert measured.depth.min() > 0
    assert kolmogorov_smirnov(measured.spread, measured.spread) == 0.0
    assert measured.spread.min() == 1.0
