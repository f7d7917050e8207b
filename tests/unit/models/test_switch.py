"""Which model is in force, and that it is asked what it was trained on."""

from __future__ import annotations

import numpy as np
import pytest

from crypto_quant.core.errors import ConfigError
from crypto_quant.core.messages import FeatureVector
from crypto_quant.models.switch import ModelSwitch
from crypto_quant.models.training import Training, TrainingConfig, train_walk_forward
from tests.unit.models.market import DAY, HOUR, World, planted_world


@pytest.fixture(scope="module")
def world() -> World:
    return planted_world(days=120)


@pytest.fixture(scope="module")
def trained(world: World) -> Training:
    # Two segments, so that there is a stretch without a model between them.
    start, end = world.segments[0]
    segments = [(start, start + 50 * DAY + 24 * DAY), (start + 75 * DAY, end)]
    whole = train_walk_forward(world.table, world.labels(), [(start, end)], TrainingConfig(), 1)
    first = train_walk_forward(world.table, world.labels(), segments, TrainingConfig(), 1)
    return Training((*first.folds, *whole.folds[-2:]), ())


def test_switch_equals_search_over_all_folds(world: World, trained: Training) -> None:
    rng = np.random.default_rng(2)
    ascending = world.table.ts.tolist()
    for times in (ascending, rng.permutation(world.table.ts).tolist()):
        switch = ModelSwitch(trained.folds, world.table.names)
        for ts in times:
            inside = [f for f in trained.folds if f.valid_from <= ts < f.valid_to]
            assert switch.at(ts) is (inside[0] if inside else None)


def test_switch_predicts_as_the_fold_in_force(world: World, trained: Training) -> None:
    switch = ModelSwitch(trained.folds, world.table.names)
    for fold in trained.folds:
        row = int(np.searchsorted(world.table.ts, fold.valid_from))
        vector = FeatureVector(fold.valid_from, world.table.values[row])
        prediction = switch.predict(vector)
        assert prediction is not None
        down, _, up = fold.predict_proba(world.table.values[row : row + 1])[0].tolist()
        assert (prediction.ts, prediction.p_up, prediction.p_down) == (fold.valid_from, up, down)
        assert prediction.model == fold.id


def test_switch_has_no_prediction_outside_the_folds(world: World, trained: Training) -> None:
    switch = ModelSwitch(trained.folds, world.table.names)
    values = world.table.values[0]
    for ts in (trained.folds[0].valid_from - HOUR, trained.folds[-1].valid_to):
        assert switch.predict(FeatureVector(ts, values)) is None
    assert ModelSwitch([], world.table.names).at(trained.folds[0].valid_from) is None


def test_switch_refuses_other_features_and_overlapping_folds(
    world: World, trained: Training
) -> None:
    with pytest.raises(ConfigError, match="train again"):
        ModelSwitch(trained.folds, world.table.names[::-1])
    with pytest.raises(ConfigError, match="nothing"):
        ModelSwitch(trained.folds, world.table.names[:1])
    with pytest.raises(ConfigError, match="in force together"):
        ModelSwitch([trained.folds[0], trained.folds[0]], world.table.names)
