"""Walk-forward training: one model a fold, from what was known before the fold's test."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from crypto_quant.core.config import Section
from crypto_quant.core.errors import ConfigError, DataError
from crypto_quant.core.executors import Inline, Pool, in_order
from crypto_quant.core.ports import Executor
from crypto_quant.models import MODELS
from crypto_quant.models.fold_model import FoldModel, SkippedFold
from crypto_quant.models.labels import Labels, average_uniqueness
from crypto_quant.models.labels.barriers import HOUR_NS
from crypto_quant.models.protocol import CLASSES, ClassProbabilities, Model
from crypto_quant.models.selection import Selection, SelectionConfig, select_features
from crypto_quant.models.splits import (
    Fold,
    SplitConfig,
    known_before,
    purged_kfold,
    walk_forward,
)
from crypto_quant.models.threshold import Threshold, ThresholdConfig, fit_threshold

FOLDS_PER_TASK = 12


class TrainingConfig(Section):
    """Everything that decides what a fold's model becomes, beside labels and features."""

    model: str = "lightgbm"
    seed: int = Field(1, ge=0, le=2**31 - 1)  # as LightGBM takes it
    least_rows: int = Field(240, gt=0, le=10_000_000)
    split: SplitConfig = SplitConfig()
    selection: SelectionConfig = SelectionConfig()
    threshold: ThresholdConfig = ThresholdConfig()


@dataclass(frozen=True, slots=True)
class ResearchTable:
    """Features x time: ``ts`` int64 (n,) ascending, ``values`` float64 (n, k), k names."""

    ts: NDArray[np.int64]
    values: NDArray[np.float64]
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.values.shape != (len(self.ts), len(self.names)):
            raise DataError(
                f"research table: {len(self.ts)} times and {len(self.names)} names, "
                f"but values of shape {self.values.shape}"
            )
        if (np.diff(self.ts) <= 0).any():
            raise DataError("research table: times must ascend strictly")


class Training(NamedTuple):
    """The trained folds, oldest first, and those that could not be trained."""

    folds: tuple[FoldModel, ...]
    skipped: tuple[SkippedFold, ...]


class _Task(NamedTuple):
    """Consecutive folds with the labelled rows that began before the last of them."""

    x: NDArray[np.float64]
    labels: Labels
    folds: tuple[Fold, ...]
    names: tuple[str, ...]
    config: TrainingConfig


class _Fit(NamedTuple):
    model: Model
    selection: Selection
    uniqueness: NDArray[np.float64]


def train_walk_forward(
    table: ResearchTable,
    labels: Labels,
    segments: Sequence[tuple[int, int]],
    config: TrainingConfig,
    workers: int = 2,
    progress: Callable[[int, int], None] | None = None,
) -> Training:
    """Train a model for every fold of every segment.

    The result does not depend on ``workers``: each fold is trained by one thread from its
    own rows.

    Parameters
    ----------
    table
        Features at the decision times.
    labels
        Labels whose ``row`` points into ``table``.
    segments
        Stretches without a hole, ``[start, end)`` in ns UTC.
    config
        Model, splits, selection, threshold.
    workers
        Processes; 1 trains in this one.
    progress
        Called with folds done and folds in all.

    Raises
    ------
    ConfigError
        The model is unknown or not installed, or the purge is shorter than a label.
    """
    if config.model not in MODELS:
        raise ConfigError(f"model: expected one of {', '.join(MODELS)}, was {config.model!r}")
    longest = int((labels.t1 - labels.t0).max(initial=0))
    if config.split.purge_h * HOUR_NS < longest:
        raise ConfigError(
            f"split.purge_h: must be at least the longest label, {longest / HOUR_NS:g} h, "
            f"was {config.split.purge_h}"
        )
    folds = walk_forward(segments, config.split)
    tasks = _tasks(table, labels, folds, config)
    done: list[FoldModel | SkippedFold] = []
    for results in _run(tasks, workers):
        done += results
        if progress is not None:
            progress(len(done), len(folds))
    return Training(
        tuple(fold for fold in done if isinstance(fold, FoldModel)),
        tuple(fold for fold in done if isinstance(fold, SkippedFold)),
    )


def _tasks(
    table: ResearchTable, labels: Labels, folds: Sequence[Fold], config: TrainingConfig
) -> list[_Task]:
    tasks = []
    for first in range(0, len(folds), FOLDS_PER_TASK):
        some = tuple(folds[first : first + FOLDS_PER_TASK])
        start = min(fold.train_start for fold in some)
        low, high = np.searchsorted(labels.t0, [start, some[-1].test_start])
        part = labels.take(np.arange(low, high))
        tasks.append(_Task(table.values[part.row], part, some, table.names, config))
    return tasks


def _run(tasks: Sequence[_Task], workers: int) -> Iterator[list[FoldModel | SkippedFold]]:
    beside = min(workers, len(tasks))
    executor: Executor = Pool(beside) if beside > 1 else Inline()
    with executor:
        yield from in_order(executor, _train_task, tasks)


def _train_task(task: _Task) -> list[FoldModel | SkippedFold]:
    return [_train_fold(task, fold) for fold in task.folds]


def _train_fold(task: _Task, fold: Fold) -> FoldModel | SkippedFold:
    config = task.config
    purge = config.split.purge_h * HOUR_NS
    known = known_before(task.labels.t0, task.labels.t1, fold.train_start, fold.test_start, purge)
    x, labels = task.x[known], task.labels.take(known)
    if len(labels) < config.least_rows:
        return SkippedFold(fold, f"{len(labels)} labels, fewer than {config.least_rows}")
    fit = _fit(x, labels, task.names, config)
    if fit is None:
        return SkippedFold(fold, "no feature is usable")
    share = [float(fit.uniqueness[labels.kind == kind].sum()) for kind in CLASSES]
    return FoldModel(
        fold=fold,
        kind=config.model,
        model=fit.model,
        features=fit.selection.used,
        names=tuple(task.names[column] for column in fit.selection.used),
        dropped=fit.selection.dropped,
        n_train=len(labels),
        n_effective=float(fit.uniqueness.sum()),
        base_rate=ClassProbabilities._make(part / sum(share) for part in share),
        threshold=_inner_threshold(x, labels, fit.uniqueness, task.names, config),
    )


def _fit(
    x: NDArray[np.float64], labels: Labels, names: Sequence[str], config: TrainingConfig
) -> _Fit | None:
    uniqueness = average_uniqueness(labels.t0, labels.t1)
    selection = select_features(
        x, labels.directional, float(uniqueness.sum()), names, config.selection
    )
    if not selection.used:
        return None
    model = MODELS[config.model](config.seed)
    model.fit(x[:, selection.used], labels.kind, uniqueness)
    return _Fit(model, selection, uniqueness)


def _inner_threshold(
    x: NDArray[np.float64],
    labels: Labels,
    uniqueness: NDArray[np.float64],
    names: Sequence[str],
    config: TrainingConfig,
) -> Threshold:
    """Fit the threshold on predictions that purged inner folds make of each other."""
    edge = np.full(len(labels), np.nan)
    inner = config.threshold
    for train, test in purged_kfold(
        labels.t0, labels.t1, inner.inner_folds, inner.embargo_h * HOUR_NS
    ):
        # Features are selected anew: chosen with the tested rows in sight they would flatter.
        fit = _fit(x[train], labels.take(train), names, config) if len(train) else None
        if fit is not None:
            proba = fit.model.predict_proba(x[test][:, fit.selection.used])
            edge[test] = proba[:, 2] - proba[:, 0]
    return fit_threshold(edge, labels, uniqueness, inner)
