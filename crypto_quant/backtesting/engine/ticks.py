"""The tick line: one strategy on recorded order books, session after session."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from crypto_quant.backtesting.engine import collect, identity
from crypto_quant.backtesting.engine.assumptions import unsourced
from crypto_quant.backtesting.engine.columns import MONEY_SCALE, decimals, money, whole
from crypto_quant.backtesting.engine.folder import run_folder
from crypto_quant.backtesting.engine.portfolio import Books
from crypto_quant.backtesting.engine.tick_figures import (
    NOTHING,
    Standing,
    Watch,
    session_figures,
)
from crypto_quant.backtesting.metrics.description import Assumption
from crypto_quant.backtesting.metrics.result import put
from crypto_quant.backtesting.metrics.schema import COMPONENTS, PORTFOLIO, column
from crypto_quant.backtesting.validation.evaluate import evaluate
from crypto_quant.backtesting.validation.trials import Trial, TrialLog, require
from crypto_quant.core.clock import iso
from crypto_quant.core.config import dump_config
from crypto_quant.core.errors import ConfigError, DataError, InvariantError
from crypto_quant.core.instruments import Instrument
from crypto_quant.data_pipeline.storage import Catalog
from crypto_quant.runtime.compose_ticks import (
    MS_NS,
    TRADED,
    check_tradable,
    compose_tick_state,
    tick_capital,
    tick_line,
)
from crypto_quant.runtime.config import TickConfig
from crypto_quant.runtime.decisions import DecisionLog, NoLog
from crypto_quant.runtime.drive import recorded
from crypto_quant.runtime.line import RecordedLine
from crypto_quant.runtime.ticks import NoBook, TickReader, TickSession, TickTape

Stage = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done, and how much there is."""

NOT_ANNUALISED: Final = (
    "No figure is annualised: minutes of market say nothing about a year, and nothing here was "
    "held out."
)
_NATIVE_PART = {"transfer": "transfer_fees"}


class TickRun(NamedTuple):
    """A finished run: its folder, its numbers as in ``metrics.json``, and the trials so far."""

    folder: Path
    metrics: dict[str, Any]
    trials: int


class RanTicks(NamedTuple):
    """What a run came to, before it is written: its numbers, every fill, the equity path."""

    metrics: dict[str, Any]
    fills: pa.Table
    equity: pa.Table


class _Outcome(NamedTuple):
    """What the sessions left, and which row of the equity path ends each."""

    books: Books
    sessions: list[dict[str, Any]]
    ends: list[int]


class TickBacktest:
    """A run on the recorded books of one instrument.

    Parameters
    ----------
    config
        The run's configuration.
    catalog, known
        Data, and the instruments that have rules.
    runs, trials
        Folder of run folders, and the trial log.
    tell
        Told of progress.

    Raises
    ------
    ConfigError
        The instrument is unknown or cannot be traded, the feature is none, or no session
        has a chosen name.
    DataError
        The catalog has no book of the instrument.
    """

    def __init__(
        self,
        config: TickConfig,
        catalog: Catalog,
        known: Mapping[str, Instrument],
        runs: Path,
        trials: Path,
        tell: Stage,
    ) -> None:
        if config.instrument not in known:
            raise ConfigError(
                f"instrument: no rules for {config.instrument!r}; known: {', '.join(known)}"
            )
        self._config = config
        self._reader = TickReader(catalog, known[config.instrument])
        self.instruments = (self._reader.instrument,)
        self._sessions = _chosen(self._reader.sessions(), config.sessions)
        check_tradable(config, self.instruments[TRADED], self._sessions[0].start)
        self._state = compose_tick_state(config, self.instruments[TRADED])
        self._parts = [f"{p.kind}/{p.key} {p.sha256}" for p in self._reader.parts]
        clocks = [session.clock.describe() for session in self._sessions if session.clock]
        self.data = identity.parts_hash([*self._parts, *clocks])
        self.code = identity.source_hash()
        self.end = self._sessions[-1].end
        self._runs = runs
        self._trials = trials
        self._tell = tell
        self._skipped: list[NoBook] = []
        self._unpaid: list[int] = []

    def run(self) -> TickRun:
        """Run every session that has a book, write the run folder, return both.

        Raises
        ------
        DataError
            No chosen session has a book.
        """
        tapes = self._readable()
        folder = self._folder()
        log = TrialLog(self._trials)

        def go(trial: Trial) -> _Outcome:
            require(trial)
            with DecisionLog(folder / "decisions.jsonl") as decisions:
                return self._run(tapes, Watch(decisions))

        with run_folder(folder):
            outcome = evaluate(log, self._config, self.data, self.code, go, _numbers).result
            metrics = self._metrics(outcome)
            self._write(folder, outcome, metrics)
        return TickRun(folder, metrics, log.count().trials)

    def ran(self) -> RanTicks:
        """Run every session that has a book and write nothing: its trial was counted by another.

        Raises
        ------
        DataError
            No chosen session has a book.
        """
        outcome = self._run(self._readable(), Watch(NoLog()))
        fills = collect.fills_table(outcome.books, self)
        equity = _equity(outcome, self.instruments[TRADED])
        return RanTicks(self._metrics(outcome), fills, equity)

    def _readable(self) -> Iterator[TickTape]:
        """Return the sessions that have a book.

        Raises
        ------
        DataError
            There is none.
        """
        tapes = self._tapes()
        first = next(tapes, None)
        if first is None:
            why = "; ".join(f"{s.session.name}: {s.reason}" for s in self._skipped)
            raise DataError(f"{self._config.instrument}: no session can be traded on: {why}")
        return chain((first,), tapes)

    def _tapes(self) -> Iterator[TickTape]:
        """Yield the sessions that have a book, one in memory at a time."""
        for session in self._sessions:
            found = self._reader.read(session)
            if isinstance(found, NoBook):
                self._skipped.append(found)
            else:
                yield found

    def _settled(self, tape: TickTape) -> TickTape:
        """End a session before funding that nobody knows."""
        unsettled = self._reader.unsettled(tape)
        if not unsettled:
            return tape
        self._unpaid.append(unsettled[0])
        return replace(tape, end=max(unsettled[0] - 1, tape.start + 1))

    def _run(self, tapes: Iterator[TickTape], watch: Watch) -> _Outcome:
        config, instrument = self._config, self.instruments[TRADED]
        state, before, line = self._state, NOTHING, None
        sessions, ends = [], []
        watch.view = state.view
        for session in tapes:
            tape = self._settled(session)
            name = f"session {tape.session.name}"
            self._tell(name, 0, 1)
            earlier: RecordedLine | None = line
            capital = tick_capital(config, instrument) if earlier is None else []
            line = tick_line(config, instrument, tape, capital)
            self._reader.funding(line, TRADED, tape)
            if earlier is not None:
                line.native.adopt(earlier.native)
            watch.begin()
            recorded(line, state, watch)
            sessions.append(session_figures(line, tape, before, watch, config.grid_ms * MS_NS))
            before = Standing.of(line)
            ends.append(before.rows)
            self._tell(name, 1, 1)
        if line is None:
            raise InvariantError("a run without sessions")
        native = line.native
        books = Books(
            (config.strategy,),
            native.equity_rows(),
            native.fills(),
            native.orders(),
            native.round_trips(),
            watch.by_order,
        )
        return _Outcome(books, sessions, ends)

    def _folder(self) -> Path:
        """Name the run after what it is made of: the same run writes the same folder."""
        name = identity.short_id(self._config, self.data, self.code)
        end = datetime.fromtimestamp(self.end / 1e9, UTC)
        return self._runs / f"ticks-{end:%Y%m%d}-{name}"

    def _metrics(self, outcome: _Outcome) -> dict[str, Any]:
        instrument = self.instruments[TRADED]
        return {
            "strategy": self._config.strategy,
            "instrument": instrument.id,
            "currency": instrument.quote,
            "capital": str(self._config.capital),
            "annualised": NOT_ANNUALISED,
            "sessions": outcome.sessions,
            "skipped": [{"session": s.session.name, "reason": s.reason} for s in self._skipped],
            "assumptions": [a.model_dump(mode="json") for a in self._assumptions(outcome)],
        }

    def _assumptions(self, outcome: _Outcome) -> list[Assumption]:
        config, instrument = self._config, self.instruments[TRADED]
        rows = [
            Assumption(
                topic="fills",
                text="A taker walks the recorded book as it stood at the venue when the order "
                "arrived; what it took stays taken until the level's next update. The market "
                "does not react to it otherwise. A resting order fills behind the queue that it "
                "found, by recorded trades only.",
            ),
            Assumption(
                topic="latency",
                text=f"{config.entry_latency_ms} ms to the venue, {config.response_latency_ms} ms "
                "back; constant. Market data is known at its own recorded latency.",
            ),
        ]
        rows.append(
            Assumption(
                topic="liquidation",
                text=f"The venue liquidates at the mark, {config.margin} margin, by the dated "
                f"brackets: {sum(len(s['liquidations']) for s in outcome.sessions)} orders here.",
                source="docs/reference/liquidation.md",
            )
        )
        for session in outcome.sessions:
            if session["recv_shift_ns"]:
                text = f"{session['session']}: {session['recv']}"
                rows.append(Assumption(topic="clock", text=text))
        for ts in dict.fromkeys(self._unpaid):
            text = f"Due at {iso(ts)}, but the catalog has no settled rate: the session ends there."
            rows.append(Assumption(topic="funding", text=text))
        return [*rows, *unsourced(instrument, config.tier, self._sessions[0].start)]

    def _write(self, folder: Path, outcome: _Outcome, metrics: Mapping[str, Any]) -> None:
        fills = collect.fills_table(outcome.books, self)
        manifest = {
            "commit": identity.commit(),
            "code": self.code,
            "data": self.data,
            "parts": self._parts,
            "versions": identity.versions(),
        }
        put(folder / "config.toml", dump_config(self._config).encode())
        put(folder / "manifest.json", _json(manifest))
        put(folder / "metrics.json", _json(metrics))
        tables = {
            "fills": fills,
            "orders": collect.orders_table(outcome.books, self),
            "trips": collect.trips_table(outcome.books, self, PORTFOLIO, fills),
            "equity": _equity(outcome, self.instruments[TRADED]),
        }
        for name, table in tables.items():
            sink = pa.BufferOutputStream()
            pq.write_table(table, sink, compression="zstd")
            put(folder / f"{name}.parquet", sink.getvalue().to_pybytes())


def _chosen(found: tuple[TickSession, ...], names: tuple[str, ...]) -> tuple[TickSession, ...]:
    """Return the sessions whose name begins with one of ``names``; all, if there are none.

    Raises
    ------
    ConfigError
        A name fits no session.
    """
    for name in names:
        if not any(session.name.startswith(name) for session in found):
            have = ", ".join(session.name for session in found)
            raise ConfigError(f"sessions: none begins with {name!r}; the catalog has {have}")
    return tuple(s for s in found if not names or s.name.startswith(names))


def _equity(outcome: _Outcome, instrument: Instrument) -> pa.Table:
    """Return ``equity.parquet``: a row each second and at the end of each session.

    In every row equity is the capital plus the parts, exactly.
    """
    rows = outcome.books.equity
    names: list[str] = []
    for session, end in zip(outcome.sessions, outcome.ends, strict=True):
        names += [session["session"]] * (end - len(names))
    columns: dict[str, pa.Array] = {
        "ts": pa.array(whole(rows, "ts")),
        "session": pa.array(names),
        f"position/{instrument.id}": decimals(
            whole(rows, f"position.{instrument.id}"), instrument.qty_exp
        ),
    }
    flat = pa.nulls(len(names), pa.decimal128(38, MONEY_SCALE)).fill_null(0)
    for book in (*outcome.books.sleeves, PORTFOLIO):
        columns[column(book, "flow")] = flat
        for part in ("equity", *COMPONENTS):
            native = f"{_NATIVE_PART.get(part, part)}.{outcome.books.sleeves[TRADED]}"
            columns[column(book, part)] = money(rows, native)
    return pa.table(columns)


def _numbers(outcome: _Outcome) -> dict[str, float]:
    """Return what the trial log keeps: P&L; a Sharpe ratio of minutes would mislead."""
    return {"pnl": sum(float(session["pnl"]["total"]) for session in outcome.sessions)}


def _json(value: object) -> bytes:
    return (json.dumps(value, indent=1, sort_keys=True) + "\n").encode()
