"""Files that are whole, whoever writes them, and folders with one writer."""

from __future__ import annotations

import fcntl
import multiprocessing
import os
from pathlib import Path

import pytest

from crypto_quant.core.errors import DataError
from crypto_quant.core.files import claim, owned, whole

SIZE = 1_000_000
TIMES = 60


def _write(path: Path, letter: str) -> None:
    for _ in range(TIMES):
        with whole(path) as part:
            part.write_text(letter * SIZE)


def test_a_reader_never_sees_part_of_a_file_that_two_processes_write(tmp_path: Path) -> None:
    path = tmp_path / "table"
    path.write_text("a" * SIZE)
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write, args=(path, letter)) for letter in "ab"]
    for writer in writers:
        writer.start()
    reads = 0
    while any(writer.is_alive() for writer in writers):
        text = path.read_text()
        assert text in ("a" * SIZE, "b" * SIZE)
        reads += 1
    assert [writer.exitcode for writer in writers] == [0, 0]
    assert reads > 10
    assert os.listdir(tmp_path) == ["table"]


def test_what_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "table"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt):
        _interrupted(path)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["table"]


def _interrupted(path: Path) -> None:
    with whole(path) as part:
        part.write_text("half")
        raise KeyboardInterrupt


def test_files_have_the_rights_that_the_user_gives_files(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("")
    with whole(tmp_path / "made") as part:
        part.write_text("")
    modes = {(tmp_path / name).stat().st_mode for name in ("plain", "made")}
    assert len(modes) == 1


def test_a_folder_has_one_writer(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "one"
    said = "the same run is being written here"
    with owned(folder, said):
        with pytest.raises(DataError, match=f"{said}; wait until it ends"), owned(folder, said):
            pass
        (folder / "kept").write_text("")
    with owned(folder, said):
        assert (folder / "kept").exists()


@pytest.mark.parametrize("is_made_anew", [False, True])
def test_a_folder_that_its_owner_removed_is_not_claimed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_made_anew: bool
) -> None:
    """The owner before removes the folder between our opening it and our locking it."""
    folder = tmp_path / "run"
    folder.mkdir()
    lock = fcntl.flock

    def late(handle: int, how: int) -> None:
        folder.rmdir()
        if is_made_anew:
            (tmp_path / "other").mkdir()  # may get the number of the one that went
            folder.mkdir()
        lock(handle, how)

    monkeypatch.setattr(fcntl, "flock", late)
    handles = len(os.listdir("/proc/self/fd"))
    if is_made_anew:
        assert claim(folder) == -1
    else:
        with pytest.raises(FileNotFoundError):
            claim(folder)
    assert len(os.listdir("/proc/self/fd")) == handles


def test_a_file_is_not_claimed_as_a_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError):
        claim(tmp_path / "file")
