"""Block lengths: the numbers of an independent program, and what they must do."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto_quant.core.measures.arrays import Floats
from crypto_quant.core.measures.block_length import block_length
from crypto_quant.core.measures.bootstrap import circular_blocks


def autoregressive(phi: float, n: int, seed: int) -> Floats:
    shock = np.random.default_rng(seed).standard_normal(n)
    out = np.empty(n)
    out[0] = shock[0]
    for t in range(1, n):
        out[t] = phi * out[t - 1] + shock[t]
    return out


@pytest.mark.parametrize(
    ("phi", "n", "seed", "stationary", "circular"),
    [
        (0.0, 500, 1, 3.1897088592453064, 3.651305160776644),
        (0.3, 500, 2, 5.15723104533434, 5.9035558297324275),
        (0.7, 1000, 3, 17.233536728445802, 19.72747494261786),
        (0.95, 2000, 4, 69.81936061719351, 79.9232165044686),
        (-0.5, 750, 5, 6.922350805537743, 7.924113559049585),
        (0.9, 120, 6, 14.353108289645334, 16.430207484067306),
    ],
)
def test_lengths_are_those_of_arch_8_0_0(
    phi: float, n: int, seed: int, stationary: float, circular: float
) -> None:
    """``arch.bootstrap.optimal_block_length`` gave these for the same series."""
    found = block_length(autoregressive(phi, n, seed))
    assert found.stationary == pytest.approx(stationary, rel=1e-12)
    assert found.circular == pytest.approx(circular, rel=1e-12)


def test_the_length_is_near_the_theoretical_one_of_an_autoregression() -> None:
    """For AR(1), ``(2 G^2 / D n)^(1/3)`` is ``(phi / (1 - phi^2))^(2/3) (4 n)^(1/3)``.

    ``G = 2 phi s / (1 - phi)^2 / (1 - phi^2)`` with ``s`` the shocks' variance, ``D = 2 g^2``,
    long-run variance ``g = s / (1 - phi)^2``.
    """
    phi, n = 0.6, 4000
    theory = (phi / (1 - phi**2)) ** (2 / 3) * (4 * n) ** (1 / 3)
    found = [block_length(autoregressive(phi, n, seed)).stationary for seed in range(40)]
    assert np.median(found) == pytest.approx(theory, rel=0.15)


@pytest.mark.parametrize("values", [np.zeros(0), np.ones(500), np.arange(5.0)])
def test_what_tells_nothing_has_blocks_of_one(values: Floats) -> None:
    assert block_length(values) == (1.0, 1.0)


@given(st.lists(st.floats(-1e3, 1e3), min_size=10, max_size=80), st.floats(0.001, 1e3))
def test_the_length_is_bounded_and_does_not_depend_on_the_scale(
    values: list[float], scale: float
) -> None:
    series = np.round(np.array(values), 3)
    found, scaled = block_length(series), block_length(series * scale)
    most = np.ceil(min(3 * np.sqrt(series.size), series.size / 3))
    assert 1.0 <= found.stationary <= found.circular <= most
    if np.ptp(series) > 1:
        assert scaled.stationary == pytest.approx(found.stationary, rel=1e-3, abs=1e-3)


def test_circular_blocks_have_their_length_and_wrap_round_the_end() -> None:
    drawn = circular_blocks(10, 500, np.random.default_rng(3), 4)
    assert drawn.shape == (500, 10)
    follows = (drawn[:, 1:] - drawn[:, :-1]) % 10 == 1
    assert follows[:, [0, 1, 2, 4, 5, 6, 8]].all()
    assert 0.02 < follows[:, [3, 7]].mean() < 0.2  # a new block starts anywhere
    assert np.bincount(drawn.ravel(), minlength=10).min() > 400
