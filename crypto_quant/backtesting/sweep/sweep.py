"""Runs every cell of a plan that was not run before, counts all of them, writes the tables."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from crypto_quant.backtesting.engine import identity
from crypto_quant.backtesting.engine.side_by_side import Stage
from crypto_quant.backtesting.metrics.result import put
from crypto_quant.backtesting.sweep.bar_runs import BarRuns
from crypto_quant.backtesting.sweep.called import Failure, Identity
from crypto_quant.backtesting.sweep.figures import Figures
from crypto_quant.backtesting.sweep.plan import Cell, Plan, cells
from crypto_quant.backtesting.sweep.selection import Selection, select
from crypto_quant.backtesting.sweep.store import CellStore
from crypto_quant.backtesting.sweep.table import error, parquet_table
from crypto_quant.backtesting.sweep.tick_runs import TickRuns
from crypto_quant.backtesting.validation.evaluate import evaluate_each
from crypto_quant.backtesting.validation.trials import Trial, TrialLog
from crypto_quant.core.config import dump_config
from crypto_quant.core.errors import CryptoQuantError, WorkerDiedError
from crypto_quant.core.executors import ended, executor_of
from crypto_quant.core.files import owned
from crypto_quant.core.instruments import Instrument
from crypto_quant.data_pipeline.storage import Catalog
from crypto_quant.runtime.config import TickConfig

Came = Figures | Failure


class Runs(Protocol):
    """What the cells of a sweep share, for one kind of run."""

    identity: Identity
    end: int
    log: TrialLog
    not_deflated: str
    shared: Any

    @property
    def work(self) -> Callable[..., Came]:
        """What a worker runs: a module's function of ``shared`` and a job."""
        ...

    def tried(self, config: Any) -> Any:  # noqa: ANN401 - either kind's configuration
        """Return what makes a cell a trial of its own."""
        ...

    def job(self, config: Any, trial: Trial) -> Any:  # noqa: ANN401 - as above
        """Return what a worker is asked to run."""
        ...


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
    catalog, known
        Data, and the instruments that have rules.
    runs, trials
        Folder of run folders, and the trial log.
    tell
        Told of progress.

    Raises
    ------
    ConfigError, DataError
        The base configuration cannot be run on the catalog.
    """

    def __init__(
        self,
        plan: Plan,
        catalog: Catalog,
        known: Mapping[str, Instrument],
        runs: Path,
        trials: Path,
        tell: Stage,
    ) -> None:
        self._plan = plan
        self._cells: list[Cell[Any]] = list(cells(plan.base, plan.axes))
        self._runs = runs
        self._tell = tell
        self._store = CellStore(runs / "cells")
        self._kind: Runs
        if isinstance(plan.base, TickConfig):
            self._kind = TickRuns(plan.base, catalog, known, trials)
        else:
            self._kind = BarRuns(plan.base, catalog, known, runs, trials, tell)
        self._is_generated = catalog.is_generated
        self._reused = 0

    def run(self) -> SweepRun:
        """Run what is left to run, write the sweep's folder, return everything.

        Cells that fail leave the others alone; what has ended is kept, whatever comes after.
        """
        folder = self._folder()
        with owned(folder, "the same sweep is being run here"):
            try:
                found = self._found()
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
                self._reused,
                selection,
                "" if selection else why,
                trials,
            )
            self._write(done)
        return done

    def _found(self) -> dict[int, Came]:
        found: dict[int, Came] = {
            cell.number: Failure(cell.why, is_ours=False)
            for cell in self._cells
            if cell.config is None
        }
        whole = [cell for cell in self._cells if cell.config is not None]

        def go(trials: Sequence[Trial]) -> Iterator[tuple[int, Came]]:
            return self._each(whole, trials)

        tried = [self._kind.tried(cell.config) for cell in whole]
        data, code = self._kind.identity
        for n, each in evaluate_each(self._kind.log, tried, data, code, go, _logged):
            found[whole[n].number] = each.result
        return {cell.number: found[cell.number] for cell in self._cells}

    def _each(
        self, whole: Sequence[Cell[Any]], trials: Sequence[Trial]
    ) -> Iterator[tuple[int, Came]]:
        """Yield what each cell comes to as it ends: first those that are there already."""
        left: list[int] = []
        for n, trial in enumerate(trials):
            known = self._store.find(trial.identity)
            if known is None:
                left.append(n)
                continue
            self._reused += 1
            yield n, known
        total, done = len(whole), self._reused
        self._tell("cells", done, total)
        jobs: list[Any] = []
        asked: list[int] = []
        for n in left:
            try:
                jobs.append(self._kind.job(whole[n].config, trials[n]))
                asked.append(n)
            except CryptoQuantError as err:
                yield n, Failure(str(err), is_ours=err.exit_code != 2)
                done += 1
        if not jobs:
            return
        with executor_of(self._plan.executor, self._plan.workers) as executor:
            for position, future in ended(executor, self._kind.work, self._kind.shared, jobs):
                n = asked[position]
                try:
                    came_to = future.result()
                except WorkerDiedError as err:
                    came_to = Failure(str(err), is_ours=True)
                if isinstance(came_to, Figures):
                    self._store.keep(trials[n].identity, came_to)
                done += 1
                self._tell("cells", done, total)
                yield n, came_to

    def _folder(self) -> Path:
        """Name the sweep after what it is made of, not after where it is computed."""
        text = {
            "config": self._plan.base.model_dump(mode="json"),
            "axes": [[axis.key, *axis.values] for axis in self._plan.axes],
        }
        name = identity.short_id(text, *self._kind.identity)
        return (
            self._runs / f"sweep-{datetime.fromtimestamp(self._kind.end / 1e9, UTC):%Y%m%d}-{name}"
        )

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


def failed(done: SweepRun) -> list[tuple[Cell[Any], Failure]]:
    """Return the cells that have no figures."""
    each = ((cell, done.found[cell.number]) for cell in done.cells)
    return [(cell, came_to) for cell, came_to in each if isinstance(came_to, Failure)]


def _logged(came_to: Came) -> Mapping[str, float]:
    return came_to.logged if isinstance(came_to, Figures) else {}


def _json(value: object) -> bytes:
    return (json.dumps(value, indent=1, sort_keys=True, allow_nan=False) + "\n").encode()
