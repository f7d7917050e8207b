"""A finished run on recorded order books under shocks, session by session."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from crypto_quant.backtesting.engine import identity
from crypto_quant.backtesting.engine.cells import Cell, CellJob, Fitted, queue_of
from crypto_quant.backtesting.engine.portfolio import Books
from crypto_quant.backtesting.engine.side_by_side import Stage
from crypto_quant.backtesting.stress import result
from crypto_quant.backtesting.stress.chosen import catalog_of, chosen
from crypto_quant.backtesting.stress.measure import Figures, Market, measure
from crypto_quant.backtesting.stress.result import ShockRow, Stressed
from crypto_quant.backtesting.stress.tape import InapplicableError, Shock, StressTape
from crypto_quant.backtesting.validation.evaluate import evaluate
from crypto_quant.backtesting.validation.trials import Trial, TrialLog, require
from crypto_quant.core.config import load_config
from crypto_quant.core.errors import DataError
from crypto_quant.core.instruments import Instrument
from crypto_quant.core.measures.arrays import Ints
from crypto_quant.runtime.compose_ticks import (
    TRADED,
    Assumed,
    compose_tick_state,
    tick_capital,
    tick_line,
)
from crypto_quant.runtime.config import TickConfig
from crypto_quant.runtime.decisions import NoLog
from crypto_quant.runtime.drive import recorded
from crypto_quant.runtime.feed_latency import feed_model
from crypto_quant.runtime.order_latency import Travel, read_round_trips, travel
from crypto_quant.runtime.segments import Span
from crypto_quant.runtime.tape import Columns
from crypto_quant.runtime.ticks import NoBook, TickReader, TickTape
from crypto_quant.runtime.venue_config import LatencyName

_LATENCIES: Final = ("entry_latency_ns", "response_latency_ns")


class TickStress:
    """Lays shocks over the sessions of one run folder that ``cq backtest`` wrote.

    Every session is run from flat with the starting capital, without and with each shock,
    which begins in its middle; figures are of the session from there to its end. The run is
    looked at in the cell that it was judged in; latencies that are not constant there are taken
    at their 99th percentile.

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
        feed = feed_model(self._config.venue.feed, self._level)
        self._trips = read_round_trips(self._config.venue.latency)
        self._reader = TickReader(catalog, known[self._config.instrument], feed)
        self._instrument = self._reader.instrument
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
            currency=self._instrument.quote,
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
            if isinstance(tape, NoBook):
                continue
            what, total = f"session {session.name}", len(self._shocks)
            self._tell(what, 0, total)
            for done, shock in enumerate(self._shocks, 1):
                yield self._row(shock, tape)
                self._tell(what, done, total)

    def _row(self, shock: Shock, tape: TickTape) -> ShockRow:
        start = tape.start if "ticks" in shock.from_first else (tape.start + tape.end) // 2
        end = min(start + shock.ticks_ns, tape.end) if shock.ticks_ns else tape.end + 1
        at, measured = Span(start, end), Span(start, tape.end)
        names = shock.key, shock.label, shock.claim, tape.session.name, start, end, tape.end
        way = travel(self._config.venue.latency, self._trips, self._level, tape)
        plain = _stress_tape(way, self._instrument, tape)
        try:
            laid = shock.lay(plain, at, is_ticks=True)
        except InapplicableError as err:
            return ShockRow(*names, None, None, why=str(err))
        seen = (self._figures(tape, one, measured) for one in (plain, laid))
        return ShockRow(*names, plain=next(seen), shocked=next(seen))

    def _figures(self, tape: TickTape, laid: StressTape, measured: Span) -> Figures:
        config, instrument = self._config, self._instrument
        latencies = {name: int(laid.sim[name]) for name in _LATENCIES}
        cell, exponent = self._job.cell, config.venue.queue_exponent
        assumed = Assumed(*queue_of(cell.queue, exponent, self._job.fitted), latencies)
        streams = {kind: columns for (kind, _), columns in laid.streams.items()}
        end = max(
            int(columns["ts_recv"][-1]) for columns in streams.values() if len(columns["ts_recv"])
        )
        parts = {kind: [columns] for kind, columns in streams.items()}
        shown = replace(tape, streams=parts, end=max(tape.end, end))
        capital = tick_capital(config, instrument)
        line = tick_line(config, instrument, shown, capital, assumed)
        for ts, index, fraction in laid.deleverages:
            line.native.add_deleverage(index, ts, fraction)
        recorded(line, compose_tick_state(config, instrument), NoLog())
        native = line.native
        books = Books(
            (config.strategy,),
            native.equity_rows(),
            native.fills(),
            native.orders(),
            native.round_trips(),
            {},
        )
        market = Market((instrument,), lambda _, ts: _last(laid, ts), laid.worth)
        return measure(config.risk, market, books, measured)


def _stress_tape(way: Travel, instrument: Instrument, tape: TickTape) -> StressTape:
    return StressTape(
        instruments=(instrument,),
        streams={(kind, TRADED): _whole(parts) for kind, parts in tape.streams.items()},
        interval_ns={},
        rate_exp=0,
        sim={
            "entry_latency_ns": way.entry,
            "response_latency_ns": way.response,
        },
    )


def _whole(parts: Iterable[Columns]) -> Columns:
    """Return a stream's parts as one: a shock is laid over all of a session."""
    held = list(parts)
    return {name: np.concatenate([part[name] for part in held]) for name in held[0]}


def _last(tape: StressTape, ts: Ints) -> Ints:
    """Return the last traded price at each time; before the first trade that one."""
    trades = tape.streams.get(("trade", TRADED))
    if trades is None or not len(trades["px"]):
        return np.ones(ts.size, dtype=np.int64)
    at = np.searchsorted(np.maximum.accumulate(trades["ts_event"]), ts, side="right") - 1
    return np.asarray(trades["px"][np.maximum(at, 0)])


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
