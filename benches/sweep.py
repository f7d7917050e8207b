"""A parameter sweep over processes and over a local Ray, beside the same sweep one by one.

A grid market maker on a recorded session, every combination of its gap and its levels, as
``cq sweep`` runs it: with starting and ending what it runs on. The three take turns, time is the
wall clock's, and all must write the same bytes, or the benchmark fails. A Ray is measured where
the ``ray`` extra is installed.
"""

from __future__ import annotations

import importlib.util
import statistics
import tempfile
import time
from pathlib import Path
from typing import Final, NamedTuple

from benches import Result
from benches.session import CAPTURE, recording
from crypto_quant.backtesting.engine.workspace import Workspace
from crypto_quant.backtesting.sweep.cell_runs import raise_failures
from crypto_quant.backtesting.sweep.plan import Plan, read_plan
from crypto_quant.backtesting.sweep.sweep import Sweep
from crypto_quant.data_pipeline.storage import Catalog
from crypto_quant.venues.rules import load_instruments

RUNS: Final = 5
WORKERS: Final = 2
PLAN: Final = """
[config]
strategy = "grid"
[config.risk]
require_stop = false
loss_at_stop = 0.15
orders_per_minute = 2000
[axes]
grid.gap = [1, 2, 3, 4, 5, 6, 8, 10]
grid.levels = [2, 3, 4, 5, 6]
"""
ALONE: Final = "inline, one process"


class Took(NamedTuple):
    """What a sweep took and wrote."""

    seconds: float
    cells: int
    tables: tuple[bytes, ...]


def run() -> list[Result]:
    """Measure the sweep of a session with a snapshot."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if recording(folder) is None:
            return []
        path = folder / "sweep.toml"
        path.write_text(PLAN)
        names = ["inline", "pool"]
        if importlib.util.find_spec("ray") is None:
            print("skipped: the ray extra is not installed")
        else:
            names.append("ray")
        plans = {name: read_plan(path, {}, name, WORKERS) for name in names}
        turns = [
            {name: _took(folder, f"{name}-{turn}", plan) for name, plan in plans.items()}
            for turn in range(RUNS)
        ]
    cells = turns[0]["inline"].cells
    label = f"{Path(CAPTURE).name}, {cells} cells of a grid market maker, {WORKERS} at once"
    written = {took.tables for turn in turns for took in turn.values()}
    if len(written) != 1:
        raise RuntimeError(f"the same sweep wrote {len(written)} different tables")
    return [_result(name, label, cells, turns) for name in names[1:]]


def _took(folder: Path, name: str, plan: Plan) -> Took:
    """Sweep into a folder and a trial log of its own."""
    runs = folder / name
    begun = time.perf_counter()
    catalog, trials = Catalog(folder / "catalog"), runs / "t.sqlite"
    done = Sweep(plan, Workspace(catalog, load_instruments(), runs, trials)).run()
    seconds = time.perf_counter() - begun
    raise_failures(done.cells, done.found, "sweep.json")
    files = sorted(path for path in done.folder.iterdir() if path.is_file())
    return Took(seconds, len(done.cells), tuple(path.read_bytes() for path in files))


def _result(name: str, label: str, cells: int, turns: list[dict[str, Took]]) -> Result:
    rates = tuple((cells / turn[name].seconds, cells / turn["inline"].seconds) for turn in turns)
    mine, alone = (statistics.median(column) for column in zip(*rates, strict=True))
    ratio = statistics.median(ours / one for ours, one in rates)
    return Result(f"sweep_{name}", "cells/s", label, mine, alone, ALONE, ratio, rates)
