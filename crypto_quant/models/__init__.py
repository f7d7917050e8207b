"""Models: labels, splits, training walk-forward, and what is asked at a decision."""

from collections.abc import Callable
from typing import Final

from crypto_quant.models.ml_models.lightgbm_model import LightGBMModel
from crypto_quant.models.protocol import Model

MODELS: Final[dict[str, Callable[[int], Model]]] = {"lightgbm": LightGBMModel}
"""Models by the name that a config gives them; each is made from a seed."""

LOADERS: Final[dict[str, Callable[[bytes], Model]]] = {"lightgbm": LightGBMModel.load}
"""How each is read back."""
