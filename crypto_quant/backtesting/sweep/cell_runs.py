"""Cells beside one another on an executor: each counted first, and none run twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeAlias

from crypto_quant.backtesting.engine.workspace import Stage
from crypto_quant.backtesting.sweep.called import Failure, Identity
from crypto_quant.backtesting.sweep.figures import Figures
from crypto_quant.backtesting.sweep.plan import Cell
from crypto_quant.backtesting.sweep.store import CellStore
from crypto_quant.backtesting.validation.evaluate import evaluate_each
from crypto_quant.backtesting.validation.trials import Trial, TrialLog
from crypto_quant.core.errors import (
    CryptoQuantError,
    InvariantError,
    StrategyError,
    WorkerDiedError,
)
from crypto_quant.core.executors import ended, executor_of

Came: TypeAlias = Figures | Failure
_SAID = 5
"""Failed cells that are named."""


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


class Where(NamedTuple):
    """Where cells run, see ``executor_of``; changes no byte of what they come to."""

    executor: str = "pool"
    workers: int = 2


class CellRuns:
    """Runs cells of one kind.

    Parameters
    ----------
    kind
        What they share.
    store
        Cells that were run before, with the same configuration, data and code.
    where
        The executor.
    tell
        Told of progress.
    """

    def __init__(self, kind: Runs, store: CellStore, where: Where, tell: Stage) -> None:
        self._kind = kind
        self._store = store
        self._where = where
        self._tell = tell
        self.reused = 0
        """Cells that had been run before."""

    def run(self, cells: Sequence[Cell[Any]]) -> dict[int, Came]:
        """Count every cell, run those that are new, return what each comes to by its number.

        Cells that fail leave the others alone; what has ended is kept, whatever comes after.
        """
        found: dict[int, Came] = {
            cell.number: Failure(cell.why, is_ours=False) for cell in cells if cell.config is None
        }
        whole = [cell for cell in cells if cell.config is not None]

        def go(trials: Sequence[Trial]) -> Iterator[tuple[int, Came]]:
            return self._each(whole, trials)

        tried = [self._kind.tried(cell.config) for cell in whole]
        data, code = self._kind.identity
        for n, each in evaluate_each(self._kind.log, tried, data, code, go, _logged):
            found[whole[n].number] = each.result
        return {cell.number: found[cell.number] for cell in cells}

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
            self.reused += 1
            yield n, known
        total, done = len(whole), self.reused
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
        with executor_of(*self._where) as executor:
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


def raise_failures(cells: Sequence[Cell[Any]], found: Mapping[int, Came], all_in: str = "") -> None:
    """Name the cells that failed.

    Parameters
    ----------
    cells, found
        All of them, and what each came to.
    all_in
        The file that names them all; empty: there is none.

    Raises
    ------
    StrategyError
        Cells failed by what they were asked.
    InvariantError
        A cell failed by our fault.
    """
    each = ((cell, found[cell.number]) for cell in cells)
    bad = [(cell, came_to) for cell, came_to in each if isinstance(came_to, Failure)]
    if not bad:
        return
    named = []
    for cell, failure in bad[:_SAID]:
        values = ", ".join(f"{key} = {value}" for key, value in cell.values.items())
        # A configuration that cannot be made names its values itself.
        named.append(f"  cell {cell.number}: {failure.text if cell.config is None else ''}")
        if cell.config is not None:
            named[-1] += f"{values}: {failure.text}"
    more = [f"  … {len(bad) - _SAID} more{all_in and f' in {all_in}'}"] * (len(bad) > _SAID)
    text = "\n".join([f"{len(bad)} of {len(cells)} cells failed:", *named, *more])
    kind: type[CryptoQuantError] = StrategyError
    if any(failure.is_ours for _, failure in bad):
        kind = InvariantError
    raise kind(text)


def _logged(came_to: Came) -> Mapping[str, float]:
    return came_to.logged if isinstance(came_to, Figures) else {}
