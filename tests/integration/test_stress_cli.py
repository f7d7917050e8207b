"""``cq stress`` on a generated market: what it writes, prints and refuses."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import run_cq, run_folder

needs_ray = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="the ray extra is not installed"
)
pytestmark = pytest.mark.xdist_group("stress")

CONFIG = """beside = false
[capital.shares]
carry = 1
"""
SHOCKS = ("gap_down", "latency_x50", "deleveraging")
CHOSEN = ["--skip", "windows", *(word for key in SHOCKS for word in ("--shock", key))]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a carry run on a generated market, stressed with a small surface."""
    folder = tmp_path_factory.mktemp("stress")
    (folder / "my.toml").write_text(CONFIG)
    for words in (
        ["data", "generate", "market", "--days", "130"],
        ["data", "import", "market"],
        ["walk-forward", "--config", "my.toml"],
    ):
        done = run_cq(folder, *words)
        assert done.returncode == 0, done.stderr
    shutil.copytree(folder / "runs", folder / "before")
    done = run_cq(folder, *command(folder, "--draws", "200", *CHOSEN), *surface())
    assert done.returncode == 0, done.stderr
    (folder / "stdout.txt").write_text(done.stdout)
    (folder / "stderr.txt").write_text(done.stderr)
    return folder


def command(folder: Path, *more: str) -> list[str]:
    return ["stress", str(run_folder(folder).relative_to(folder)), *more]


def surface() -> list[str]:
    return ["--grid", "carry.entry_margin=0,1", "--grid", "carry.horizon_h=360"]


@pytest.fixture(scope="module")
def found(made: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((run_folder(made) / "stress.json").read_text())
    return read


def trials(folder: Path) -> int:
    [log] = (folder / "runs").glob("generated-*.sqlite")
    with sqlite3.connect(log) as db:
        return int(db.execute("SELECT COUNT(DISTINCT identity) FROM trials").fetchone()[0])


def test_a_shock_has_figures_or_a_reason(found: dict[str, Any]) -> None:
    assert list(dict.fromkeys(row["key"] for row in found["shocks"])) == list(SHOCKS)
    for row in found["shocks"]:
        assert bool(row["why"]) == (row["shocked"] is None) == (row["key"] == "latency_x50")
    taken = [row["shocked"]["taken"] for row in found["shocks"] if row["key"] == "deleveraging"]
    assert taken
    assert all(count == 1 for count in taken)


def test_the_terminal_and_the_page_say_so(made: Path, found: dict[str, Any]) -> None:
    said = (made / "stdout.txt").read_text()
    page = (run_folder(made) / "report.html").read_text()
    assert said.startswith("GENERATED DATA")
    for row in found["shocks"]:
        assert row["label"] in said
        assert row["label"] in page
    assert "neighbours keep" in said
    assert re.search(r"windows and shocks: \d", (made / "stderr.txt").read_text())
    for part in ("Shocks laid over", "Monte Carlo", "Parameter surface"):
        assert f"<h3>{part}" in page
    assert page.count("<svg") >= 3
    plain = (made / "before" / run_folder(made).name / "report.html").read_text()
    assert 'id="stress"' not in plain


def test_the_cell_of_the_run_is_the_run(made: Path, found: dict[str, Any]) -> None:
    metrics = json.loads((run_folder(made) / "metrics.json").read_text())
    own = [cell for cell in found["surface"]["cells"] if cell["is_own"]]
    assert len(own) == 1
    scored = metrics["rows"][0]["scored"]
    assert own[0]["sharpe_daily"] == pytest.approx(scored["sharpe_daily"])
    assert own[0]["depth"] == pytest.approx(scored["max_drawdown"])
    assert own[0]["total"] == pytest.approx(scored["total"])
    assert len(found["surface"]["cells"]) == 6


def test_only_the_new_cells_are_new_trials(made: Path, found: dict[str, Any]) -> None:
    """The run, its replays and its own cell are one trial; five cells are five more."""
    assert trials(made) == found["trials"] == 6


def test_again_it_writes_the_same_bytes_and_counts_nothing(made: Path) -> None:
    first = {
        name: (run_folder(made) / name).read_bytes() for name in ("stress.json", "report.html")
    }
    done = run_cq(made, *command(made, "--draws", "200", "--json", *CHOSEN), *surface())
    assert done.returncode == 0, done.stderr
    assert done.stdout.encode() == first["stress.json"]
    for name, content in first.items():
        assert (run_folder(made) / name).read_bytes() == content
    assert trials(made) == 6


def test_parts_are_left_out(made: Path, tmp_path: Path) -> None:
    for name in ("catalog", "runs"):
        shutil.copytree(made / name, tmp_path / name)
    done = run_cq(tmp_path, *command(tmp_path, "--json", "--skip", "shocks", "--skip", "draws"))
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert (seen["drawn"], seen["shocks"], seen["surface"]) == ([], [], None)
    assert {row["key"] for row in seen["windows"]} >= {"worst_hour", "best_day", "basis", "wick"}
    page = (run_folder(tmp_path) / "report.html").read_text()
    assert "Extreme windows" in page
    assert "Monte Carlo" not in page


@pytest.mark.parametrize("executor", ["inline", pytest.param("ray", marks=needs_ray)])
def test_where_the_cells_run_changes_no_byte(made: Path, tmp_path: Path, executor: str) -> None:
    """The first surface was run in the pool; its cells are kept, here they are run anew."""
    for name in ("catalog", "runs"):
        shutil.copytree(made / name, tmp_path / name)
    shutil.rmtree(tmp_path / "runs" / "cells")
    words = command(tmp_path, "--draws", "200", *CHOSEN)
    done = run_cq(tmp_path, *words, *surface(), "--executor", executor, "--workers", "2")
    assert done.returncode == 0, done.stderr
    new, first = (run_folder(folder) / "stress.json" for folder in (tmp_path, made))
    assert new.read_bytes() == first.read_bytes()
    assert len(list((tmp_path / "runs" / "cells").iterdir())) == 6
    assert trials(tmp_path) == 6


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--executor", "inline"], "cq: --executor, --workers: they are of --grid, which is not"),
        ([*surface(), "--executor", "cloud"], "cq: executor: expected inline, pool, ray or ray://"),
        (["stress", "nothing"], "cq: runs/nothing: not a run folder (no equity.parquet in it)"),
        (["--shock", "meteor"], "cq: --shock meteor: no such shock; there are gap_down, gap_up,"),
        (["--grid", "carry.entry_margin=0"], "cq: --grid: a surface has two keys, 1 given"),
        (["--catalog", "elsewhere"], "cq: elsewhere: no catalog here holds the data"),
        (["--draws", "3"], "cq: Invalid value for '--draws': 3 is not in the range"),
    ],
)
def test_bad_words_are_one_line_and_exit_2(made: Path, words: list[str], said: str) -> None:
    done = run_cq(made, *(words if words[0] == "stress" else command(made, *words)))
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith(said)
    assert done.stderr.count("\n") == 1


def test_a_file_that_is_not_ours_is_named(made: Path, tmp_path: Path) -> None:
    shutil.copytree(run_folder(made), tmp_path / "run")
    (tmp_path / "run" / "stress.json").write_text('{"shocks": []}')
    done = run_cq(tmp_path, "report", "run")
    assert done.returncode == 2
    assert "stress.json: not what cq stress writes; run it again" in done.stderr
