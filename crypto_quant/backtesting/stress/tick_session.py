"""A finished run on recorded order books under shocks, session by session."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from crypto_quant.backtesting.engine import identity
from crypto_quant.backtesting.engine.cells import Cell, CellJob, Fitted
from crypto_quant.backtesting.engine.workspace import Stage
from crypto_quant.backtesting.stress import result
from crypto_quant.backtesting.stress.chosen import catalog_of, chosen
from crypto_quant.backtesting.stress.held import Held, place
from crypto_quant.backtesting.stress.result import ShockRow, Stressed
from crypto_quant.backtesting.stress.session_run import SessionRun
from crypto_quant.backtesting.stress.tape import InapplicableError, Positions, Shock
from crypto_quant.backtesting.validation.evaluate import evaluate
from crypto_quant.backtesting.validation.trials import Trial, TrialLog, require
from crypto_quant.core.config import load_config
from crypto_quant.core.errors import DataError
from crypto_quant.core.instruments import Instrument, venue_of
from crypto_quant.runtime.config import TickConfig
from crypto_quant.runtime.feed_latency import feed_model
from crypto_quant.runtime.joint_ticks import JointReader, JointTape, Skipped
from crypto_quant.runtime.markets import asked, markets_of
from crypto_quant.runtime.order_latency import read_round_trips, travels
from crypto_quant.runtime.segments import Span
from crypto_quant.runtime.venue_config import LatencyName


class TickStress:
    """Lays shocks over the sessions of one run folder that ``cq backtest`` wrote.

    Every session is run from flat with the starting capital, without and with each shock,
    which begins when most was held without it (``held.place``); figures are of the session from
    there to its end, which is that of the run: before funding that nobody knows. With a shock and
    without it the session ends at that moment, and what is held is closed there, with costs. The
    run is looked at in the cell that it was judged in; latencies that are not constant there are
    taken at their 99th percentile.

    Parameters
    ----------
    folder, root, known, trials, tell
        As of ``session.StressSession``.
    shocks
        Keys of the shocks.

    Raises
    ------
    ConfigError
        An unknown shock, or another catalog than the run's.
    """

    def __init__(
        self,
        folder: Path,
        root: Path,
        known: Mapping[str, Instrument],
        trials: Path,
        shocks: tuple[str, ...],
        tell: Stage,
    ) -> None:
        self._folder = folder
        self._config = load_config(TickConfig, folder / "config.toml", {})
        self._manifest = _read(folder / "manifest.json")
        catalog = catalog_of(self._manifest.get("parts"), root)
        self._job, self._level = _judged(folder)
        traded = asked(self._config, known)
        sections = {one.id: self._config.of_venue(venue_of(one.id)) for one in traded}
        feeds = {key: feed_model(venue.feed, self._level) for key, venue in sections.items()}
        self._reader = JointReader(catalog, traded, feeds)
        self._markets = markets_of(self._config, self._reader.instruments)
        self._trips = {
            venue: read_round_trips(self._config.of_venue(venue).latency)
            for venue in self._markets.venues
        }
        self._generated = catalog.is_generated
        self._log = TrialLog(trials)
        self._shocks = chosen(shocks)
        self._tell = tell

    def run(self) -> Stressed:
        """Run every session under every shock, write ``stress.json``, return it.

        The configuration is the run's own: in the trial log it repeats its trial.
        """

        def go(trial: Trial) -> tuple[ShockRow, ...]:
            require(trial)
            return tuple(self._rows())

        data = str(self._manifest.get("data", ""))
        found = evaluate(self._log, self._config, data, identity.source_hash(), go)
        stressed = Stressed(
            digits=4,
            windows=(),
            shocks=found.result,
            drawn=(),
            ruin=0.0,
            surface=None,
            currency=self._markets.quote,
            synthetic=self._generated,
            trials=self._log.count().trials,
        )
        result.write(self._folder, stressed)
        return stressed

    def _rows(self) -> Iterator[ShockRow]:
        names = self._config.sessions
        for session in self._reader.sessions():
            if names and not session.name.startswith(names):
                continue
            tape = self._reader.read(session)
            if not isinstance(tape, Skipped):
                yield from self._of_session(tape)

    def _of_session(self, tape: JointTape) -> Iterator[ShockRow]:
        what, total = f"session {tape.session.name}", len(self._shocks)
        self._tell(what, 0, total)
        ways = travels(self._config, self._markets, self._trips, self._level, tape)
        run = SessionRun(self._config, self._markets, self._reader, self._job, tape, ways)
        held = run.held()
        for done, one in enumerate(self._shocks, 1):
            start, stood = _begin(one, tape, run, held)
            shock, span = one.facing(stood), Span(start, tape.end)
            row = _row(shock, tape, start, stood)
            try:
                laid = shock.on_ticks(run.plain, Span(row.start, row.end))
            except InapplicableError as err:
                yield row._replace(why=str(err))
            else:
                yield row.seen(
                    run.figures(run.undisturbed, run.plain, span),
                    run.figures(run.run(laid), laid, span),
                    shock.takes,
                )
            self._tell(what, done, total)


def _begin(
    shock: Shock, tape: JointTape, run: SessionRun, held: Held
) -> tuple[int, Positions | None]:
    """Return when a shock begins, and what is held then; ``None``: with the first decision."""
    if "ticks" in shock.from_first:
        return tape.start, None
    start = place(held, Span(tape.start, tape.end), shock.ticks_ns)
    return start, run.positions(held, start)


def _row(shock: Shock, tape: JointTape, start: int, stood: Positions | None) -> ShockRow:
    """Return the row of a shock without figures.

    One that is not over before the session is lasts through the close of what is held.
    """
    end = start + shock.ticks_ns
    if not shock.ticks_ns or end >= tape.end:
        end = tape.end + 1
    names = shock.key, shock.label, shock.claim, tape.session.name, start, end, tape.end
    row = ShockRow(*names, None, None, None)
    if stood is None:
        return row
    if not any(one.book for one in stood):
        return row._replace(held=sum(one.over for one in stood))
    books = tuple((one.book, one.over) for one in stood)
    return row._replace(held=sum(abs(one.over) for one in stood), books=books)


def _judged(folder: Path) -> tuple[CellJob, LatencyName]:
    """Return the cell that a run was judged in, and the constant latency that stands for its."""
    band = _read(folder / "metrics.json").get("band", {})
    try:
        cell, fitted = Cell(**band["judged"]), Fitted(**band["fitted"])
    except (KeyError, TypeError):
        raise DataError(
            f"{folder}: metrics.json does not say in which cell the run was judged: run "
            f"cq backtest --config {folder / 'config.toml'} again"
        ) from None
    return CellJob(cell, fitted, None), "p50" if cell.latency == "p50" else "p99"


def _read(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as err:
        raise DataError(f"{path}: cannot be read: {err}") from err
    return found
