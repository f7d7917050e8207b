"""One cell of a tick run's band: every session under one queue model and one latency."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, NamedTuple

import pyarrow as pa

from crypto_quant.backtesting.engine import collect
from crypto_quant.backtesting.engine.columns import MONEY_SCALE, decimals, money, whole
from crypto_quant.backtesting.engine.portfolio import Books
from crypto_quant.backtesting.engine.tick_figures import (
    NOTHING,
    Standing,
    Watch,
    session_figures,
)
from crypto_quant.backtesting.metrics.schema import COMPONENTS, PORTFOLIO, column
from crypto_quant.core.errors import ConfigError, InvariantError
from crypto_quant.core.instruments import Instrument
from crypto_quant.core.panics import as_errors
from crypto_quant.core.terms import terms_at
from crypto_quant.data_pipeline.storage import Catalog
from crypto_quant.runtime.compose_ticks import (
    TRADED,
    Assumed,
    compose_tick_state,
    tick_capital,
    tick_line,
)
from crypto_quant.runtime.config import TickConfig
from crypto_quant.runtime.decisions import DecisionLog, NoLog
from crypto_quant.runtime.drive import recorded
from crypto_quant.runtime.feed_latency import feed_model
from crypto_quant.runtime.line import RecordedLine
from crypto_quant.runtime.middles import middles
from crypto_quant.runtime.order_latency import read_round_trips, travel
from crypto_quant.runtime.ticks import NoBook, TickReader, TickSession, TickTape
from crypto_quant.runtime.venue_config import LatencyName, QueueName

_NATIVE_PART: Final = {"transfer": "transfer_fees"}


class Fitted(NamedTuple):
    """The queue that stands for ``fitted``: the exponent of ``power``, and what it rests on."""

    exponent: float
    basis: str


class Cell(NamedTuple):
    """A queue model and a latency."""

    queue: QueueName
    latency: LatencyName

    @property
    def name(self) -> str:
        """Return it as a word."""
        return f"{self.queue}-{self.latency}"


class CellJob(NamedTuple):
    """A cell to run; ``decisions`` is the file for what it decided, where that is asked for."""

    cell: Cell
    fitted: Fitted
    decisions: Path | None


@dataclass(frozen=True)
class CellResult:
    """What a cell came to: numbers of each session, and the tables of a run folder.

    ``skipped`` are sessions without a book, with the reason; ``unpaid`` settlements that nobody
    knows, at which sessions end.
    """

    cell: Cell
    sessions: list[dict[str, Any]]
    tables: Mapping[str, pa.Table]
    skipped: tuple[tuple[str, str], ...]
    unpaid: tuple[int, ...]

    @property
    def pnl(self) -> Decimal:
        """Return the money made over all sessions."""
        return sum((Decimal(s["pnl"]["total"]) for s in self.sessions), Decimal(0))

    @property
    def rests(self) -> bool:
        """Tell whether any order could rest in a queue."""
        return any(set(s["orders"]) & {"limit", "post_only"} for s in self.sessions)


def queue_of(queue: QueueName, exponent: float, fitted: Fitted) -> tuple[str, float]:
    """Return the native model of a queue, and its exponent."""
    return ("power", fitted.exponent) if queue == "fitted" else (queue, exponent)


def chosen(found: tuple[TickSession, ...], names: tuple[str, ...]) -> tuple[TickSession, ...]:
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


class CellRun:
    """Runs a configuration over its sessions in one cell, one account all the way through."""

    def __init__(
        self, config: TickConfig, catalog: Catalog, traded: Instrument, job: CellJob
    ) -> None:
        self._config = config
        self._job = job
        feed = feed_model(config.venue.feed, job.cell.latency)
        self._reader = TickReader(catalog, traded, feed)
        self.instruments = (self._reader.instrument,)
        self._trips = read_round_trips(config.venue.latency)
        self._skipped: list[tuple[str, str]] = []
        self._unpaid: list[int] = []

    def run(self) -> CellResult:
        """Run every session that has a book."""
        decisions = self._job.decisions
        with nullcontext(NoLog()) if decisions is None else DecisionLog(decisions) as log:
            return self._run(Watch(log))

    def _run(self, watch: Watch) -> CellResult:
        config, instrument = self._config, self.instruments[TRADED]
        state = compose_tick_state(config, instrument)
        before, line = NOTHING, None
        sessions: list[dict[str, Any]] = []
        names: list[str] = []
        for tape in self._tapes():
            earlier: RecordedLine | None = line
            capital = tick_capital(config, instrument) if earlier is None else []
            way = travel(config.venue.latency, self._trips, self._job.cell.latency, tape)
            line = tick_line(config, instrument, tape, capital, self._assumed(way.sim))
            self._reader.funding(line, TRADED, tape)
            if earlier is not None:
                line.native.adopt(earlier.native)
            watch.begin()
            recorded(line, state, watch)
            tick = terms_at(instrument, tape.start, config.tier).tick
            path = middles(tape, tick)
            sessions.append(session_figures(line, tape, before, watch, path, way))
            before = Standing.of(line)
            names += [tape.session.name] * (before.rows - len(names))
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
        tables = self._tables(books, names)
        return CellResult(
            self._job.cell, sessions, tables, tuple(self._skipped), tuple(self._unpaid)
        )

    def _assumed(self, latency: Mapping[str, object]) -> Assumed:
        exponent = self._config.venue.queue_exponent
        return Assumed(*queue_of(self._job.cell.queue, exponent, self._job.fitted), latency)

    def _tapes(self) -> Iterator[TickTape]:
        """Yield the sessions that have a book, one in memory at a time."""
        for session in chosen(self._reader.sessions(), self._config.sessions):
            found = self._reader.read(session)
            if isinstance(found, NoBook):
                self._skipped.append((session.name, found.reason))
            else:
                yield self._settled(found)

    def _settled(self, tape: TickTape) -> TickTape:
        """End a session before funding that nobody knows."""
        known, unpaid = self._reader.settled(tape)
        if unpaid is not None:
            self._unpaid.append(unpaid)
        return known

    def _tables(self, books: Books, names: list[str]) -> Mapping[str, pa.Table]:
        fills = collect.fills_table(books, self)
        return {
            "fills": fills,
            "orders": collect.orders_table(books, self),
            "trips": collect.trips_table(books, self, PORTFOLIO, fills),
            "equity": _equity(books, names, self.instruments[TRADED]),
        }


def _equity(books: Books, names: list[str], instrument: Instrument) -> pa.Table:
    """Return ``equity.parquet``: a row each second and at the end of each session.

    In every row equity is the capital plus the parts, exactly.
    """
    rows = books.equity
    columns: dict[str, pa.Array] = {
        "ts": pa.array(whole(rows, "ts")),
        "session": pa.array(names),
        f"position/{instrument.id}": decimals(
            whole(rows, f"position.{instrument.id}"), instrument.qty_exp
        ),
    }
    flat = pa.nulls(len(names), pa.decimal128(38, MONEY_SCALE)).fill_null(0)
    for book in (*books.sleeves, PORTFOLIO):
        columns[column(book, "flow")] = flat
        for part in ("equity", *COMPONENTS):
            native = f"{_NATIVE_PART.get(part, part)}.{books.sleeves[TRADED]}"
            columns[column(book, part)] = money(rows, native)
    return pa.table(columns)


@as_errors()
def run_cell(source: bytes, job: CellJob) -> CellResult:
    """Run a cell in a process of the pool; ``source`` is what the pool was made with."""
    config, root, known = pickle.loads(source)  # noqa: S301 - from our own parent process
    return CellRun(config, Catalog(root), known[config.instrument], job).run()
