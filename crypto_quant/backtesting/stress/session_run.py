"""One session of a run: its tape as shocks take it, run from flat, and what of it is measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal

import numpy as np

from crypto_quant.backtesting.engine.cells import CellJob, queue_of
from crypto_quant.backtesting.engine.portfolio import Books
from crypto_quant.backtesting.stress.held import Held
from crypto_quant.backtesting.stress.marked import marked_under
from crypto_quant.backtesting.stress.measure import (
    Coins,
    Figures,
    Market,
    measure,
    over_equity,
    value,
)
from crypto_quant.backtesting.stress.shocks.mark import marking
from crypto_quant.backtesting.stress.tape import (
    Key,
    Parts,
    Position,
    Positions,
    SessionTape,
    StressTape,
    Way,
)
from crypto_quant.core.measures.arrays import Ints
from crypto_quant.core.terms import tick_at
from crypto_quant.runtime.compose_ticks import (
    Assumed,
    compose_markets,
    market_line,
)
from crypto_quant.runtime.config import TickConfig
from crypto_quant.runtime.decisions import NoLog
from crypto_quant.runtime.drive import recorded
from crypto_quant.runtime.joint_ticks import JointReader, JointTape
from crypto_quant.runtime.markets import Markets
from crypto_quant.runtime.middles import middles
from crypto_quant.runtime.opening import begun, opening_prices, pricer, worth
from crypto_quant.runtime.order_latency import Travel
from crypto_quant.runtime.segments import Span
from crypto_quant.runtime.tape import Columns, Settlements
from crypto_quant.runtime.ticks import TickReader, TickTape


class SessionRun:
    """Runs a session of a configuration, as recorded and on changed tapes.

    Parameters
    ----------
    config, markets, reader
        Of the run.
    job
        The cell that it was judged in.
    tape
        The session.
    ways
        The latencies of each venue in it, by its name.
    """

    def __init__(
        self,
        config: TickConfig,
        markets: Markets,
        reader: JointReader,
        job: CellJob,
        tape: JointTape,
        ways: Mapping[str, Travel],
    ) -> None:
        self._config = config
        self._markets = markets
        self._reader = reader
        sections = [book.section for book in markets.books]
        self._prices: dict[str, Decimal] = {}
        if any(section.coins for section in sections):
            paths = [
                middles(own, tick_at(instrument, tape.start))
                for own, instrument in zip(tape.each, markets.instruments, strict=True)
            ]
            traded = markets.instruments
            self._prices = opening_prices(sections, traded, tape, paths)
        self._capital = float(sum(worth(section, self._prices) for section in sections))
        self._queues = {venue: queue_of(config, venue, job) for venue in markets.venues}
        self._tape = tape
        self.plain = self._recorded({v: Way(way.entry, way.response) for v, way in ways.items()})
        self.undisturbed = self.run(self.plain)

    def _recorded(self, ways: Mapping[str, Way]) -> SessionTape:
        streams: dict[Key, Parts] = {}
        settled: dict[int, Settlements] = {}
        for index, (reader, own) in enumerate(self._each()):
            streams |= {(kind, index): parts for kind, parts in own.streams.items()}
            found = reader.settlements(own)
            if found is not None:
                settled[index] = found
        exp = max((found.exp for found in settled.values()), default=0)
        for index, found in settled.items():
            streams["funding", index] = [_to_exp(found, exp)]
        instruments = self._markets.instruments
        return StressTape(instruments, streams, interval_ns={}, rate_exp=exp, ways=ways)

    def run(self, laid: SessionTape) -> Books:
        """Run the session from flat on other rows."""
        config, markets = self._config, self._markets
        assumed = {v: Assumed(*self._queues[v], way.native()) for v, way in laid.ways.items()}
        # A slow feed moves no end: who learns of the last rows too late is closed as the others.
        shown = self._tape._replace(
            each=tuple(
                replace(own, streams=_of(laid, index)) for index, own in enumerate(self._tape.each)
            )
        )
        line = market_line(config, markets, shown, markets.deposits(self._prices), assumed)
        for index, (reader, own) in enumerate(self._each()):
            for columns in laid.streams.get(("funding", index), ()):
                Settlements(columns, laid.rate_exp).put(line, index)
            line.native.expect_funding(index, reader.unsettled(own))
        for ts, at, fraction in laid.deleverages:
            line.native.add_deleverage(at, ts, fraction)
        recorded(line, compose_markets(config, markets), NoLog())
        native = line.native
        return Books(
            markets.names,
            native.equity_rows(),
            native.fills(),
            native.orders(),
            native.round_trips(),
            {},
        )

    def held(self) -> Held:
        """Return what was held without a shock; a lot is worth what it was at the first mark."""
        market, first = self._market(self.plain, self._tape.start), np.array([self._tape.start])
        one_lot = np.ones(1, dtype=np.int64)
        lots = (
            value(one, market.price(n, first), one_lot) for n, one in enumerate(market.instruments)
        )
        return Held.of(self.undisturbed, [float(lot[0]) for lot in lots])

    def positions(self, held: Held, ts: int) -> Positions:
        """Return what each book held just before a time without a shock."""
        market = self._market(self.plain, ts)
        over = over_equity(market, self.undisturbed, ts, held.at(ts))
        return tuple(
            Position(
                "" if self._markets.is_plain or len(self._markets.books) == 1 else book.name,
                book.at,
                book.venue,
                market.instruments[book.at].contract != "spot",
                over[book.at],
            )
            for book in self._markets.books
        )

    def figures(self, books: Books, laid: SessionTape, span: Span) -> Figures:
        """Measure what a run of the session came to from when the shock began on."""
        market = self._market(laid, span.start)
        return measure(self._config.risk, market, books, span, self._capital)

    def _market(self, laid: SessionTape, start: int) -> Market:
        """Return the prices of a tape that is the recorded one before ``start``."""
        legs = self._markets.legs
        contracts = {short: contract for contract, short in legs.pairs}

        def price(at: int, ts: Ints) -> Ints:
            own = contracts.get(at, at)
            return marked_under(marking(laid, own), marking(self.plain, own), start, ts)

        return Market(legs.instruments, price, laid.worth, self._coins())

    def _coins(self) -> tuple[Coins, ...]:
        """Return what the books begin with beside the quote asset."""
        sections = [book.section for book in self._markets.books]
        traded, coins = self._markets.instruments, begun(sections)
        return tuple(Coins(a, float(n), pricer(a, sections, traded)) for a, n in coins.items())

    def _each(self) -> Iterator[tuple[TickReader, TickTape]]:
        return zip(self._reader.readers, self._tape.each, strict=True)


def _of(laid: SessionTape, index: int) -> dict[str, Parts]:
    """Return the market streams of an instrument."""
    own = ((kind, parts) for (kind, at), parts in laid.streams.items() if at == index)
    return {kind: parts for kind, parts in own if kind != "funding"}


def _to_exp(settled: Settlements, exp: int) -> Columns:
    """Return settlements with their rates in another number of decimals, no fewer."""
    return {**settled.columns, "rate": settled.columns["rate"] * 10 ** (exp - settled.exp)}
