"""A finished run on recorded order books under shocks, session by session."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from crypto_quant.backtesting.engine import identity
from crypto_quant.backtesting.engine.cells import Cell, CellJob, Fitted, queue_of
from crypto_quant.backtesting.engine.portfolio import Books
from crypto_quant.backtesting.engine.workspace import Stage
from crypto_quant.backtesting.stress import result
from crypto_quant.backtesting.stress.chosen import catalog_of, chosen
from crypto_quant.backtesting.stress.held import Held, place
from crypto_quant.backtesting.stress.last_traded import last_traded
from crypto_quant.backtesting.stress.measure import Figures, Market, measure, over_equity
from crypto_quant.backtesting.stress.result import ShockRow, Stressed
from crypto_quant.backtesting.stress.tape import (
    LATENCIES,
    InapplicableError,
    Key,
    Parts,
    SessionTape,
    Shock,
    StressTape,
)
from crypto_quant.backtesting.validation.evaluate import evaluate
from crypto_quant.backtesting.validation.trials import Trial, TrialLog, require
from crypto_quant.core.config import load_config
from crypto_quant.core.errors import ConfigError, DataError
from crypto_quant.core.instruments import Instrument, venue_of
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
from crypto_quant.runtime.order_latency import read_round_trips, travel
from crypto_quant.runtime.segments import Span
from crypto_quant.runtime.tape import Settlements
from crypto_quant.runtime.ticks import NoBook, TickReader, TickTape
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
        An unknown shock, another catalog than the run's, or a run of several books or in hedge
        mode: said before its data is looked at.
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
        _check_alone(self._config, folder / "config.toml")
        self._manifest = _read(folder / "manifest.json")
        catalog = catalog_of(self._manifest.get("parts"), root)
        self._job, self._level = _judged(folder)
        self._venue = venue_of(self._config.instrument)
        self._latency = self._config.of_venue(self._venue).latency
        feed = feed_model(self._config.of_venue(self._venue).feed, self._level)
        self._trips = read_round_trips(self._latency)
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
            found = self._reader.read(session)
            if isinstance(found, NoBook):
                continue
            tape = self._reader.settled(found)
            what, total = f"session {session.name}", len(self._shocks)
            self._tell(what, 0, total)
            plain = self._recorded(tape)
            undisturbed = self._run(tape, plain)
            for done, shock in enumerate(self._shocks, 1):
                row, span = self._placed(shock, tape, plain, undisturbed)
                try:
                    laid = shock.facing(row.held).on_ticks(plain, Span(row.start, row.end))
                except InapplicableError as err:
                    yield row._replace(why=str(err))
                else:
                    yield row.seen(
                        self._figures(undisturbed, plain, span),
                        self._figures(self._run(tape, laid), laid, span),
                        shock.takes,
                    )
                self._tell(what, done, total)

    def _placed(
        self, shock: Shock, tape: TickTape, plain: SessionTape, books: Books
    ) -> tuple[ShockRow, Span]:
        """Return the row of a shock without figures, and the stretch that they will be of."""
        start, over = tape.start, None
        if "ticks" not in shock.from_first:
            held = Held.of(books)
            start = place(held, Span(tape.start, tape.end), shock.ticks_ns)
            over = over_equity(self._market(plain), books, start, held.at(start))
        shock = shock.facing(over)
        end = min(start + shock.ticks_ns, tape.end) if shock.ticks_ns else tape.end + 1
        names = shock.key, shock.label, shock.claim, tape.session.name, start, end, tape.end
        return ShockRow(*names, over, None, None), Span(start, tape.end)

    def _recorded(self, tape: TickTape) -> SessionTape:
        way = travel(self._latency, self._trips, self._level, tape)
        latencies = dict(zip(LATENCIES, (way.entry, way.response), strict=True))
        streams: dict[Key, Parts] = {(kind, TRADED): each for kind, each in tape.streams.items()}
        settled = self._reader.settlements(tape)
        if settled is not None:
            streams["funding", TRADED] = [settled.columns]
        exp = 0 if settled is None else settled.exp
        return StressTape((self._instrument,), streams, interval_ns={}, rate_exp=exp, sim=latencies)

    def _run(self, tape: TickTape, laid: SessionTape) -> Books:
        """Run the session from flat on other rows."""
        config, instrument = self._config, self._instrument
        assumed = Assumed(*queue_of(config, self._venue, self._job), laid.latencies())
        streams = {kind: parts for (kind, _), parts in laid.streams.items() if kind != "funding"}
        # A slow feed moves no end: who learns of the last rows too late is closed as the others.
        shown = replace(tape, streams=streams)
        line = tick_line(config, instrument, shown, tick_capital(config, instrument), assumed)
        for columns in laid.streams.get(("funding", TRADED), ()):
            Settlements(columns, laid.rate_exp).put(line, TRADED)
        line.native.expect_funding(TRADED, self._reader.unsettled(shown))
        for ts, index, fraction in laid.deleverages:
            line.native.add_deleverage(index, ts, fraction)
        recorded(line, compose_tick_state(config, instrument), NoLog())
        native = line.native
        return Books(
            tuple(config.books),
            native.equity_rows(),
            native.fills(),
            native.orders(),
            native.round_trips(),
            {},
        )

    def _figures(self, books: Books, laid: SessionTape, span: Span) -> Figures:
        capital = sum(d.amount for d in tick_capital(self._config, self._instrument))
        return measure(self._config.risk, self._market(laid), books, span, float(capital))

    def _market(self, laid: SessionTape) -> Market:
        trades = laid.streams.get(("trade", TRADED), ())
        return Market((self._instrument,), lambda _, ts: last_traded(trades, ts), laid.worth)


def _check_alone(config: TickConfig, file: Path) -> None:
    """Check that a run has one position: shocks are laid by what was held of it."""
    names = ", ".join(config.books)
    if len(config.books) > 1:
        raise ConfigError(
            f"{file}: markets: cq stress takes a run of one book, was one of {names}: run each "
            "alone with cq backtest, its section under [markets] the only one, and stress that run"
        )
    if config.of_venue(venue_of(config.instrument)).hedged:
        raise ConfigError(
            f"{file}: markets.{names}: cq stress takes an account in one-way mode, was one in "
            "hedge mode: run the book with hedged = false and cq backtest, and stress that run"
        )

    if config.coins or any(market.coins for market in config.markets.values()):
        raise ConfigError(
            f"{file}: coins: cq stress takes a run that begins with the quote asset only: its "
            "shocks are not laid over what is margined in coin"
        )


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
