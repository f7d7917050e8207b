"""Variants side by side: each in a process that reads the catalog once."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import nullcontext
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self, TypeVar

import pyarrow as pa

from crypto_quant.backtesting.engine import collect
from crypto_quant.backtesting.engine.inputs import Inputs, read_inputs
from crypto_quant.backtesting.engine.marks import Marks
from crypto_quant.backtesting.engine.portfolio import run_portfolio
from crypto_quant.backtesting.engine.variants import Variant
from crypto_quant.backtesting.metrics.description import Refusal
from crypto_quant.backtesting.metrics.trial_sharpe import TrialSharpe, trial_sharpe
from crypto_quant.core.executors import Pool
from crypto_quant.core.instruments import Instrument
from crypto_quant.core.panics import as_errors
from crypto_quant.core.ports import Executor
from crypto_quant.data_pipeline.storage import Catalog
from crypto_quant.models.fold_model import FoldModel
from crypto_quant.models.storage import load_folds
from crypto_quant.models.switch import ModelSwitch
from crypto_quant.runtime.config import RunConfig, TickConfig
from crypto_quant.runtime.decisions import DecisionLog, NoLog

WORKERS = 2
T = TypeVar("T")
R = TypeVar("R")


class Job(NamedTuple):
    """A variant to run.

    ``folds`` is the file of its trained folds, where the model trades; ``decisions`` the
    file for its decisions, which also asks for everything that it did.
    """

    variant: Variant
    start: int
    folds: Path | None
    decisions: Path | None


class Whole(NamedTuple):
    """Everything that a run did, as the tables of a run folder, and what it was refused."""

    equity: pa.Table
    fills: pa.Table
    orders: pa.Table
    refused: tuple[Refusal, ...]


class Outcome(NamedTuple):
    """What a variant came to: its rows beside others, its round trips, its Sharpe ratios."""

    row: pa.Table
    trips: pa.Table
    sharpe: TrialSharpe
    whole: Whole | None

    def shown_as(self, key: str) -> Outcome:
        """Return it as that of another variant, which runs the same."""
        row, trips = _of_row(self.row, key), _of_row(self.trips, key)
        return Outcome(row, trips, self.sharpe, None)


def _of_row(table: pa.Table, key: str) -> pa.Table:
    at = table.column_names.index("row")
    return table.set_column(
        at, table.schema.field(at), pa.array([key] * table.num_rows, pa.string())
    )


class Workers:
    """Processes that run variants of one configuration; use as a context manager.

    A result does not depend on which process made it, nor on what ran beside it.

    Parameters
    ----------
    config
        Decides the data that every variant shares.
    root
        The catalog's folder.
    known
        The instruments that have rules.
    executor
        Runs them; ``WORKERS`` processes of this machine, if not said.
    """

    def __init__(
        self,
        config: RunConfig | TickConfig,
        root: Path,
        known: Mapping[str, Instrument],
        executor: Executor | None = None,
    ) -> None:
        self.source = pickle.dumps((config, root, dict(known)))
        self.executor = executor or Pool(WORKERS)

    def __enter__(self) -> Self:
        self.executor.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.executor.__exit__(kind, error, trace)

    def submit(self, job: Job) -> Future[Outcome]:
        """Queue a variant; they are run in the order in which they were queued."""
        return self.call(_run, job)

    def call(self, work: Callable[[bytes, T], R], job: T) -> Future[R]:
        """Queue a call of a module's function; its first argument is what ``desk`` takes."""
        return self.executor.submit(work, self.source, job)


class Desk(NamedTuple):
    """What every job of a process shares."""

    inputs: Inputs
    marks: Marks


@lru_cache(maxsize=1)
def desk(source: bytes) -> Desk:
    """Read what a process shares, once."""
    config, root, known = pickle.loads(source)  # noqa: S301 - from our own parent process
    inputs = read_inputs(config, Catalog(root), known)
    return Desk(inputs, Marks(inputs))


def switch_of(path: Path | None, inputs: Inputs) -> ModelSwitch | None:
    """Return the model of a file of trained folds; ``None`` without one."""
    if path is None:
        return None
    return ModelSwitch(_folds(path), [spec.name for spec in inputs.features])


@lru_cache(maxsize=1)
def _folds(path: Path) -> list[FoldModel]:
    return load_folds(path)


@as_errors()
def _run(source: bytes, job: Job) -> Outcome:
    inputs, marks = desk(source)
    variant, switch = job.variant, switch_of(job.folds, inputs)
    with nullcontext(NoLog()) if job.decisions is None else DecisionLog(job.decisions) as log:
        books = run_portfolio(variant.config, inputs, job.start, variant.sleeves, switch, log)
    fills = collect.fills_table(books, inputs)
    equity = collect.equity_table(books, inputs, marks)
    whole = None
    if job.decisions is not None:
        whole = Whole(equity, fills, collect.orders_table(books, inputs), books.refused)
    return Outcome(
        row=collect.variant_table(variant.row.key, equity),
        trips=collect.trips_table(books, inputs, variant.row.key, fills),
        sharpe=trial_sharpe(equity),
        whole=whole,
    )
