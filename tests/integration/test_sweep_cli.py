"""``cq sweep`` on a generated market: same bytes wherever it runs, and nothing done is lost."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.e2e.conftest import run_cq

pytestmark = pytest.mark.xdist_group("sweep")
needs_ray = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="the ray extra is not installed"
)

TICKS = """workers = 2
axes.signal.enter = [0.5, 0.7]
axes.size.hold_ms = [1000, 4000, 0]
"""
BARS = """kind = "bars"
axes.carry.halflife_h = [84, 336]
axes.risk.daily_loss = [0.03]

[config]
beside = false
capital.shares.carry = "1"
"""
TOKEN = {"RAY_AUTH_TOKEN": "5" * 64}
"""A secret of the cluster that a test starts."""
TABLES = ("sweep.json", "cells.parquet", "config.toml", "manifest.json")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with two minutes of generated books, their catalog and a sweep file."""
    folder = tmp_path_factory.mktemp("sweep")
    for words in (
        ["data", "generate", "ticks", "--frames", "--minutes", "2", "--seed", "3"],
        ["data", "import", "ticks/generated_usdm"],
    ):
        done = run_cq(folder, *words)
        assert done.returncode == 0, done.stderr
    (folder / "ticks.toml").write_text(TICKS)
    return folder


@pytest.fixture(scope="module")
def inline(made: Path) -> dict[str, bytes]:
    """Return what the sweep writes when nothing runs beside anything."""
    done = sweep(made, "inline")
    assert done.returncode == 2, done.stderr  # one value of an axis makes no configuration
    (made / "stdout.txt").write_text(done.stdout)
    (made / "stderr.txt").write_text(done.stderr)
    return written(made, "inline")


def sweep(folder: Path, name: str, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Sweep with an executor and folders of its own; a Ray keeps its token there, too."""
    executor = words or ("--executor", name)
    own = ("--runs", f"runs-{name}", "--trials", f"runs-{name}/trials.sqlite")
    return run_cq(folder, "sweep", "ticks.toml", *executor, *own, HOME=str(folder), **env)


def written(folder: Path, name: str) -> dict[str, bytes]:
    (found,) = (folder / f"runs-{name}").glob("sweep-*")
    return {table: (found / table).read_bytes() for table in TABLES}


def trials(folder: Path, name: str) -> tuple[int, int, int]:
    """Count rows, distinct trials and recorded numbers."""
    with sqlite3.connect(folder / f"runs-{name}/trials.sqlite") as db:
        (rows,) = db.execute("SELECT COUNT(*) FROM trials").fetchone()
        (distinct,) = db.execute("SELECT COUNT(DISTINCT identity) FROM trials").fetchone()
        (numbers,) = db.execute("SELECT COUNT(*) FROM outcomes").fetchone()
    return rows, distinct, numbers


def test_every_combination_is_a_row_with_what_its_own_backtest_gives(
    made: Path, inline: dict[str, bytes]
) -> None:
    found: dict[str, Any] = json.loads(inline["sweep.json"])
    values = [tuple(cell["values"].values()) for cell in found["cells"]]
    assert values == [(e, h) for e in (0.5, 0.7) for h in (1000, 4000, 0)]
    cell = found["cells"][4]
    one = run_cq(made, "backtest", "--json", CQ__SIGNAL__ENTER="0.7", CQ__SIZE__HOLD_MS="4000")
    assert one.returncode == 0, one.stderr
    (session,) = json.loads(one.stdout)["sessions"]
    assert cell["figures"]["pnl"] == session["pnl"]["total"]
    assert cell["figures"]["orders"] == session["orders"]["sent"] > 0
    assert found["is_generated"]
    rows = pq.read_table(next((made / "runs-inline").glob("sweep-*/cells.parquet"))).to_pylist()
    assert [str(row["pnl"]) for row in rows if row["pnl"] is not None][3].startswith(
        cell["figures"]["pnl"][:8]
    )


def test_a_cell_that_fails_is_named_and_loses_no_other(
    made: Path, inline: dict[str, bytes]
) -> None:
    cells = json.loads(inline["sweep.json"])["cells"]
    assert [cell["error"] is None for cell in cells] == [True, True, False] * 2
    said = (made / "stderr.txt").read_text()
    assert "cq: 2 of 6 cells failed:" in said
    assert "cell 2: signal.enter = 0.5, size.hold_ms = 0: size.hold_ms: Input should be" in said
    assert trials(made, "inline") == (4, 4, 4)


def test_processes_give_the_same_bytes_whatever_their_number(
    made: Path, inline: dict[str, bytes]
) -> None:
    for name, workers in (("pool-2", "2"), ("pool-3", "3")):
        done = sweep(made, name, "--executor", "pool", "--workers", workers)
        assert "2 of 6 cells failed" in done.stderr
        assert written(made, name) == inline


def test_cells_that_were_run_are_not_run_again_and_are_no_new_trials(
    made: Path, inline: dict[str, bytes]
) -> None:
    kept = {path: path.stat().st_mtime_ns for path in (made / "runs-inline/cells").iterdir()}
    assert len(kept) == 4
    lost = min(kept)
    lost.unlink()
    done = sweep(made, "inline")
    assert "3 of 6 cells were run before." in done.stdout
    assert written(made, "inline") == inline
    again = {path: path.stat().st_mtime_ns for path in kept}
    assert {path for path in kept if again[path] == kept[path]} == set(kept) - {lost}
    assert trials(made, "inline")[1] == 4


def test_ctrl_c_ends_at_once_and_keeps_what_was_done(made: Path) -> None:
    (made / "long.toml").write_text(f"axes.signal.enter = {[n / 1000 for n in range(400, 700)]}\n")
    words = ["sweep", "long.toml", "--runs", "runs-c", "--trials", "runs-c/trials.sqlite"]
    clean = {k: v for k, v in os.environ.items() if not k.startswith("CQ_")}
    process = subprocess.Popen(  # noqa: S603 - our own command line
        [str(Path(sys.executable).with_name("cq")), *words],
        cwd=made,
        env=clean,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    limit = time.monotonic() + 120
    while len(list((made / "runs-c").glob("cells/*.json"))) < 2:
        assert process.poll() is None
        assert time.monotonic() < limit
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 2
    assert said.splitlines()[-1] == "cq: interrupted; nothing half-done was kept"
    limit = time.monotonic() + 30  # what is told to end needs a moment
    while alive(process.pid):
        assert time.monotonic() < limit
        time.sleep(0.1)
    kept = len(list((made / "runs-c").glob("cells/*.json")))
    assert 2 <= kept < 300
    assert not list((made / "runs-c").glob("sweep-*"))
    assert trials(made, "c")[:2] == (300, 300)


def alive(group: int) -> list[str]:
    """Return the processes of a group that run: those that have ended may not be reaped."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = path.read_text().rpartition(")")
        except OSError:
            continue
        state, _, own = rest.split()[:3]
        if int(own) == group and state != "Z":
            found.append(name)
    return found


def test_a_sweep_over_bars_is_deflated(tmp_path: Path) -> None:
    for words in (["data", "generate", "market", "--days", "130"], ["data", "import", "market"]):
        assert run_cq(tmp_path, *words).returncode == 0
    (tmp_path / "bars.toml").write_text(BARS)
    done = run_cq(tmp_path, "sweep", "bars.toml")
    assert done.returncode == 0, done.stderr
    assert "as the best of 2; overfitted with probability" in done.stdout
    (folder,) = (tmp_path / "runs").glob("sweep-*")
    found = json.loads((folder / "sweep.json").read_text())
    env = {"CQ__BESIDE": "false", "CQ__CAPITAL__SHARES": "{carry = 1}"}
    one = run_cq(tmp_path, "walk-forward", "--json", CQ__CARRY__HALFLIFE_H="84", **env)
    (row, *_) = json.loads(one.stdout)["rows"]
    assert found["cells"][0]["figures"]["sharpe_daily"] == pytest.approx(
        row["scored"]["sharpe_daily"], rel=1e-12
    )


@needs_ray
@pytest.mark.usefixtures("inline")
def test_a_ray_that_is_started_for_it_gives_the_same_bytes(
    made: Path, inline: dict[str, bytes]
) -> None:
    done = sweep(made, "ray")
    assert "2 of 6 cells failed" in done.stderr, done.stderr
    assert written(made, "ray") == inline


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[str]:
    """Start a Ray on free ports, as an operator would, and end it; its address."""
    ports = free_ports(2)
    command = ["start", "--head", "--block", "--num-cpus=2", "--include-dashboard=false"]
    words = [
        str(Path(sys.executable).with_name("ray")),
        *command,
        "--node-ip-address=127.0.0.1",
        f"--port={ports[0]}",
        f"--ray-client-server-port={ports[1]}",
    ]
    env = {**os.environ, **TOKEN, "RAY_AUTH_MODE": "token", "RAY_USAGE_STATS_ENABLED": "0"}
    limit = time.monotonic() + 240
    process = started(words, env, tmp_path / "ray.txt")
    try:
        while not is_open(ports[1]):
            assert time.monotonic() < limit, (tmp_path / "ray.txt").read_text()
            if process.poll() is not None:  # it gives up on itself on a busy machine
                process = started(words, env, tmp_path / "ray.txt")
            time.sleep(0.2)
        yield f"ray://127.0.0.1:{ports[1]}"
    finally:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(60)


def started(words: list[str], env: dict[str, str], log: Path) -> subprocess.Popen[str]:
    with log.open("w") as out:
        return subprocess.Popen(  # noqa: S603 - the extra's own command
            words, stdout=out, stderr=subprocess.STDOUT, env=env, text=True, start_new_session=True
        )


def free_ports(count: int) -> list[int]:
    held = [socket.socket() for _ in range(count)]
    for one in held:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@needs_ray
def test_a_ray_that_is_there_gives_the_same_bytes(
    made: Path, inline: dict[str, bytes], cluster: str
) -> None:
    done = sweep(made, "cluster", "--executor", cluster, **TOKEN)
    assert "2 of 6 cells failed" in done.stderr, done.stderr
    assert written(made, "cluster") == inline


@needs_ray
def test_a_ray_that_is_not_there_is_said(made: Path) -> None:
    (port,) = free_ports(1)
    done = sweep(made, "nowhere", "--executor", f"ray://127.0.0.1:{port}")
    assert done.returncode == 2
    assert f"cq: executor: ray://127.0.0.1:{port} cannot be used" in done.stderr
