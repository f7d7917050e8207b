"""The probability of overfitting: against a slow reading of the paper, and where it is known."""

from __future__ import annotations

import math
import statistics
import tracemalloc
from itertools import combinations

import numpy as np
import pytest

from crypto_quant.core.measures import overfitting
from crypto_quant.core.measures.arrays import Floats
from crypto_quant.core.measures.overfitting import overfitting_probability


def by_the_paper(returns: Floats, blocks: int) -> float:
    """Bailey et al. (2017), section 3, steps 1 to 6, in lists."""
    days, count = returns.shape
    length = days // blocks
    rows = [list(map(float, row)) for row in returns[days - blocks * length :]]
    parts = [rows[n * length : (n + 1) * length] for n in range(blocks)]
    lost = total = 0
    for half in combinations(range(blocks), blocks // 2):
        seen = [row for n in half for row in parts[n]]
        held = [row for n in range(blocks) if n not in half for row in parts[n]]
        inside = [_sharpe([row[c] for row in seen]) for c in range(count)]
        outside = [_sharpe([row[c] for row in held]) for c in range(count)]
        best = outside[inside.index(max(inside))]
        rank = sum(x < best for x in outside) + (sum(x == best for x in outside) + 1) / 2
        share = rank / (count + 1)
        lost += math.log(share / (1 - share)) <= 0
        total += 1
    return lost / total


def _sharpe(values: list[float]) -> float:
    spread = statistics.pstdev(values)
    return statistics.fmean(values) / spread if spread else 0.0


@pytest.mark.parametrize("seed", range(6))
def test_it_is_what_the_paper_says(seed: int) -> None:
    rng = np.random.default_rng(seed)
    returns = rng.normal(0.0003 * seed, 0.02, (8 * 7 + seed, 5))
    assert overfitting_probability(returns, 8) == by_the_paper(returns, 8)


def test_one_that_is_always_best_is_not_overfitted() -> None:
    returns = np.random.default_rng(1).normal(0.0, 0.001, (320, 6))
    returns[:, 2] += 0.01
    assert overfitting_probability(returns) == 0.0


def test_noise_is_overfitted_about_half_of_the_time() -> None:
    rng = np.random.default_rng(2)
    found = [overfitting_probability(rng.normal(0, 0.01, (480, 20)), 8) for _ in range(60)]
    assert 0.35 < float(np.mean(found)) < 0.65


def test_scale_does_not_matter_and_neither_does_the_order_of_configurations() -> None:
    returns = np.random.default_rng(3).normal(0.0005, 0.01, (160, 7))
    same = overfitting_probability(returns)
    assert overfitting_probability(returns * 8.0) == same
    assert overfitting_probability(returns[:, ::-1]) == same


def test_one_that_never_trades_counts_as_zero() -> None:
    returns = np.zeros((160, 2))
    returns[:, 0] = np.random.default_rng(4).normal(-0.01, 0.001, 160)
    assert overfitting_probability(returns) == 0.0  # nothing beats losing, in every half


def test_memory_does_not_grow_with_the_number_of_halves() -> None:
    returns = np.random.default_rng(5).normal(0.0, 0.01, (32, 500))
    tracemalloc.start()
    overfitting_probability(returns)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 30 * 2**20  # one matrix of all halves would be 49 MiB, and there are eight


def test_halves_taken_together_or_in_parts_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    returns = np.random.default_rng(6).normal(0.0002, 0.01, (163, 9))
    returns[:, 4] = returns[:, 2]  # a tie
    found = []
    for at_once in (1_000, 2**18):
        monkeypatch.setattr(overfitting, "_AT_ONCE", at_once)
        found.append(overfitting_probability(returns))
    assert found[0] == found[1]


@pytest.mark.parametrize("shape", [(31, 4), (400, 1), (0, 3)])
def test_too_little_is_undefined(shape: tuple[int, int]) -> None:
    assert math.isnan(overfitting_probability(np.zeros(shape)))
