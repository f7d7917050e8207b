"""A model fitted on one fold: what it uses, what it was fitted on, when it is in force."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crypto_quant.core.clock import iso
from crypto_quant.models.protocol import ClassProbabilities, Model
from crypto_quant.models.selection import Dropped
from crypto_quant.models.splits import Fold
from crypto_quant.models.threshold import Threshold


class SkippedFold(NamedTuple):
    """A fold for which no model could be trained, and why."""

    fold: Fold
    reason: str


@dataclass(frozen=True, slots=True)
class FoldModel:
    """A trained fold.

    Parameters
    ----------
    fold
        Training and test window.
    kind
        Name of the model in the registry.
    model
        The fitted model, over the columns ``features``.
    features
        Columns of the feature vector in use, ascending.
    names
        Their names.
    dropped
        The columns not in use, with the reason.
    n_train, n_effective
        Labels trained on, and the sum of their average uniqueness.
    base_rate
        Weighted share of the kinds down, flat, up among the training labels.
    threshold
        Fitted on the training window.
    """

    fold: Fold
    kind: str
    model: Model
    features: tuple[int, ...]
    names: tuple[str, ...]
    dropped: tuple[Dropped, ...]
    n_train: int
    n_effective: float
    base_rate: ClassProbabilities
    threshold: Threshold

    @property
    def valid_from(self) -> int:
        """First decision time the model may be asked at, ns UTC."""
        return self.fold.test_start

    @property
    def valid_to(self) -> int:
        """First time after the last, ns UTC."""
        return self.fold.test_end

    @property
    def id(self) -> str:
        """The model's id and the day it came into force."""
        return f"{self.model.id}@{iso(self.valid_from)[:10]}"

    def predict_proba(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return class probabilities (n, 3) of full feature rows (n, n_features)."""
        return self.model.predict_proba(x[:, self.features])
