"""Diagnostics: a planted edge is found, and where there is none, none is."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy import stats  # type: ignore[import-untyped]  # scipy ships no types

from crypto_quant.backtesting.validation.diagnostics import OutOfSample, diagnose
from crypto_quant.backtesting.validation.evaluate import evaluate
from crypto_quant.backtesting.validation.trials import TrialLog
from crypto_quant.core.errors import InvariantError
from crypto_quant.models.labels import LabelConfig, Labels, triple_barrier
from crypto_quant.models.training import (
    ResearchTable,
    Training,
    TrainingConfig,
    train_walk_forward,
)
from tests.unit.models.market import HOUR, mean_range, planted_world, real_bars, segments_of

Judge = Callable[[Training, ResearchTable, Labels], OutOfSample]


@pytest.fixture
def judge(tmp_path: Path) -> Judge:
    def run(training: Training, table: ResearchTable, labels: Labels) -> OutOfSample:
        log = TrialLog(tmp_path / "trials.sqlite")
        return evaluate(
            log, {}, "d", "c", lambda trial: diagnose(trial, training.folds, table, labels)
        ).result

    return run


def _shuffled(labels: Labels, rng: np.random.Generator) -> Labels:
    """Return labels whose outcomes are dealt out anew; spans, hence purge, stay."""
    order = rng.permutation(len(labels))
    return Labels(
        labels.row,
        labels.t0,
        labels.t1,
        labels.kind[order],
        labels.net_long[order],
        labels.net_short[order],
    )


def test_planted_edge_is_found(judge: Judge) -> None:
    world = planted_world()
    labels = world.labels()
    training = train_walk_forward(world.table, labels, world.segments, TrainingConfig(), 1)
    found = judge(training, world.table, labels)
    assert len(found.folds) == len(training.folds)
    assert found.pooled.n == sum(fold.n for fold in found.folds) > 2_000
    assert found.pooled.ic > 0.2
    assert found.pooled.auc > 0.6
    assert found.pooled.log_loss < found.pooled.base_log_loss
    assert found.pooled.trades == sum(fold.trades for fold in found.folds) > 100
    assert found.pooled.net > 0


def test_shuffled_labels_have_no_edge(judge: Judge) -> None:
    world = planted_world()
    labels = _shuffled(world.labels(), np.random.default_rng(6))
    training = train_walk_forward(world.table, labels, world.segments, TrainingConfig(), 1)
    found = judge(training, world.table, labels).pooled
    # Outcomes are drawn independently of everything, so the IC has a deviation of 1/sqrt(n).
    assert abs(found.ic) < 4 / math.sqrt(found.n)
    # About 0.38 n labels are up and as many down: the AUC deviates by 1 / sqrt(6 x 0.38 n).
    assert abs(found.auc - 0.5) < 4 / math.sqrt(2 * found.n)
    assert found.log_loss > found.base_log_loss - 0.005


@pytest.mark.data
def test_nulls_on_real_bars_have_no_edge(judge: Judge, data_dir: Path) -> None:
    bars = real_bars(data_dir)
    rng = np.random.default_rng(17)
    ts = bars.ts + HOUR
    segments = [(start, min(end, start + 220 * 24 * HOUR)) for start, end in segments_of(bars)]
    labels = triple_barrier(bars, ts, mean_range(bars), segments, LabelConfig())
    moves = np.diff(np.log(bars.close), prepend=np.nan)
    trend = np.stack([np.convolve(moves, np.ones(w), "full")[: len(ts)] for w in (1, 8, 24)], 1)
    noise = ResearchTable(ts, rng.normal(size=(len(ts), 3)), ("n1", "n2", "n3"))
    real = ResearchTable(ts, trend, ("r1", "r8", "r24"))
    for table, outcome in ((noise, labels), (real, _shuffled(labels, rng))):
        training = train_walk_forward(table, outcome, segments, TrainingConfig(), 1)
        found = judge(training, table, outcome).pooled
        assert found.n > 1_000
        # Either the features or the outcomes are independent from row to row.
        assert abs(found.ic) < 4 / math.sqrt(found.n)


def test_diagnose_equals_plain_formulas(judge: Judge) -> None:
    world = planted_world(days=90)
    labels = world.labels()
    training = train_walk_forward(world.table, labels, world.segments, TrainingConfig(), 1)
    found = judge(training, world.table, labels)
    for fold, seen in zip(training.folds, found.folds, strict=True):
        rows = [i for i, t in enumerate(labels.t0) if fold.valid_from <= t < fold.valid_to]
        proba = [
            fold.model.predict_row(world.table.values[labels.row[i], fold.features]) for i in rows
        ]
        kinds = [int(labels.kind[i]) for i in rows]
        edge = [p.up - p.down for p in proba]
        half = [(labels.net_long[i] - labels.net_short[i]) / 2 for i in rows]
        assert seen.n == len(rows)
        if len(rows) < 3:  # few labels of the last fold end inside the segment
            assert math.isnan(seen.ic)
            continue
        assert seen.ic == pytest.approx(stats.spearmanr(edge, half).statistic)
        ups, downs = ([e for e, k in zip(edge, kinds, strict=True) if k == s] for s in (1, -1))
        wins = [(a > b) + (a == b) / 2 for a in ups for b in downs]
        assert seen.auc == pytest.approx(np.mean(wins))
        assert seen.log_loss == pytest.approx(
            np.mean([-math.log(p[k + 1]) for p, k in zip(proba, kinds, strict=True)])
        )
        assert seen.base_log_loss == pytest.approx(
            np.mean([-math.log(fold.base_rate[k + 1]) for k in kinds])
        )
        nets = [
            labels.net_long[i] if e > 0 else labels.net_short[i]
            for i, e in zip(rows, edge, strict=True)
            if abs(e) > fold.threshold.edge
        ]
        assert seen.trades == len(nets)
        if nets:
            assert seen.net == pytest.approx(np.mean(nets))
        else:
            assert math.isnan(seen.net)


def test_diagnose_of_no_folds_is_undefined_not_zero(judge: Judge) -> None:
    world = planted_world(days=70)
    found = judge(Training((), ()), world.table, world.labels())
    assert found.folds == ()
    assert found.pooled.n == 0
    assert math.isnan(found.pooled.ic)
    assert math.isnan(found.pooled.log_loss)


def test_diagnose_without_a_receipt_shows_nothing() -> None:
    world = planted_world(days=70)
    with pytest.raises(InvariantError, match="without a trial"):
        diagnose(None, [], world.table, world.labels())  # type: ignore[arg-type]  # the mistake
