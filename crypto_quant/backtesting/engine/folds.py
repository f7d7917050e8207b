"""Trained folds of one model configuration, kept by what they were trained from."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa

from crypto_quant.backtesting.engine.inputs import Inputs
from crypto_quant.backtesting.engine.research import Research, train
from crypto_quant.backtesting.metrics import schema
from crypto_quant.backtesting.validation.diagnostics import FoldDiagnostics
from crypto_quant.backtesting.validation.trials import canonical
from crypto_quant.core.errors import DataError
from crypto_quant.models.fold_model import FoldModel
from crypto_quant.models.labels import Labels
from crypto_quant.models.storage import load_folds, save_folds
from crypto_quant.runtime.config import ModelSection

Progress = Callable[[int, int], None]


class FoldStore:
    """Folds on disk under the hash of configuration, data and code: trained once.

    Parameters
    ----------
    folder
        Where the files are; made when the first is written.
    data, code
        Hashes of what the folds are trained from and by.
    """

    def __init__(self, folder: Path, data: str, code: str) -> None:
        self._folder = folder
        self._base = f"{data}\n{code}"

    def folds(
        self,
        research: Research,
        labels: Labels,
        inputs: Inputs,
        model: ModelSection,
        progress: Progress | None,
    ) -> Sequence[FoldModel]:
        """Return the folds of a configuration, from disk if they were trained before."""
        path = self.path(model)
        if path.is_file():
            return load_folds(path)
        trained = train(research, labels, inputs, model, progress).folds
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            save_folds(path, trained)
        except OSError as err:
            raise DataError(f"{path}: cannot keep the trained folds: {err.strerror}") from None
        return trained

    def path(self, model: ModelSection) -> Path:
        """Return where the folds of a configuration are, once ``folds`` was asked for them."""
        text = f"{self._base}\n{canonical(model)}"
        return self._folder / f"folds-{hashlib.sha256(text.encode()).hexdigest()[:20]}.zip"


def folds_table(row: str, folds: Sequence[FoldModel], found: Sequence[FoldDiagnostics]) -> pa.Table:
    """Return ``folds.parquet`` of one run; ``row`` is its own or a variant's key."""
    rows = [
        {
            "fold": number,
            "train_start": fold.fold.train_start,
            "train_end": fold.fold.test_start,
            "test_start": fold.fold.test_start,
            "test_end": fold.fold.test_end,
            "n_train": fold.n_train,
            "n_effective": fold.n_effective,
            "features": list(fold.names),
            "dropped": [f"{d.name}: {d.reason}" for d in fold.dropped],
            "ic": seen.ic,
            "auc": seen.auc,
            "row": row,
        }
        for number, (fold, seen) in enumerate(zip(folds, found, strict=True), 1)
    ]
    return pa.Table.from_pylist(rows, schema=schema.FOLDS)
