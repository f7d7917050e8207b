"""Trained folds on disk: what is read is what was written, byte for byte again."""

from __future__ import annotations

from pathlib import Path

import pytest

from crypto_quant.core.errors import DataError
from crypto_quant.models.storage import load_folds, save_folds
from crypto_quant.models.training import Training, TrainingConfig, train_walk_forward
from tests.unit.models.market import planted_world


@pytest.fixture(scope="module")
def trained() -> Training:
    world = planted_world(days=80)
    return train_walk_forward(world.table, world.labels(), world.segments, TrainingConfig(), 1)


def test_folds_survive_the_disk(trained: Training, tmp_path: Path) -> None:
    assert trained.folds
    save_folds(tmp_path / "a.zip", trained.folds)
    loaded = load_folds(tmp_path / "a.zip")
    assert [f.id for f in loaded] == [f.id for f in trained.folds]
    for before, after in zip(trained.folds, loaded, strict=True):
        for name in type(before).__dataclass_fields__:
            if name != "model":
                assert repr(getattr(after, name)) == repr(getattr(before, name))
        assert after.model.save() == before.model.save()
    save_folds(tmp_path / "b.zip", loaded)
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_no_folds_survive_the_disk_too(tmp_path: Path) -> None:
    save_folds(tmp_path / "none.zip", [])
    assert load_folds(tmp_path / "none.zip") == []


def test_load_folds_of_a_bad_file_says_so(trained: Training, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot read the models"):
        load_folds(tmp_path / "missing.zip")
    save_folds(tmp_path / "whole.zip", trained.folds)
    whole = (tmp_path / "whole.zip").read_bytes()
    for wrong in (b"", b"no zip", whole[: len(whole) // 2]):
        (tmp_path / "cut.zip").write_bytes(wrong)
        with pytest.raises(DataError, match="not a file of trained folds"):
            load_folds(tmp_path / "cut.zip")
