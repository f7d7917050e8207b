"""Walk-forward training: nothing later leaks in, the same bytes come out."""

from __future__ import annotations

import numpy as np
import pytest

from crypto_quant.core.errors import ConfigError, DataError
from crypto_quant.models import training
from crypto_quant.models.fold_model import FoldModel, SkippedFold
from crypto_quant.models.labels import Bars
from crypto_quant.models.splits import Fold, SplitConfig
from crypto_quant.models.training import (
    ResearchTable,
    Training,
    TrainingConfig,
    train_walk_forward,
)
from tests.unit.models.market import DAY, HOUR, START, World, mean_range, planted_world, walk_bars


def _train(
    world: World, config: TrainingConfig | None = None, workers: int = 1, **labels: str
) -> Training:
    return train_walk_forward(
        world.table, world.labels(**labels), world.segments, config or TrainingConfig(), workers
    )


def _same(a: FoldModel, b: FoldModel) -> bool:
    return a.model.save() == b.model.save() and all(
        repr(getattr(a, name)) == repr(getattr(b, name))
        for name in FoldModel.__dataclass_fields__
        if name != "model"
    )


@pytest.fixture(scope="module")
def world() -> World:
    return planted_world()


@pytest.fixture(scope="module")
def trained(world: World) -> Training:
    return _train(world)


def test_training_result_does_not_depend_on_run_or_workers(world: World, trained: Training) -> None:
    assert len(trained.folds) == 15
    for workers in (1, 2):
        again = _train(world, workers=workers)
        assert len(again.folds) == len(trained.folds)
        assert all(_same(a, b) for a, b in zip(trained.folds, again.folds, strict=True))


def test_progress_is_told_before_the_next_folds_are_trained_in_this_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[int] = []
    trained_when: list[int] = []

    def skipped(task: object, fold: Fold) -> SkippedFold:
        del task
        trained_when.append(sum(told[-1:]))
        return SkippedFold(fold, "only counted")

    monkeypatch.setattr(training, "FOLDS_PER_TASK", 2)
    monkeypatch.setattr(training, "_train_fold", skipped)
    world = planted_world(days=100)
    train_walk_forward(
        world.table,
        world.labels(),
        world.segments,
        TrainingConfig(),
        1,
        lambda done, _: told.append(done),
    )
    assert told == [2, 4, 6]
    assert trained_when == [0, 0, 2, 2, 4, 4]


@pytest.mark.parametrize("anchored", [False, True])
def test_fold_does_not_change_with_anything_after_its_test_start(anchored: bool) -> None:
    world = planted_world(days=100)
    config = TrainingConfig(split=SplitConfig(anchored=anchored))
    rng = np.random.default_rng(0)
    folds = _train(world, config).folds
    assert len(folds) == 6
    for fold in folds[:3]:
        now = fold.valid_from
        cut = int(np.searchsorted(world.bars.ts, now))
        other = walk_bars(rng, len(world.bars.ts))
        columns = [
            np.concatenate([past[:cut], future[cut:]])
            for past, future in zip(world.bars[1:5], other[1:5], strict=True)
        ]
        bars = Bars._make([world.bars.ts, *columns, HOUR])
        values = world.table.values.copy()
        late = world.table.ts >= now
        values[late] = rng.permutation(values[late]) * 50.0
        table = ResearchTable(world.table.ts, values, world.table.names)
        changed = _train(World(bars, table, mean_range(bars), world.segments), config).folds
        for before, after in zip(folds, changed, strict=True):
            assert _same(before, after) == (before.valid_from <= now)


def test_fold_does_not_see_rows_within_the_purge(world: World, trained: Training) -> None:
    fold = trained.folds[3]
    values = world.table.values.copy()
    close = world.table.ts >= fold.valid_from - 24 * HOUR
    values[close] = 1e6
    table = ResearchTable(world.table.ts, values, world.table.names)
    short = [(START, fold.valid_to)]
    again = train_walk_forward(table, world.labels(), short, TrainingConfig(), 1)
    assert _same(again.folds[3], fold)


def test_fold_reports_what_it_was_trained_on(world: World, trained: Training) -> None:
    labels = world.labels()
    for fold in trained.folds:
        start, end = fold.fold.train_start, fold.fold.test_start
        assert end - start == 60 * DAY
        rows = [
            i
            for i in range(len(labels))
            if start <= labels.t0[i] < end - 24 * HOUR and labels.t1[i] < end
        ]
        assert fold.n_train == len(rows)
        assert 30 < fold.n_effective < 0.3 * fold.n_train
        assert len(fold.features) <= fold.n_effective / 10
        reasons = {item.name: item.reason for item in fold.dropped}
        assert reasons["gappy"].startswith("NaN > 20%")
        assert reasons["constant"] == "constant"
        assert reasons["copy"] == "ranks like drift"
        assert "drift" in fold.names
        assert set(reasons) | set(fold.names) == set(world.table.names)
        assert sum(fold.base_rate) == pytest.approx(1.0)


def test_anchored_folds_grow(world: World) -> None:
    config = TrainingConfig(split=SplitConfig(anchored=True))
    counts = [fold.n_train for fold in _train(world, config).folds]
    assert counts == sorted(counts)
    assert counts[-1] > 2 * counts[0]


def test_fold_with_too_few_labels_or_features_is_skipped_with_the_reason(world: World) -> None:
    few = _train(world, TrainingConfig(least_rows=5_000))
    assert few.folds == ()
    assert "fewer than 5000" in few.skipped[0].reason
    empty = ResearchTable(world.table.ts, np.full((len(world.table.ts), 1), np.nan), ("gone",))
    blind = train_walk_forward(empty, world.labels(), world.segments, TrainingConfig(), 1)
    assert {fold.reason for fold in blind.skipped} == {"no feature is usable"}


def test_training_reports_progress_to_the_end(world: World) -> None:
    seen: list[tuple[int, int]] = []

    def note(done: int, total: int) -> None:
        seen.append((done, total))

    train_walk_forward(
        world.table, world.labels(), world.segments, TrainingConfig(), 1, progress=note
    )
    assert seen == [(12, 15), (15, 15)]


def test_purge_shorter_than_a_label_is_refused(world: World) -> None:
    labels = world.labels()
    long = labels.take(np.arange(300))
    long.t1[-1] += 30 * HOUR
    with pytest.raises(ConfigError, match="purge_h"):
        train_walk_forward(world.table, long, world.segments, TrainingConfig(), 1)


def test_unknown_model_is_refused(world: World) -> None:
    with pytest.raises(ConfigError, match="expected one of lightgbm, was 'oracle'"):
        _train(world, TrainingConfig(model="oracle"))


def test_research_table_of_uneven_parts_is_refused() -> None:
    ts = np.arange(4, dtype=np.int64)
    with pytest.raises(DataError, match="values of shape"):
        ResearchTable(ts, np.ones((4, 2)), ("a",))
    with pytest.raises(DataError, match="ascend"):
        ResearchTable(ts[::-1], np.ones((4, 1)), ("a",))
