"""Which features a fold may use: present, telling apart, and few enough for its sample.

Everything here sees the training rows of one fold and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from crypto_quant.core.config import Section
from crypto_quant.models.ranks import mean_ranks


class SelectionConfig(Section):
    """How features are dropped and capped.

    A feature missing in more than ``nan_share`` of the rows is dropped; one whose rank
    correlation with a better one exceeds ``duplicate`` is left out; the number kept is the
    effective sample size divided by ``sample_per_feature``, within ``least`` and ``most``
    (years of data would let in every feature, at a cost in time and no gain in kind).
    Ranks are taken on at most ``rank_rows`` evenly spaced rows.
    """

    nan_share: float = Field(0.2, ge=0, lt=1)
    sample_per_feature: float = Field(10.0, gt=0, le=1_000_000)
    least: int = Field(3, gt=0, le=10_000)
    most: int = Field(20, gt=0, le=10_000)
    duplicate: float = Field(0.95, gt=0, le=1)
    rank_rows: int = Field(4_000, ge=100, le=10_000_000)


class Dropped(NamedTuple):
    """A feature that a fold does not use, and why."""

    name: str
    reason: str


class Selection(NamedTuple):
    """Columns in use, ascending, and what was dropped, in the order of the columns."""

    used: tuple[int, ...]
    dropped: tuple[Dropped, ...]


def select_features(
    x: NDArray[np.float64],
    outcome: NDArray[np.float64],
    n_effective: float,
    names: Sequence[str],
    config: SelectionConfig,
) -> Selection:
    """Choose the columns of one fold by absolute rank correlation with the outcome.

    Parameters
    ----------
    x
        Training features (n, k), NaN where missing.
    outcome
        What the labels came to (n,), e.g. half of long's over short's return.
    n_effective
        Effective sample size of the training labels.
    names
        Names of the columns.
    config
        Limits. Equal correlations keep the order of the columns.
    """
    reasons: dict[int, str] = {}
    missing = np.isnan(x).mean(axis=0)
    for column in np.flatnonzero(missing > config.nan_share):
        reasons[int(column)] = f"NaN > {config.nan_share:.0%} ({missing[column]:.0%})"
    candidates = [c for c in range(x.shape[1]) if c not in reasons]
    rows = np.linspace(0, len(x) - 1, min(len(x), config.rank_rows)).astype(np.intp)
    ranks = np.stack([_unit_ranks(outcome[rows]), *(_unit_ranks(x[rows, c]) for c in candidates)])
    # Rounded: columns that rank alike must tie, whatever the order of the sums.
    strength = np.abs(ranks[1:] @ ranks[0]).round(12)
    cap = max(config.least, min(config.most, int(n_effective / config.sample_per_feature)))
    kept: list[int] = []
    for place in np.argsort(-strength, kind="stable"):
        column, rank = candidates[place], ranks[1 + place]
        twin = next((k for k in kept if abs(ranks[1 + k] @ rank) > config.duplicate), None)
        if not rank.any():
            reasons[column] = "constant"
        elif len(kept) == cap:
            reasons[column] = f"capped at {cap} by effective sample size {n_effective:.0f}"
        elif twin is not None:
            reasons[column] = f"ranks like {names[candidates[twin]]}"
        else:
            kept.append(int(place))
    dropped = tuple(Dropped(names[column], reasons[column]) for column in sorted(reasons))
    return Selection(tuple(sorted(candidates[place] for place in kept)), dropped)


def _unit_ranks(column: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return centred ranks of length 1; 0 where missing, all 0 where constant."""
    present = ~np.isnan(column)
    ranks = np.zeros(len(column), dtype=np.float64)
    if present.any():
        centred = mean_ranks(column[present])
        centred -= centred.mean()
        ranks[present] = centred
    length = float(np.sqrt(ranks @ ranks))
    return ranks / length if length > 0 else ranks
