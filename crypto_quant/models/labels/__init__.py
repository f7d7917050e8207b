"""Labels: what a trade opened at each decision time came to, net of costs."""

from crypto_quant.models.labels.barriers import (
    Bars,
    LabelConfig,
    Labels,
    forward_return,
    triple_barrier,
)
from crypto_quant.models.labels.uniqueness import average_uniqueness

LABELS = {"triple_barrier": triple_barrier, "forward_return": forward_return}
"""Label makers by the name that a config gives them."""

__all__ = [
    "LABELS",
    "Bars",
    "LabelConfig",
    "Labels",
    "average_uniqueness",
    "forward_return",
    "triple_barrier",
]
