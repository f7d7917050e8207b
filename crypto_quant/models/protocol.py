"""What every model is: fitted once on a training window, then asked row by row."""

from __future__ import annotations

from typing import NamedTuple, Protocol, Self

import numpy as np
from numpy.typing import NDArray

CLASSES = (-1, 0, 1)
"""Label kinds, in the order of a prediction's columns: down, flat, up."""


class ClassProbabilities(NamedTuple):
    """Probabilities of the three label kinds; they sum to 1."""

    down: float
    flat: float
    up: float


class Model(Protocol):
    """A classifier of the three label kinds.

    The same seed, rows and version give the same bytes from ``save``. A model scales or
    selects nothing outside ``fit``: what it knows, it learned from the rows it was given.
    """

    @property
    def id(self) -> str:
        """Name and content hash, e.g. ``lightgbm-1f0c…``; equal ids predict alike."""
        ...

    def fit(self, x: NDArray[np.float64], y: NDArray[np.int8], weight: NDArray[np.float64]) -> None:
        """Learn from features (n, k), NaN where missing, kinds (n,) and weights (n,) > 0."""
        ...

    def predict_proba(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the class probabilities of each row, shape (n, 3), columns as ``CLASSES``."""
        ...

    def predict_row(self, row: NDArray[np.float64]) -> ClassProbabilities:
        """Return the probabilities of one row (k,), equal to those of ``predict_proba``."""
        ...

    def save(self) -> bytes:
        """Return everything that ``load`` needs to predict alike."""
        ...

    @classmethod
    def load(cls, data: bytes) -> Self:
        """Return the model that was saved.

        Raises
        ------
        DataError
            The bytes are not a saved model of this class.
        """
        ...
