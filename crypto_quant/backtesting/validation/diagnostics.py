"""How well each fold's model told outcomes apart in the week after its training."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crypto_quant.backtesting.validation.trials import Trial, require
from crypto_quant.models.fold_model import FoldModel
from crypto_quant.models.labels import Labels
from crypto_quant.models.protocol import CLASSES
from crypto_quant.models.ranks import rank_auc, spearman
from crypto_quant.models.training import ResearchTable


class FoldDiagnostics(NamedTuple):
    """Out-of-sample numbers of one fold (or of all, pooled); NaN where undefined.

    ``ic`` is the rank correlation of ``p_up - p_down`` with half of what long earned over
    short; ``auc`` the probability that the same edge ranks an up label above a down label;
    ``log_loss`` that of the model in nats, ``base_log_loss`` that of always predicting the
    training shares. ``trades`` counts decisions beyond the fold's threshold, ``net`` is
    their mean net return as labelled.
    """

    n: int
    ic: float
    auc: float
    log_loss: float
    base_log_loss: float
    trades: int
    net: float


class OutOfSample(NamedTuple):
    """Diagnostics of each fold, in order, and of all folds pooled."""

    folds: tuple[FoldDiagnostics, ...]
    pooled: FoldDiagnostics


class _Seen(NamedTuple):
    labels: Labels
    proba: NDArray[np.float64]
    base: NDArray[np.float64]
    least: NDArray[np.float64]


def diagnose(
    trial: Trial,
    folds: Sequence[FoldModel],
    table: ResearchTable,
    labels: Labels,
) -> OutOfSample:
    """Compare each fold's predictions with the labels that began in its test window.

    Parameters
    ----------
    trial
        Receipt of the trial log.
    folds
        Trained folds, oldest first.
    table, labels
        As given to the training.

    Raises
    ------
    InvariantError
        The receipt is none.
    """
    require(trial)
    seen = list(_seen(folds, table, labels))
    return OutOfSample(tuple(_measure(part) for part in seen), _measure(_pool(seen, labels)))


def _seen(folds: Sequence[FoldModel], table: ResearchTable, labels: Labels) -> Iterator[_Seen]:
    for fold in folds:
        low, high = np.searchsorted(labels.t0, [fold.valid_from, fold.valid_to])
        part = labels.take(np.arange(low, high))
        yield _Seen(
            part,
            fold.predict_proba(table.values[part.row]),
            np.tile(np.array(fold.base_rate), (len(part), 1)),
            np.full(len(part), fold.threshold.edge),
        )


def _pool(seen: Sequence[_Seen], labels: Labels) -> _Seen:
    if not seen:
        none = np.empty((0, len(CLASSES)))
        return _Seen(labels.take(np.empty(0, dtype=np.intp)), none, none, np.empty(0))
    row = np.concatenate([part.labels.row for part in seen])
    return _Seen(
        labels.take(np.searchsorted(labels.row, row)),
        np.concatenate([part.proba for part in seen]),
        np.concatenate([part.base for part in seen]),
        np.concatenate([part.least for part in seen]),
    )


def _measure(seen: _Seen) -> FoldDiagnostics:
    labels = seen.labels
    edge = seen.proba[:, 2] - seen.proba[:, 0]
    decided = labels.kind != 0
    traded = np.abs(edge) > seen.least
    net = np.where(edge > 0, labels.net_long, labels.net_short)[traded]
    return FoldDiagnostics(
        n=len(labels),
        ic=spearman(edge, labels.directional),
        auc=rank_auc(edge[decided], labels.kind[decided] > 0),
        log_loss=_log_loss(seen.proba, labels.kind),
        base_log_loss=_log_loss(seen.base, labels.kind),
        trades=len(net),
        net=float(net.mean()) if len(net) else float("nan"),
    )


def _log_loss(proba: NDArray[np.float64], kind: NDArray[np.int8]) -> float:
    if not len(kind):
        return float("nan")
    said = proba[np.arange(len(kind)), kind.astype(np.intp) - CLASSES[0]]
    # A kind unseen in training has a share of 0: charge the smallest step, not infinity.
    return float(-np.log(np.maximum(said, np.finfo(np.float64).eps)).mean())
