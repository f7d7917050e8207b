"""Trained folds in one file: a zip of one index and one member per model."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from crypto_quant.core.errors import DataError
from crypto_quant.core.files import whole
from crypto_quant.models import LOADERS
from crypto_quant.models.fold_model import FoldModel
from crypto_quant.models.protocol import ClassProbabilities
from crypto_quant.models.selection import Dropped
from crypto_quant.models.splits import Fold
from crypto_quant.models.threshold import Threshold

INDEX = "folds.json"


def save_folds(path: Path, folds: Sequence[FoldModel]) -> None:
    """Write folds; equal folds give equal bytes, and the file appears whole or not at all."""
    with whole(path) as part, zipfile.ZipFile(part, "w") as archive:
        rows = [{k: v for k, v in _fields(fold).items() if k != "model"} for fold in folds]
        _put(archive, INDEX, json.dumps(rows, indent=1).encode())
        for number, fold in enumerate(folds):
            _put(archive, f"{number}.model", fold.model.save())


def load_folds(path: Path) -> list[FoldModel]:
    """Read folds.

    Raises
    ------
    DataError
        The file is missing, cut off, or no file of folds.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            rows = json.loads(archive.read(INDEX))
            return [_fold(row, archive.read(f"{n}.model")) for n, row in enumerate(rows)]
    except OSError as err:
        raise DataError(f"{path}: cannot read the models: {err.strerror}") from None
    except (zipfile.BadZipFile, KeyError, TypeError, ValueError) as err:
        raise DataError(f"{path}: not a file of trained folds ({err}): train again") from None


def _fields(fold: FoldModel) -> dict[str, Any]:
    return {name: getattr(fold, name) for name in FoldModel.__dataclass_fields__}


def _fold(row: dict[str, Any], model: bytes) -> FoldModel:
    return FoldModel(
        fold=Fold(*row["fold"]),
        kind=row["kind"],
        model=LOADERS[row["kind"]](model),
        features=tuple(row["features"]),
        names=tuple(row["names"]),
        dropped=tuple(Dropped(*item) for item in row["dropped"]),
        n_train=row["n_train"],
        n_effective=row["n_effective"],
        base_rate=ClassProbabilities(*row["base_rate"]),
        threshold=Threshold(*row["threshold"]),
    )


def _put(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    # A fixed date: the bytes depend on the folds alone.
    member = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    member.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(member, data)
