"""A run's folder: one writer, and nothing left of a first run that failed."""

from __future__ import annotations

from pathlib import Path

import pytest

from crypto_quant.backtesting.engine.folder import FINISHED, run_folder
from crypto_quant.core.errors import DataError


def test_a_first_run_that_fails_leaves_no_folder(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "one"
    with pytest.raises(KeyboardInterrupt):
        _interrupted(folder)
    assert not folder.exists()


def _interrupted(folder: Path) -> None:
    with run_folder(folder):
        (folder / "half").write_text("")
        raise KeyboardInterrupt


def test_a_finished_run_survives_one_that_fails_after_it(tmp_path: Path) -> None:
    folder = tmp_path / "one"
    with run_folder(folder):
        (folder / FINISHED).write_text("")
    with pytest.raises(DataError), run_folder(folder):
        raise DataError("later")
    assert (folder / FINISHED).exists()


def test_the_same_run_twice_at_once_leaves_the_first_alone(tmp_path: Path) -> None:
    folder = tmp_path / "one"
    with run_folder(folder):
        (folder / "half").write_text("")
        with pytest.raises(DataError, match="the same run is being written"), run_folder(folder):
            pass
        assert (folder / "half").exists()


def test_what_a_killed_run_left_unfinished_goes(tmp_path: Path) -> None:
    folder = tmp_path / "one"
    folder.mkdir()
    (folder / ".fills.parquet.1-0.part").write_text("")
    (folder / "fills.parquet").write_text("")
    with run_folder(folder):
        assert [path.name for path in folder.iterdir()] == ["fills.parquet"]
