"""Catalogs that are damaged, full, read-only or busy: one line, exit 2, nothing changed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from crypto_quant.data_pipeline.storage import Catalog
from tests.integration.importing import Cq

BARS = "venue=BINANCE,symbol=BTCUSDT-PERP,kind=bar,interval=1h,stamp=open,volume=base"
KEY = "BTCUSDT-PERP.BINANCE/1h"
T0 = 1_709_251_200  # 2024-03-01 00:00 UTC
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a file system")


def _bars(path: Path, first: int) -> Path:
    rows = "".join(f"{T0 + n * 3600},1,1,1,1,1\n" for n in range(first, first + 10))
    path.write_text("epoch,open,high,low,close,volume\n" + rows)
    return path


@pytest.fixture
def cq(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cq:
    """Return ``cq`` with a catalog that holds ten hours."""
    run = Cq(tmp_path / "catalog", monkeypatch, capsys)
    assert run("data", "import", _bars(tmp_path / "good.csv", 0), "--as", BARS).code == 0
    return run


def _refused(cq: Cq, message: str, *words: str | Path) -> None:
    before = cq.files()
    done = cq(*words)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1), done
    assert done.err.startswith("cq: ")
    assert message in done.err
    assert cq.files() == before


@contextmanager
def _mounted(folder: Path, *words: str) -> Iterator[Path]:
    """Mount what ``words`` say at a folder; skip where this is not allowed."""
    folder.mkdir(exist_ok=True)
    mount = ["mount", *words, str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:  # noqa: S603 - fixed
        pytest.skip("mounting is not allowed here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)  # noqa: S603, S607 - fixed


def _one_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 4
    path.write_bytes(content)


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "cut": (lambda path: path.write_bytes(path.read_bytes()[:-20]), "damaged, its hash is not"),
    "one bit": (_one_bit, "damaged, its hash is not what it was"),
    "gone": (Path.unlink, "cannot be read (No such file or directory)"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_part_that_is_damaged_is_named_and_imported_again(
    cq: Cq, tmp_path: Path, damage: str
) -> None:
    spoil, words = DAMAGES[damage]
    rows = Catalog(cq.catalog).scan("bar", KEY)
    path = cq.catalog / Catalog(cq.catalog).parts[0].path
    spoil(path)
    message = f"{path}: {words}"
    _refused(cq, message, "data", "list")
    _refused(cq, message, "data", "validate")
    _refused(cq, message, "data", "export", "bar", KEY, tmp_path / "x.parquet")
    assert not (tmp_path / "x.parquet").exists()
    again = cq("data", "import", tmp_path / "good.csv", "--as", BARS, "--skip-known")
    assert again.code == 0, again
    assert Catalog(cq.catalog).scan("bar", KEY).equals(rows)
    assert len([name for name in cq.files() if name.endswith(".parquet")]) == 1


@pytest.mark.parametrize("content", ["", "x", "[1]", '{"a": 1}'])
def test_a_damaged_journal_is_named(cq: Cq, tmp_path: Path, content: str) -> None:
    (cq.catalog / ".pending.json").write_text(content)
    assert cq("data", "list").code == 0
    _refused(cq, ".pending.json", "data", "import", _bars(tmp_path / "b.csv", 20), "--as", BARS)


def test_a_catalog_below_a_file_is_none(cq: Cq, tmp_path: Path) -> None:
    below = tmp_path / "good.csv" / "catalog"
    message = f"{below}: cannot be read as a catalog (Not a directory)"
    for words in (["list"], ["import", str(tmp_path / "good.csv"), "--as", BARS], ["validate"]):
        _refused(cq, message, "data", *words, "--catalog", below)


def test_a_second_import_at_once_is_refused_and_the_first_goes_on(cq: Cq, tmp_path: Path) -> None:
    words = ["data", "import", str(_bars(tmp_path / "b.csv", 20)), "--as", BARS]
    with Catalog(cq.catalog).transaction():
        _refused(cq, "another import is writing here; wait until it ends", *words)
        assert cq("data", "list").code == 0
    assert cq(*words).code == 0


def test_a_catalog_that_cannot_be_opened_for_writing_is_not_left_locked(
    cq: Cq, tmp_path: Path
) -> None:
    manifest = cq.catalog / "manifest.json"
    good = manifest.read_bytes()
    catalog = Catalog(cq.catalog)
    manifest.write_text("{")
    with pytest.raises(Exception, match="not a catalog manifest"), catalog.transaction():
        pass
    manifest.write_bytes(good)
    assert cq("data", "import", _bars(tmp_path / "b.csv", 20), "--as", BARS).code == 0


@as_root
def test_a_read_only_catalog_is_read_and_not_written(cq: Cq, tmp_path: Path) -> None:
    more = _bars(tmp_path / "b.csv", 20)
    (cq.catalog / "bar" / ".part-0.tmp").write_text("an import that died left this")
    with _mounted(tmp_path / "ro", "--bind", str(cq.catalog)) as folder:
        remount = ["mount", "-o", "remount,bind,ro", str(folder)]
        subprocess.run(remount, check=True)  # noqa: S603 - fixed
        root: list[str | Path] = ["--catalog", folder]
        message = f"{folder}: cannot be written (Read-only file system)"
        _refused(cq, message, "data", "import", more, "--as", BARS, *root)
        message = f"{folder}/x.parquet: cannot be written (Read-only file system)"
        _refused(cq, message, "data", "export", "bar", KEY, folder / "x.parquet", *root)
        message = f"{folder}/new: cannot be written (Read-only file system)"
        _refused(cq, message, "data", "generate", folder / "new", "--days", "1")
        assert KEY in cq("data", "list", *root).out


@as_root
def test_a_full_disk_leaves_no_export_and_no_half_of_a_market(cq: Cq, tmp_path: Path) -> None:
    with _mounted(tmp_path / "small", "-t", "tmpfs", "-o", "size=64k", "tmpfs") as folder:
        (folder / "x.parquet").write_bytes(b"kept")
        (folder / "filler").write_bytes(b"x" * 60_000)
        full = "cannot be written (No space left on device)"
        _refused(cq, full, "data", "export", "bar", KEY, folder / "x.parquet")
        _refused(cq, full, "data", "generate", folder / "a" / "market", "--days", "30")
        assert sorted(path.name for path in folder.iterdir()) == ["filler", "x.parquet"]
        assert (folder / "x.parquet").read_bytes() == b"kept"


def test_an_export_into_no_folder_is_one_line(cq: Cq, tmp_path: Path) -> None:
    out = tmp_path / "none" / "x.parquet"
    message = f"{out}: cannot be written (No such file or directory)"
    _refused(cq, message, "data", "export", "bar", KEY, out)


def test_ctrl_c_after_the_work_is_done_does_not_unsay_it(cq: Cq, tmp_path: Path) -> None:
    """The process sends it to itself while it ends, when the interpreter takes handlers away."""
    script = (
        "import atexit, os, signal; atexit.register(os.kill, os.getpid(), signal.SIGINT); "
        "from crypto_quant.cli import main; main()"
    )
    words = ["data", "import", str(_bars(tmp_path / "b.csv", 20)), "--as", BARS]
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", script, *words], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith(f"imported 10 rows of 1 files into {cq.catalog}\n")
    assert len(Catalog(cq.catalog).parts) == 2
