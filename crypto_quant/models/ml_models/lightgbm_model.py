"""Gradient-boosted trees of LightGBM, deterministic, set for small samples beforehand.

The parameters were fixed before any result was seen: two months of hourly, overlapping
labels are worth about a hundred independent ones, so trees are few, shallow and pulled
strongly to the base rate.

References
----------
Ke et al. (2017), LightGBM, NeurIPS 30.
https://lightgbm.readthedocs.io/en/stable/Parameters.html
"""

from __future__ import annotations

import hashlib
from types import ModuleType
from typing import TYPE_CHECKING, Final, Self

import numpy as np
from numpy.typing import NDArray

from crypto_quant.core.errors import ConfigError, DataError, InvariantError
from crypto_quant.models.protocol import CLASSES, ClassProbabilities

if TYPE_CHECKING:
    from lightgbm import Booster

    from crypto_quant.models.ml_models.single_row import SingleRow

ROUNDS: Final = 30
LEAST_LEAF_SHARE: Final = 0.05
"""Share of the training rows that each leaf holds at least."""

PARAMETERS: Final[dict[str, object]] = {
    "objective": "multiclass",
    "num_class": len(CLASSES),
    "learning_rate": 0.08,
    "num_leaves": 7,
    "max_bin": 31,
    "lambda_l2": 10.0,
    "feature_fraction": 0.7,
    # One thread and one histogram order: the sums, hence the trees, are the same each time.
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "feature_pre_filter": False,
    "verbosity": -1,
}


class LightGBMModel:
    """Three-class boosted trees; features may be NaN, which each split sends one way.

    Parameters
    ----------
    seed
        Seeds the choice of features per tree.
    """

    __slots__ = ("_booster", "_fast", "_id", "_seed", "_text")

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._text: str | None = None
        self._booster: Booster | None = None
        self._id: str | None = None
        self._fast: SingleRow | None = None

    @property
    def id(self) -> str:
        """Name and the start of the sha256 of the trees."""
        if self._id is None:
            digest = hashlib.sha256(self._trees().encode()).hexdigest()
            self._id = f"lightgbm-{digest[:12]}"
        return self._id

    def fit(self, x: NDArray[np.float64], y: NDArray[np.int8], weight: NDArray[np.float64]) -> None:
        """Learn; weights are rescaled to a mean of 1 so that the regularisation holds.

        Raises
        ------
        ConfigError
            The extra ``models`` is not installed.
        DataError
            No rows, or arrays that do not belong together.
        """
        if x.ndim != 2 or not len(x) == len(y) == len(weight) > 0 or x.shape[1] == 0:
            raise DataError(
                f"lightgbm: cannot fit features {x.shape}, labels {y.shape}, weights {weight.shape}"
            )
        lgb = library()
        parameters = PARAMETERS | {
            "seed": self._seed,
            "min_data_in_leaf": max(20, round(LEAST_LEAF_SHARE * len(x))),
        }
        data = lgb.Dataset(
            x,
            label=y.astype(np.float64) - CLASSES[0],
            weight=weight / weight.mean(),
            params=parameters,
        )
        # Kept as it is: by default LightGBM would write the trees out and parse them again.
        self._booster = lgb.train(
            parameters, data, num_boost_round=ROUNDS, keep_training_booster=True
        )
        self._text = self._id = self._fast = None

    def predict_proba(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return class probabilities, shape (n, 3)."""
        if len(x) == 0:
            return np.empty((0, len(CLASSES)), dtype=np.float64)
        booster = self._booster or library().Booster(model_str=self._trees())
        return np.asarray(booster.predict(x, num_threads=1), dtype=np.float64)

    def predict_row(self, row: NDArray[np.float64]) -> ClassProbabilities:
        """Return the probabilities of one row (k,), without building a matrix."""
        if self._fast is None:
            from crypto_quant.models.ml_models.single_row import SingleRow

            library()
            self._fast = SingleRow(self._trees())
        return self._fast.predict(row)

    def save(self) -> bytes:
        """Return LightGBM's own text format, readable by any LightGBM."""
        return self._trees().encode()

    @classmethod
    def load(cls, data: bytes) -> Self:
        """Read a text model.

        Raises
        ------
        DataError
            The bytes are no LightGBM model of three classes.
        """
        text = data.decode("utf-8", errors="replace")
        head = text[:200].splitlines()
        if head[:1] != ["tree"] or f"num_class={len(CLASSES)}" not in head:
            raise DataError("model: expected the text of a LightGBM model with three classes")
        if "\nend of trees" not in text:
            raise DataError("model: the text of the LightGBM model is cut off")
        model = cls(0)
        model._text = text
        return model

    def __getstate__(self) -> tuple[int, str]:
        return self._seed, self._trees()

    def __setstate__(self, state: tuple[int, str]) -> None:
        self._seed, self._text = state
        self._booster = self._id = self._fast = None

    def _trees(self) -> str:
        if self._text is None:
            if self._booster is None:
                raise InvariantError("lightgbm: asked before it was fitted")
            self._text = self._booster.model_to_string()
            # It holds the training rows; from here on the text is the model.
            self._booster = None
        return self._text


def library() -> ModuleType:
    """Return LightGBM, imported when first needed: it is an optional extra.

    Raises
    ------
    ConfigError
        It is not installed.
    """
    try:
        import lightgbm
    except ImportError as err:
        raise ConfigError(
            f"models need LightGBM ({err}): pip install 'crypto-quant[models]'"
        ) from None
    except OSError as err:
        raise ConfigError(
            f"LightGBM cannot be loaded ({err}): install the OpenMP runtime (apt install libgomp1)"
        ) from None
    return lightgbm
