"""Signals: direction, adaptive threshold, hysteresis."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from crypto_quant.core.messages import Prediction
from crypto_quant.strategy.signal_generator.directional import (
    DirectionalSignal,
    DirectionalSignalConfig,
)
from crypto_quant.strategy.signal_generator.imbalance import (
    ImbalanceSignal,
    ImbalanceSignalConfig,
)
from crypto_quant.strategy.signal_generator.momentum import MomentumSignal, MomentumSignalConfig

DAY = 86_400 * 10**9


def _predict(edge: float, ts: int = 0) -> Prediction:
    return Prediction(ts, 0.4 + edge / 2, 0.4 - edge / 2, "m")


def _signal(**changes: float) -> DirectionalSignal:
    config = DirectionalSignalConfig.model_validate({"warmup": 2, **changes})
    made = DirectionalSignal(config, "model")
    made.begin_fold(0.1, math.nan)
    return made


@pytest.mark.parametrize(
    ("edge", "direction", "strength"),
    [
        (0.05, 0, 0.0),
        (-0.05, 0, 0.0),
        (0.15, 1, 0.5),  # half way from the threshold to twice the threshold
        (-0.15, -1, 0.5),
        (0.3, 1, 1.0),
        (-0.9, -1, 1.0),
        (math.nan, 0, 0.0),
    ],
)
def test_directional_signal_by_edge(edge: float, direction: int, strength: float) -> None:
    made = _signal()(_predict(edge), math.nan)
    assert made.direction == direction
    assert made.strength == pytest.approx(strength)
    assert made.reason


def test_directional_signal_without_a_fold_is_flat() -> None:
    made = DirectionalSignal(DirectionalSignalConfig(), "model")(_predict(0.8), 0.5)
    assert made.direction == 0


def test_threshold_follows_the_dispersion_before_the_prediction() -> None:
    """Checked against weights written out: deviation of past edges, exponentially weighted."""
    halflife, fold_dispersion = 5.0, 0.05
    signal = _signal(dispersion_halflife=halflife, floor=0.01, ceiling=100.0)
    signal.begin_fold(0.1, fold_dispersion)
    edges = np.random.default_rng(1).normal(0.01, 0.07, 60)
    alpha = 1 - 0.5 ** (1 / halflife)
    for n, edge in enumerate(edges):
        signal(_predict(float(edge)), math.nan)
        if n < 2:
            continue
        past = edges[:n]
        weights = alpha * (1 - alpha) ** np.arange(n - 1, -1, -1)
        weights[0] = (1 - alpha) ** (n - 1)  # the first edge starts the mean
        mean = weights @ past
        deviation = math.sqrt(weights @ (past - mean) ** 2)
        assert signal.threshold == pytest.approx(0.1 * deviation / fold_dispersion, rel=1e-9)


def test_threshold_rises_with_volatility_above_its_past_mean() -> None:
    signal = _signal(vol_exponent=0.5)
    signal(_predict(0.0), 0.4)
    assert signal.threshold == pytest.approx(0.1)  # no past: no factor
    signal(_predict(0.0), 0.9)
    assert signal.threshold == pytest.approx(0.1 * math.sqrt(0.9 / 0.4))


@given(
    st.lists(st.floats(-1, 1), min_size=1, max_size=80),
    st.lists(st.floats(0.01, 5), min_size=80, max_size=80),
)
def test_threshold_stays_within_its_bounds_and_strength_in_0_1(
    edges: list[float], vols: list[float]
) -> None:
    signal = _signal()
    signal.begin_fold(0.1, 0.05)
    for edge, vol in zip(edges, vols, strict=False):
        made = signal(_predict(edge), vol)
        assert 0.05 - 1e-12 <= signal.threshold <= 0.2 + 1e-12
        assert 0.0 <= made.strength <= 1.0
        assert made.direction * edge >= 0


def test_threshold_is_causal() -> None:
    """A prediction does not move the threshold that it meets itself, nor earlier ones."""
    past = [0.02, -0.05, 0.04, 0.01]
    thresholds = []
    for last in (0.0, 0.9):
        signal = _signal()
        signal.begin_fold(0.1, 0.03)
        for edge in [*past, last]:
            signal(_predict(edge), 0.5)
        thresholds.append(signal.threshold)
    assert thresholds[0] == thresholds[1]


def test_momentum_signals_once_a_day_after_its_look_back() -> None:
    signal = MomentumSignal(MomentumSignalConfig(lookback_days=3), "momentum")
    prices = [100.0, 110.0, 99.0, 120.0, 90.0]
    made = []
    for day, price in enumerate(prices):
        made.append(signal(day * DAY, price))
        assert signal(day * DAY + DAY // 2, price * 3) is None
    assert [m.direction if m else None for m in made] == [None, None, None, 1, -1]
    steps = np.diff(np.log([110.0, 99.0, 120.0, 90.0]))
    assert signal.vol == pytest.approx(math.sqrt(365 * np.mean(steps**2)))


def test_momentum_starts_again_after_a_missing_day() -> None:
    signal = MomentumSignal(MomentumSignalConfig(lookback_days=2), "momentum")
    days = [0, 1, 3, 4, 5]
    made = [signal(day * DAY, 100.0 + day) for day in days]
    assert [m is not None for m in made] == [False, False, False, False, True]


def test_imbalance_needs_persistence_and_leaves_on_balance() -> None:
    signal = ImbalanceSignal(ImbalanceSignalConfig(enter=0.6, leave=0.0, persist=3), "tick")
    path = [0.7, 0.7, 0.1, 0.7, 0.7, 0.7, 0.2, -0.1, -0.8, -0.8, -0.8, math.nan, -0.8]
    made = [signal(n, value).direction for n, value in enumerate(path)]
    assert made == [0, 0, 0, 0, 0, 1, 1, 0, 0, 0, -1, 0, 0]


def test_imbalance_config_must_leave_below_its_entry() -> None:
    with pytest.raises(ValidationError, match="leave must be below enter"):
        ImbalanceSignalConfig(enter=0.3, leave=0.3)
