"""The threshold: the lowest that pays, or none."""

from __future__ import annotations

import math

import numpy as np
import pytest

from crypto_quant.models.labels import Labels
from crypto_quant.models.threshold import ThresholdConfig, fit_threshold


def _labels(net_long: np.ndarray, net_short: np.ndarray) -> Labels:
    n = len(net_long)
    count = np.arange(n, dtype=np.int64)
    return Labels(count, count, count + 1, np.zeros(n, dtype=np.int8), net_long, net_short)


def test_fit_threshold_is_the_lowest_quantile_whose_trades_pay() -> None:
    # Sure trades win, unsure ones lose more: up to the 80 % quantile the mean is not > 0.
    edge = np.linspace(-1.0, 1.0, 1_001)
    wins = np.where(np.abs(edge) > 0.8, 0.02, -0.02)
    labels = _labels(np.where(edge > 0, wins, -9.0), np.where(edge < 0, wins, -9.0))
    found = fit_threshold(edge, labels, np.ones(1_001), ThresholdConfig(confidence=0.0))
    assert found.edge == pytest.approx(0.7, abs=0.002)
    taken = np.abs(edge) > found.edge
    assert found.expected_net == pytest.approx(wins[taken].mean())
    assert found.error == pytest.approx(wins[taken].std() / math.sqrt(taken.sum()))
    assert found.n_effective == taken.sum()
    assert found.dispersion == pytest.approx(edge.std())


def test_fit_threshold_without_a_paying_quantile_stands_aside() -> None:
    rng = np.random.default_rng(1)
    labels = _labels(rng.normal(-0.002, 0.01, 800), rng.normal(-0.002, 0.01, 800))
    found = fit_threshold(rng.normal(size=800), labels, np.full(800, 0.1), ThresholdConfig())
    assert found.edge == math.inf
    assert math.isfinite(found.expected_net)


def test_fit_threshold_fewer_independent_labels_need_a_higher_gain() -> None:
    rng = np.random.default_rng(1)
    labels = _labels(rng.normal(0.001, 0.01, 800), np.full(800, -9.0))
    edge, many, few = np.abs(rng.normal(size=800)), np.ones(800), np.full(800, 0.05)
    assert math.isfinite(fit_threshold(edge, labels, many, ThresholdConfig()).edge)
    assert fit_threshold(edge, labels, few, ThresholdConfig()).edge == math.inf


def test_fit_threshold_weighs_trades_by_uniqueness() -> None:
    labels = _labels(np.array([0.01, -0.02, 0.0]), np.full(3, -9.0))
    edge = np.array([0.5, 0.5, 0.1])
    config = ThresholdConfig(quantiles=(0.25,), confidence=0.0)
    assert fit_threshold(edge, labels, np.array([0.5, 0.5, 0.5]), config).edge == math.inf
    assert fit_threshold(edge, labels, np.array([0.9, 0.1, 0.5]), config).edge == 0.3


def test_fit_threshold_of_equal_edges_stands_aside() -> None:
    labels = _labels(np.full(40, 0.01), np.full(40, -9.0))
    found = fit_threshold(np.full(40, 0.5), labels, np.ones(40), ThresholdConfig())
    assert found.edge == math.inf
    assert found.dispersion == 0.0


def test_fit_threshold_ignores_rows_without_a_prediction() -> None:
    labels = _labels(np.array([0.01, -9.0, -9.0]), np.full(3, -9.0))
    config = ThresholdConfig(quantiles=(0.5,))
    edge = np.array([0.5, np.nan, 0.1])
    assert fit_threshold(edge, labels, np.ones(3), config).expected_net == 0.01
    nothing = fit_threshold(np.full(3, np.nan), labels, np.ones(3), config)
    assert nothing.edge == math.inf
    assert math.isnan(nothing.expected_net)
