"""What ``cq data import --skip-known`` passes over: by content, before anything is asked."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from crypto_quant.data_pipeline.storage import Catalog
from tests.integration.importing import Cq

SAID = "venue=BINANCE,symbol=BTCUSDT-PERP,kind=bar,interval=1h,stamp=open,volume=base"
HOUR_MS = 3_600_000
T0_MS = 1_709_251_200_000  # 2024-03-01 00:00 UTC


@pytest.fixture
def cq(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cq:
    """Return ``cq`` on a catalog that has the hours of ``h.csv``."""
    run = Cq(tmp_path / "catalog", monkeypatch, capsys)
    assert run("data", "import", hours(tmp_path / "h.csv", T0_MS), "--as", SAID).code == 0
    return run


def hours(path: Path, first_ms: int) -> Path:
    """Write two bars of an hour, which say neither their venue nor their unit."""
    path.parent.mkdir(exist_ok=True)
    rows = (f"{first_ms + n * HOUR_MS},100.1,100.9,99.9,100.5,1.5\n" for n in range(2))
    path.write_text("time,open,high,low,close,volume\n" + "".join(rows))
    return path


def test_a_known_file_is_asked_nothing(cq: Cq, tmp_path: Path) -> None:
    before = cq.files()
    folder = tmp_path / "again"
    folder.mkdir()
    shutil.copy(tmp_path / "h.csv", folder / "other name.csv")
    done = cq("data", "import", folder, "--skip-known")
    assert (done.code, done.err) == (0, "")
    assert "already in the catalog: 1 files" in done.out
    assert cq.files() == before
    said = json.loads(cq("data", "import", folder, "--skip-known", "--json").out)
    assert said == {"parts": [], "skipped": [], "known": [str(folder / "other name.csv")]}


def test_a_new_file_beside_it_is_still_asked_about(cq: Cq, tmp_path: Path) -> None:
    """It has the size of the known one: size alone does not make it known."""
    folder = tmp_path / "again"
    new = hours(folder / "new.csv", T0_MS + 2 * HOUR_MS)
    known = shutil.copy(tmp_path / "h.csv", folder / "h.csv")
    assert new.stat().st_size == Path(known).stat().st_size
    asked = cq("data", "import", folder, "--skip-known")
    assert (asked.code, asked.err.count("\n")) == (2, 1)
    assert "new.csv: table of OHLC bars; give venue" in asked.err
    done = cq("data", "import", folder, "--skip-known", "--as", SAID)
    assert done.code == 0, done.err
    assert "already in the catalog: 1 files" in done.out
    assert [part.source.name for part in Catalog(cq.catalog).parts] == ["h.csv", "new.csv"]


def test_two_copies_of_a_new_file_are_imported_once(cq: Cq, tmp_path: Path) -> None:
    folder = tmp_path / "again"
    shutil.copy(hours(folder / "a.csv", T0_MS + 2 * HOUR_MS), folder / "b.csv")
    done = cq("data", "import", folder, "--skip-known", "--as", SAID)
    assert (done.code, done.err) == (0, "")
    assert "already in the catalog: 1 files" in done.out
    assert len(Catalog(cq.catalog).parts) == 2


@pytest.mark.parametrize(
    "said",
    [
        SAID.replace("BTCUSDT-PERP", "ETHUSDT-PERP"),
        "venue=BINANCE,symbol=ETHUSDT-PERP",
        "venue=OKX,symbol=BTCUSDT-PERP",
        "kind=mark_bar",
    ],
)
def test_what_is_known_as_something_else_is_not_passed_over(
    cq: Cq, tmp_path: Path, said: str
) -> None:
    before = cq.files()
    done = cq("data", "import", tmp_path / "h.csv", "--skip-known", "--as", said)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert "h.csv: its content is in the catalog as bar/BTCUSDT-PERP.BINANCE/1h" in done.err
    assert cq.files() == before


def test_two_copies_of_a_new_file_cannot_be_two_instruments(cq: Cq, tmp_path: Path) -> None:
    """The folders of a known tree say which; neither is passed over for the other."""
    before = cq.files()
    row = f"{T0_MS},1,2,1,1,5,{T0_MS + HOUR_MS - 1},5,1,1,1,0\n"
    for symbol in ("AAAUSDT", "BBBUSDT"):
        path = tmp_path / "data/futures/um/daily/klines" / symbol / "1h" / "x.csv"
        path.parent.mkdir(parents=True)
        path.write_text(row)
    done = cq("data", "import", tmp_path / "data", "--skip-known")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "bar/AAAUSDT-PERP.BINANCE/1h (from x.csv), not as bar BBBUSDT-PERP.BINANCE" in done.err
    assert cq.files() == before
