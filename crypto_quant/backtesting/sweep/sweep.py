"""Runs every cell of a plan that was not run before, counts all of them, writes the tables."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from crypto_quant.backtesting.engine import identity
from crypto_quant.backtesting.engine.side_by_side import SideBySide
from crypto_quant.backtesting.engine.workspace import Workspace
from crypto_quant.backtesting.metrics.result import put
from crypto_quant.backtesting.sweep.bar_runs import BarRuns
from crypto_quant.backtesting.sweep.cell_runs import Came, CellRuns, Runs, Where
from crypto_quant.backtesting.sweep.figures import Figures
from crypto_quant.backtesting.sweep.plan import Cell, Plan, cells
from crypto_quant.backtesting.sweep.selection import Selection, select
from crypto_quant.backtesting.sweep.store import CellStore
from crypto_quant.backtesting.sweep.table import error, parquet_table
from crypto_quant.backtesting.sweep.tick_runs import TickRuns
from crypto_quant.core.config import dump_config
from crypto_quant.core.files import owned
from crypto_quant.runtime.config import TickConfig


class SweepRun(NamedTuple):
    """A finished sweep: its folder, every cell and what it came to, and the trials so far.

    ``reused``: cells that an earlier sweep had run. ``selection`` is ``None`` where nothing can be
    deflated, which ``not_deflated`` explains.
    """

    folder: Path
    cells: Sequence[Cell[Any]]
    found: Mapping[int, Came]
    reused: int
    selection: Selection | None
    not_deflated: str
    trials: int


class Sweep:
    """One plan on one catalog.

    Parameters
    ----------
    plan
        What is run.
    space
        Where it reads and writes.

    Raises
    ------
    ConfigError, DataError
        The base configuration cannot be run on the catalog.
    """

    def __init__(self, plan: Plan, space: Workspace) -> None:
        self._plan = plan
        self._cells: list[Cell[Any]] = list(cells(plan.base, plan.axes))
        self._folders = space.runs
        self._kind: Runs
        if isinstance(plan.base, TickConfig):
            self._kind = TickRuns(plan.base, space)
        else:
            self._kind = BarRuns(SideBySide(plan.base, space))
        store, where = CellStore(space.runs / "cells"), Where(plan.executor, plan.workers)
        self._runs = CellRuns(self._kind, store, where, space.tell)
        self._is_generated = space.catalog.is_generated

    def run(self) -> SweepRun:
        """Run what is left to run, write the sweep's folder, return everything.

        Cells that fail leave the others alone; what has ended is kept, whatever comes after.
        """
        folder = self._folder()
        with owned(folder, "the same sweep is being run here"):
            try:
                found = self._runs.run(self._cells)
            except BaseException:
                with contextlib.suppress(OSError):
                    folder.rmdir()  # unless an earlier sweep has left its tables
                raise
            ran = {n: each for n, each in found.items() if isinstance(each, Figures)}
            selection = select(ran, self._kind.log, self._kind.identity.data)
            why = self._kind.not_deflated or "no cell has a daily Sharpe ratio"
            trials = self._kind.log.count().trials
            done = SweepRun(
                folder,
                self._cells,
                found,
                self._runs.reused,
                selection,
                "" if selection else why,
                trials,
            )
            self._write(done)
        return done

    def _folder(self) -> Path:
        """Name the sweep after what it is made of, not after where it is computed."""
        text = {
            "config": self._plan.base.model_dump(mode="json"),
            "axes": [[axis.key, *axis.values] for axis in self._plan.axes],
        }
        name = identity.short_id(text, *self._kind.identity)
        until = datetime.fromtimestamp(self._kind.end / 1e9, UTC)
        return self._folders / f"sweep-{until:%Y%m%d}-{name}"

    def _write(self, done: SweepRun) -> None:
        plan = self._plan
        rows = []
        for cell in done.cells:
            came_to = done.found[cell.number]
            ran = came_to if isinstance(came_to, Figures) else None
            rows.append(
                {
                    "cell": cell.number,
                    "values": dict(cell.values),
                    "figures": None if ran is None else dict(ran.shown),
                    "digest": None if ran is None else ran.digest,
                    "error": error(came_to),
                }
            )
        data, code = self._kind.identity
        plain = {
            "kind": plan.kind,
            "axes": [{"key": axis.key, "values": list(axis.values)} for axis in plan.axes],
            "cells": rows,
            "selection": done.selection._asdict() if done.selection else None,
            "not_deflated": done.not_deflated,
            "is_generated": self._is_generated,
            "data": data,
            "code": code,
        }
        manifest = {
            "commit": identity.commit(),
            "data": data,
            "code": code,
            "versions": identity.versions(),
        }
        put(done.folder / "config.toml", dump_config(plan.base).encode())
        put(done.folder / "manifest.json", _json(manifest))
        sink = pa.BufferOutputStream()
        table = parquet_table(done.cells, plan.axes, done.found)
        pq.write_table(table, sink, compression="zstd")
        put(done.folder / "cells.parquet", sink.getvalue().to_pybytes())
        put(done.folder / "sweep.json", _json(plain))


def _json(value: object) -> bytes:
    return (json.dumps(value, indent=1, sort_keys=True, allow_nan=False) + "\n").encode()
