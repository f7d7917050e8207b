"""Which fold's model is in force at a decision."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise

from crypto_quant.core.errors import ConfigError
from crypto_quant.core.messages import FeatureVector, Prediction
from crypto_quant.models.fold_model import FoldModel


class ModelSwitch:
    """Folds in the order of time; asked at ascending times it answers in constant time.

    Parameters
    ----------
    folds
        Trained folds, whose windows do not overlap.
    names
        Names of the feature vector that it will be given, in order.

    Raises
    ------
    ConfigError
        Windows overlap, or a fold was trained on another feature vector.
    """

    __slots__ = ("_columns", "_current", "_folds", "_from", "_id", "_starts", "_to")

    def __init__(self, folds: Sequence[FoldModel], names: Sequence[str]) -> None:
        for before, after in pairwise(folds):
            if before.valid_to > after.valid_from:
                raise ConfigError(f"models {before.id} and {after.id} are in force together")
        for fold in folds:
            known = tuple(names[c] if c < len(names) else "nothing" for c in fold.features)
            if known != fold.names:
                raise ConfigError(
                    f"model {fold.id} was trained on {', '.join(fold.names)} where the run has "
                    f"{', '.join(known)}: train again with this run's features"
                )
        self._folds = tuple(folds)
        self._starts = [fold.valid_from for fold in folds]
        self._from = self._to = -(2**63)
        self._current: FoldModel | None = None
        self._columns: list[int] = []
        self._id = ""

    def at(self, ts: int) -> FoldModel | None:
        """Return the fold in force at ``ts`` (ns UTC), ``None`` between folds."""
        if not self._from <= ts < self._to:
            self._move(ts)
        return self._current

    def predict(self, vector: FeatureVector) -> Prediction | None:
        """Return the prediction of the fold in force, ``None`` where there is none."""
        fold = self.at(vector.ts)
        if fold is None:
            return None
        down, _, up = fold.model.predict_row(vector.values[self._columns])
        return Prediction(vector.ts, up, down, self._id)

    def _move(self, ts: int) -> None:
        after = bisect_right(self._starts, ts)
        inside = after > 0 and ts < self._folds[after - 1].valid_to
        if inside:
            fold = self._folds[after - 1]
            self._from, self._to, self._current = fold.valid_from, fold.valid_to, fold
            self._columns, self._id = list(fold.features), fold.id
            return
        # The stretch without a model is remembered too, so that a long one costs nothing.
        self._from = self._folds[after - 1].valid_to if after else -(2**63)
        self._to = self._starts[after] if after < len(self._starts) else 2**63 - 1
        self._current = None
