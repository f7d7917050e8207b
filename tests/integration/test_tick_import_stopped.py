"""An import of ticks, whose stages run in threads, that is broken off: all of it or nothing."""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest

from crypto_quant.data_pipeline.storage import Catalog
from tests.integration.importing import Cq

SAID = "venue=BINANCE,symbol=BTCUSDT-PERP"
T0 = 1_709_251_200_000  # 2024-03-01 00:00 UTC
ROWS = 600_000


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an archive file of trades: seconds of work in several row groups."""
    rng = np.random.default_rng(11)
    rows = zip(rng.integers(600_000, 620_000, ROWS), rng.integers(1, 10**6, ROWS), strict=True)
    lines = (f"{n},{px / 10},{qty / 1000},1,{T0 + n},true\n" for n, (px, qty) in enumerate(rows))
    path = tmp_path_factory.mktemp("archive") / "BTCUSDT-trades.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as box:
        box.writestr("BTCUSDT-trades.csv", "".join(lines))
    return path


@pytest.fixture
def cq(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cq:
    """Return ``cq`` with a catalog that holds one trade of an earlier day."""
    run = Cq(tmp_path / "catalog", monkeypatch, capsys)
    good = tmp_path / "good.csv"
    good.write_text(f"7,61800.1,0.002,1,{T0 - 86_400_000},true\n")
    assert run("data", "import", good, "--as", SAID).code == 0
    return run


def _command(cq: Cq, path: Path) -> list[str]:
    words = ["data", "import", str(path), "--as", SAID, "--catalog", str(cq.catalog)]
    return [sys.executable, "-c", "from crypto_quant.cli import main; main()", *words]


@pytest.mark.parametrize("bytes_written", [1, 2_000_000])
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_stopped_import_leaves_the_catalog_as_it_was(
    cq: Cq, archive: Path, sent: signal.Signals, bytes_written: int
) -> None:
    before = cq.files()
    process = subprocess.Popen(_command(cq, archive), stderr=subprocess.PIPE, text=True)  # noqa: S603 - our own program
    deadline = time.monotonic() + 60
    while sum(f.stat().st_size for f in cq.catalog.rglob("*.tmp")) < bytes_written:
        assert process.poll() is None, "the import ended before it could be stopped"
        assert time.monotonic() < deadline
        time.sleep(0.001)
    process.send_signal(sent)
    _, err = process.communicate(timeout=60)
    if sent is not signal.SIGKILL:
        assert process.returncode == 2
        assert err.strip() == "cq: interrupted; nothing half-done was kept"
        assert cq.files() == before
    assert cq("data", "list").code == 0
    with Catalog(cq.catalog).transaction():
        assert cq.files() == before, "the next import did not clean up"


def test_a_full_disk_is_one_line_and_changes_nothing(cq: Cq, archive: Path) -> None:
    before = cq.files()

    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, 1_500_000))

    done = subprocess.run(  # noqa: S603 - our own program
        _command(cq, archive), capture_output=True, text=True, check=False, preexec_fn=small_files
    )
    assert done.returncode == 2, done.stderr
    assert done.stderr.strip().endswith("the disk is full; nothing was imported")
    assert done.stderr.count("\n") == 1, done.stderr
    assert cq.files() == before


def test_the_same_file_is_imported_once_and_always_as_the_same_bytes(
    cq: Cq, archive: Path, tmp_path: Path
) -> None:
    assert cq("data", "import", archive, "--as", SAID).code == 0
    first = cq.files()
    again = cq("data", "import", archive, "--as", SAID)
    assert (again.code, again.err.count("\n")) == (2, 1)
    assert "already in the catalog as trade/BTCUSDT-PERP.BINANCE" in again.err
    assert cq.files() == first
    other = tmp_path / "other"
    words: list[str | Path] = ["data", "import", tmp_path / "good.csv", archive, "--as", SAID]
    assert cq(*words, "--catalog", other).code == 0
    parts = {p.name: p.read_bytes() for p in other.rglob("*.parquet")}
    assert parts == {Path(name).name: data for name, data in first.items() if "parquet" in name}
