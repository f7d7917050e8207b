"""A finished walk-forward run under stress: windows, shocks, histories drawn again, a surface."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, as_completed
from pathlib import Path
from typing import Final, NamedTuple

from crypto_quant.backtesting.engine.inputs import PERP
from crypto_quant.backtesting.engine.side_by_side import SideBySide, tried
from crypto_quant.backtesting.engine.variants import main_variant
from crypto_quant.backtesting.engine.workspace import Stage, Workspace
from crypto_quant.backtesting.metrics.result import RunResult
from crypto_quant.backtesting.metrics.tracks import portfolio_track
from crypto_quant.backtesting.stress import result
from crypto_quant.backtesting.stress.chosen import catalog_of, chosen
from crypto_quant.backtesting.stress.extremes import Extreme, extremes
from crypto_quant.backtesting.stress.measure import Figures
from crypto_quant.backtesting.stress.monte_carlo import DRAWS, RUIN, Drawn, drawn_days, drawn_trips
from crypto_quant.backtesting.stress.replay import Exposure, Replay, from_first, replayed, stretch
from crypto_quant.backtesting.stress.result import ShockRow, Stressed, WindowRow
from crypto_quant.backtesting.stress.shocks import SHOCKS
from crypto_quant.backtesting.stress.surface import Surface, axis, grid, surface
from crypto_quant.backtesting.stress.tape import DAY_NS, HOUR_NS, InapplicableError, Shock
from crypto_quant.backtesting.sweep.bar_runs import BarRuns
from crypto_quant.backtesting.sweep.cell_runs import CellRuns, Where
from crypto_quant.backtesting.sweep.store import CellStore
from crypto_quant.backtesting.validation.evaluate import evaluate
from crypto_quant.backtesting.validation.trials import Trial, require
from crypto_quant.core.config import load_config
from crypto_quant.core.errors import ConfigError, DataError
from crypto_quant.core.executors import executor_of
from crypto_quant.core.instruments import Instrument
from crypto_quant.runtime.config import RunConfig
from crypto_quant.runtime.segments import Span

AFTER_NS: Final = DAY_NS
"""So much after a window or the end of a shock is measured too."""

FOR_GOOD_NS: Final = 7 * DAY_NS
"""So much is measured of a shock that lasts to the end."""


FIRST: Final = "from the first decision"


class _Laid(NamedTuple):
    """A shock, the name of its place, where that is, and the last moment that is measured.

    ``held`` is the gross value held there over equity.
    """

    shock: Shock
    place: str
    at: Span
    to: int
    held: float


class Asked(NamedTuple):
    """What is done: keys of shocks, axes of the surface, and how histories are drawn.

    ``where`` the cells of the surface are run.
    """

    shocks: tuple[str, ...] = tuple(SHOCKS)
    windows: bool = True
    axes: tuple[str, ...] = ()
    draws: int = DRAWS
    ruin: float = RUIN
    seed: int | None = None
    where: Where = Where()


class StressSession:
    """Stresses one run folder.

    Parameters
    ----------
    folder
        The run's folder, as ``cq walk-forward`` wrote it.
    root
        The catalog that it was made from, or a folder with it (``cq demo`` makes such).
    known
        The instruments that have rules.
    trials
        The trial log.
    asked
        What is done.
    tell
        Told of progress.

    Raises
    ------
    ConfigError
        An unknown shock, a surface that is none, or another catalog than the run's.
    DataError
        The folder is no walk-forward run.
    """

    def __init__(
        self,
        folder: Path,
        root: Path,
        known: Mapping[str, Instrument],
        trials: Path,
        asked: Asked,
        tell: Stage,
    ) -> None:
        self._folder = folder
        self._run = RunResult.read(folder)
        self._config = load_config(RunConfig, folder / "config.toml", {})
        self._asked = asked
        self._tell = tell
        self._shocks = chosen(asked.shocks)
        if len(asked.axes) not in (0, 2):
            raise ConfigError(f"--grid: a surface has two keys, {len(asked.axes)} given")
        self._axes = [axis(text, self._config) for text in asked.axes]
        if self._axes:
            grid(self._config, self._axes[0], self._axes[1])
            executor_of(*asked.where)  # a name that is none is told before any work
        catalog = catalog_of(self._run.manifest.get("parts"), root)
        log = trials
        if self._run.description.synthetic:
            log = trials.with_name(f"generated-{trials.name}")
        runs = folder.resolve().parent
        self._desk = SideBySide(self._config, Workspace(catalog, known, runs, log, tell))

    def run(self) -> Stressed:
        """Do everything that was asked for, write ``stress.json``, return it."""
        windows, shocks = self._replays()
        found = Stressed(
            digits=2,
            windows=windows,
            shocks=shocks,
            drawn=self._drawn(),
            ruin=self._asked.ruin,
            surface=self._surface(),
            currency=self._run.description.currency,
            synthetic=self._run.description.synthetic,
            trials=self._desk.log.count().trials,
        )
        result.write(self._folder, found)
        return found

    def _replays(self) -> tuple[tuple[WindowRow, ...], tuple[ShockRow, ...]]:
        """Run the windows and the shocks.

        The configuration is the run's own: in the trial log they repeat its trial.
        """
        exposure = Exposure.of(self._run, self._desk.inputs.instruments[PERP].id)
        first = int(exposure.ts[0])
        windows = extremes(self._desk.inputs, first) if self._asked.windows else []
        segments, start = self._desk.inputs.segments, self._desk.start

        def placed(at: Span, to: int, key: str | None = None) -> Replay:
            job = Replay(
                main_variant(self._config), None, at, at.start, at, Span(at.start, to), key
            )
            return stretch(job, segments, exposure, start)

        laid = self._laid(exposure)
        jobs = [placed(one.span, one.span.end + AFTER_NS) for one in windows]
        for one in laid:
            pair = [placed(one.at, one.to, key) for key in (None, one.shock.key)]
            jobs += [from_first(job) for job in pair] if one.place == FIRST else pair

        def go(trial: Trial) -> list[Figures | str]:
            require(trial)
            return self._figures(jobs)

        variant = main_variant(self._config)
        once = evaluate(self._desk.log, tried(variant), self._desk.data, self._desk.code, go)
        seen = once.result
        pairs = list(zip(jobs, seen, strict=True))[len(windows) :]
        return (
            tuple(_window(one, figures) for one, figures in zip(windows, seen, strict=False)),
            tuple(
                _shock(one, job, plain, shocked)
                for one, (_, plain), (job, shocked) in zip(
                    laid, pairs[::2], pairs[1::2], strict=True
                )
            ),
        )

    def _laid(self, exposure: Exposure) -> list[_Laid]:
        """Place every shock; one that is a setting of the venue has one place, the beginning."""
        longest = max((shock.bars_ns for shock in self._shocks), default=0)
        room = max(longest + AFTER_NS, FOR_GOOD_NS) + 2 * HOUR_NS
        out = []
        for shock in self._shocks:
            for place, start in exposure.places(room).items():
                segment = next(s for s in self._desk.inputs.segments if s.start < start < s.end)
                end = min(start + (shock.bars_ns or segment.end - start), segment.end)
                to = min(end + AFTER_NS if shock.bars_ns else start + FOR_GOOD_NS, segment.end)
                named = FIRST if "bars" in shock.from_first else place
                out.append(_Laid(shock, named, Span(start, end), to, exposure.at(start)))
                if named == FIRST or isinstance(shock.bars, str):
                    break
        return out

    def _figures(self, jobs: Sequence[Replay]) -> list[Figures | str]:
        """Run the jobs beside one another; a text says why a shock does not apply."""
        if not jobs:
            return []
        name, folds = "windows and shocks", self._desk.folds_of(jobs[0].variant)
        first = [jobs.index(job) for job in jobs]  # two shocks may share the run without one
        self._tell(name, 0, len(set(first)))
        with self._desk.workers() as workers:
            once = [job._replace(folds=folds) for n, job in enumerate(jobs) if first[n] == n]
            pending = [workers.call(replayed, job) for job in once]
            for done, _ in enumerate(as_completed(pending), 1):
                self._tell(name, done, len(once))
            out = iter([_outcome(future) for future in pending])
        seen = {n: next(out) for n in range(len(jobs)) if first[n] == n}
        return [seen[n] for n in first]

    def _drawn(self) -> tuple[Drawn, ...]:
        asked, about = self._asked, self._run.description
        if not asked.draws:
            return ()
        self._tell("histories drawn again", 0, 1)
        main = portfolio_track(self._run)
        seed = about.seed if asked.seed is None else asked.seed
        days = drawn_days(main, seed, asked.draws, asked.ruin)
        trips = drawn_trips(self._run, main, seed, asked.draws, asked.ruin)
        self._tell("histories drawn again", 1, 1)
        return (*days, *trips)

    def _surface(self) -> Surface | None:
        if not self._axes:
            return None
        store = CellStore(self._desk.space.runs / "cells")
        cells = CellRuns(BarRuns(self._desk), store, self._asked.where, self._tell)
        return surface(cells, self._config, *self._axes)


def _outcome(future: Future[Figures]) -> Figures | str:
    try:
        return future.result()
    except InapplicableError as err:
        return str(err)


def _window(one: Extreme, figures: Figures | str) -> WindowRow:
    if isinstance(figures, str):
        raise DataError(f"{one.label}: {figures}")
    return WindowRow(one.key, one.label, one.span.start, one.span.end, one.value, figures)


def _shock(one: _Laid, job: Replay, plain: Figures | str, shocked: Figures | str) -> ShockRow:
    shock, at = one.shock.facing(job.held), job.at
    names = shock.key, shock.label, shock.claim, one.place, at.start, at.end, one.to
    row = ShockRow(*names, None if one.place == FIRST else one.held, None, None)
    if isinstance(plain, str) or isinstance(shocked, str):
        return row._replace(why=str(shocked))
    return row.seen(plain, shocked, shock.takes)
