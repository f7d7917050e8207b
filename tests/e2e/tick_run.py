"""Runs ``cq backtest`` on recorded books, and reads what it wrote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from tests.e2e.conftest import run_cq


def run(folder: Path, name: str, text: str, *options: str) -> tuple[dict[str, Any], Path]:
    """Run a config; return what it came to, and its folder."""
    (folder / f"{name}.toml").write_text(text)
    done = run_cq(folder, "backtest", "--config", f"{name}.toml", "--runs", name, *options)
    assert done.returncode == 0, done.stderr
    (made,) = (folder / name).glob("ticks-*")
    found: dict[str, Any] = json.loads((made / "metrics.json").read_text())
    (made / "stdout.txt").write_text(done.stdout)
    return found, made


def rows(made: Path, name: str) -> list[dict[str, Any]]:
    table: list[dict[str, Any]] = pq.read_table(made / f"{name}.parquet").to_pylist()
    return table
