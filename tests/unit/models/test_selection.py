"""Feature selection: what is dropped, why, in which order."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats  # type: ignore[import-untyped]  # scipy ships no types

from crypto_quant.models.selection import SelectionConfig, select_features

NAMES = tuple("abcdefgh")


def _sample(n: int = 600) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    rng = np.random.default_rng(9)
    outcome = rng.normal(size=n)
    x = rng.normal(size=(n, 8)) + outcome[:, None] * np.linspace(0.1, 0.8, 8)
    return x, outcome


def test_select_features_keeps_the_strongest_within_the_cap() -> None:
    x, outcome = _sample()
    chosen = select_features(x, outcome, 47.0, NAMES, SelectionConfig())
    strength = [abs(stats.spearmanr(x[:, c], outcome).statistic) for c in range(8)]
    assert chosen.used == tuple(sorted(np.argsort(strength)[-4:].tolist()))
    assert {item.name for item in chosen.dropped} == {NAMES[c] for c in range(8)} - {
        NAMES[c] for c in chosen.used
    }
    assert all("capped at 4 by effective sample size 47" in d.reason for d in chosen.dropped)


@pytest.mark.parametrize(("n_effective", "kept"), [(1.0, 3), (39.9, 3), (40.0, 4), (9e9, 6)])
def test_select_features_cap_follows_the_effective_sample(n_effective: float, kept: int) -> None:
    x, outcome = _sample()
    config = SelectionConfig(most=6)
    assert len(select_features(x, outcome, n_effective, NAMES, config).used) == kept


def test_select_features_drops_missing_constant_and_twins_with_reasons() -> None:
    x, outcome = _sample()
    x[:, 1] = 7.0
    x[: len(x) // 4, 7] = np.nan
    x[: len(x) // 5, 6] = np.nan
    x[:, 3] = np.exp(x[:, 5])
    chosen = select_features(x, outcome, 1e6, NAMES, SelectionConfig())
    assert chosen.used == (0, 2, 3, 4, 6)
    assert [(d.name, d.reason) for d in chosen.dropped] == [
        ("b", "constant"),
        ("f", "ranks like d"),
        ("h", "NaN > 20% (25%)"),
    ]


def test_select_features_equal_strength_keeps_the_order_of_columns() -> None:
    _, outcome = _sample()
    x = np.stack([np.roll(outcome, 7), outcome, -outcome], axis=1)
    config = SelectionConfig(least=1, duplicate=1.0)
    assert select_features(x, outcome, 1.0, NAMES[:3], config).used == (1,)
    assert select_features(x[:, ::-1], outcome, 1.0, NAMES[:3], config).used == (0,)


def test_select_features_without_a_usable_column_is_empty() -> None:
    _, outcome = _sample()
    nothing = np.full((600, 2), np.nan)
    assert select_features(nothing, outcome, 60.0, NAMES[:2], SelectionConfig()).used == ()
