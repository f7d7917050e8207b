"""One cell of a tick run's band: every session under one queue model and one latency."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from crypto_quant.backtesting.engine import collect
from crypto_quant.backtesting.engine.portfolio import Books
from crypto_quant.backtesting.engine.tick_equity import equity_table
from crypto_quant.backtesting.engine.tick_figures import (
    NOTHING,
    Ran,
    Standing,
    Watch,
    session_figures,
)
from crypto_quant.backtesting.metrics.schema import PORTFOLIO
from crypto_quant.core.errors import ConfigError, InvariantError
from crypto_quant.core.instruments import Instrument, venue_of
from crypto_quant.core.panics import as_errors
from crypto_quant.core.terms import terms_at
from crypto_quant.data_pipeline.storage import Catalog
from crypto_quant.runtime.compose_ticks import Assumed, compose_markets, market_line
from crypto_quant.runtime.config import TickConfig
from crypto_quant.runtime.decisions import DecisionLog, NoLog
from crypto_quant.runtime.drive import recorded
from crypto_quant.runtime.feed_latency import feed_model
from crypto_quant.runtime.holes import check_hole
from crypto_quant.runtime.joint_ticks import JointReader, JointSession, JointTape, Skipped
from crypto_quant.runtime.line import RecordedLine
from crypto_quant.runtime.line_spec import Deposit
from crypto_quant.runtime.markets import asked, markets_of
from crypto_quant.runtime.middles import middles
from crypto_quant.runtime.opening import opening_prices
from crypto_quant.runtime.order_latency import read_round_trips, travels
from crypto_quant.runtime.venue_config import LatencyName, QueueName


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
    knows, at which sessions end; ``prices`` what coins were counted at when the run began.
    """

    cell: Cell
    sessions: list[dict[str, Any]]
    tables: Mapping[str, pa.Table]
    skipped: tuple[tuple[str, str], ...]
    unpaid: tuple[int, ...]
    prices: Mapping[str, Decimal]

    @property
    def pnl(self) -> Decimal:
        """Return the money made over all sessions."""
        return sum((Decimal(s["pnl"]["total"]) for s in self.sessions), Decimal(0))

    @property
    def rests(self) -> bool:
        """Tell whether any order could rest in a queue."""
        return any(set(s["orders"]) & {"limit", "post_only"} for s in self.sessions)


def queue_of(config: TickConfig, venue: str, job: CellJob) -> tuple[str, float]:
    """Return the native model of a cell's queue at a venue, and its exponent."""
    exponent, queue = config.of_venue(venue).queue_exponent, job.cell.queue
    # With markets nothing is fitted: the prior is the venue's own.
    fitted = exponent if config.markets else job.fitted.exponent
    return ("power", fitted) if queue == "fitted" else (queue, exponent)


def chosen(found: tuple[JointSession, ...], names: tuple[str, ...]) -> tuple[JointSession, ...]:
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
        self, config: TickConfig, catalog: Catalog, known: Mapping[str, Instrument], job: CellJob
    ) -> None:
        self._config = config
        self._job = job
        traded = asked(config, known)
        feeds = {
            i.id: feed_model(config.of_venue(venue_of(i.id)).feed, job.cell.latency) for i in traded
        }
        self._reader = JointReader(catalog, traded, feeds)
        self._markets = markets_of(config, self._reader.instruments)
        self.instruments = self._markets.legs.instruments
        self._trips = {
            venue: read_round_trips(config.of_venue(venue).latency)
            for venue in self._markets.venues
        }
        self._skipped: list[Skipped] = []
        self._unpaid: list[int] = []

    def run(self) -> CellResult:
        """Run every session that has a book."""
        decisions = self._job.decisions
        with nullcontext(NoLog()) if decisions is None else DecisionLog(decisions) as log:
            return self._run(Watch(log))

    def _run(self, watch: Watch) -> CellResult:
        config, markets = self._config, self._markets
        count = len(chosen(self._reader.sessions(), config.sessions))
        if markets.coins and count > 1:
            raise ConfigError(
                f"coins: expected one session, was {count}: between them the price of "
                f"{', '.join(markets.coins)} moves, which no trade made: choose one (--session)"
            )
        state = compose_markets(config, markets)
        before, line = NOTHING, None
        prices: dict[str, Decimal] = {}
        sessions: list[dict[str, Any]] = []
        names: list[str] = []
        for tape in self._tapes():
            earlier: RecordedLine | None = line
            if earlier is not None:
                check_hole(earlier, markets, names[-1], tape.session.name)
            paths = tuple(
                middles(own, terms_at(instrument, tape.start, config.tier).tick)
                for own, instrument in zip(tape.each, markets.instruments, strict=True)
            )
            capital: list[Deposit] = []
            if earlier is None:
                sections = [book.section for book in markets.books]
                prices = opening_prices(sections, markets.instruments, tape, paths)
                capital = markets.deposits(prices)
            ways = travels(config, markets, self._trips, self._job.cell.latency, tape)
            assumed = {venue: self._assumed(venue, way.sim) for venue, way in ways.items()}
            line = market_line(config, markets, tape, capital, assumed)
            self._reader.funding(line, tape)
            if earlier is not None:
                line.native.adopt(earlier.native)
            watch.begin()
            recorded(line, state, watch)
            ran = Ran(line, markets, tape, ways, paths)
            sessions.append(session_figures(ran, before, watch))
            before = Standing.of(line, markets)
            names += [tape.session.name] * (before.rows - len(names))
        if line is None:
            raise InvariantError("a run without sessions")
        native = line.native
        books = Books(
            markets.names,
            native.equity_rows(),
            native.fills(),
            native.orders(),
            native.round_trips(),
            watch.by_order,
        )
        tables = self._tables(
            books, names, [(name, own) for name, own, _ in line.accounts.wallets()]
        )
        return CellResult(
            self._job.cell, sessions, tables, tuple(self._skipped), tuple(self._unpaid), prices
        )

    def _assumed(self, venue: str, latency: Mapping[str, object]) -> Assumed:
        return Assumed(*queue_of(self._config, venue, self._job), latency)

    def _tapes(self) -> Iterator[JointTape]:
        """Yield the sessions that have a book, one in memory at a time."""
        if not self._config.sessions:
            self._skipped += self._reader.alone()
        for session in chosen(self._reader.sessions(), self._config.sessions):
            found = self._reader.read(session)
            if isinstance(found, Skipped):
                self._skipped.append(found)
                continue
            if found.unpaid is not None:
                self._unpaid.append(found.unpaid)
            yield found

    def _tables(
        self, books: Books, names: list[str], wallets: Sequence[tuple[str, Sequence[str]]]
    ) -> Mapping[str, pa.Table]:
        fills = collect.fills_table(books, self)
        return {
            "fills": fills,
            "orders": collect.orders_table(books, self),
            "trips": collect.trips_table(books, self, PORTFOLIO, fills),
            "equity": equity_table(books, names, self._markets, wallets),
        }


@as_errors()
def run_cell(source: bytes, job: CellJob) -> CellResult:
    """Run a cell in a process of the pool; ``source`` is what the pool was made with."""
    config, root, known = pickle.loads(source)  # noqa: S301 - from our own parent process
    return CellRun(config, Catalog(root), known, job).run()
