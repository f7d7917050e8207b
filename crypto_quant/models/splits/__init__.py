"""Splits in time: walk-forward folds, purge and embargo. All sizes are durations."""

from crypto_quant.models.splits.purge import known_before, purged_kfold
from crypto_quant.models.splits.walk import Fold, SplitConfig, walk_forward

__all__ = ["Fold", "SplitConfig", "known_before", "purged_kfold", "walk_forward"]
