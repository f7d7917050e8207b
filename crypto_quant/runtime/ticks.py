"""Recorded tick sessions onto the line: book updates, trades, best prices, marks, gaps.

A session is what one machine recorded at one time, over any number of files: an update of a
later file that follows the last one goes on with its book. The strategy sees the rows by
``ts_recv``, the venue lives through them by ``ts_event``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

import numpy as np

from crypto_quant.core.errors import DataError
from crypto_quant.core.instruments import Instrument
from crypto_quant.data_pipeline.cleaners.rebase import Recorded, Session, Shifts, sessions
from crypto_quant.data_pipeline.storage import Catalog, Part
from crypto_quant.runtime.feed_latency import FeedModel
from crypto_quant.runtime.line import RecordedLine
from crypto_quant.runtime.tape import (
    EVER,
    Columns,
    Settlements,
    TapeLoader,
    on_grid_of,
    unsettled,
)
from crypto_quant.runtime.tick_rows import (
    BOOK,
    TIMES,
    SessionRows,
    Survey,
    survey,
    survey_book,
)
from crypto_quant.runtime.tick_times import check_times

KINDS: Final = (BOOK, "trade", "agg_trade", "quote", "mark")
QUANTILES: Final = {"p50": 0.5, "p99": 0.99}
APART_NS: Final = 600 * 10**9
"""Parts without a recorder's stamps that lie further apart are two sessions."""


class TickSession(NamedTuple):
    """What one machine recorded of an instrument at one time.

    ``name`` is the UTC time of its first row; ``start`` and ``end`` are its first and last
    ``ts_event``, ns UTC, inclusive; ``clock`` says how its stamps are re-based (``None``:
    stamps of a vendor, taken as they are).
    """

    name: str
    start: int
    end: int
    clock: Session | None


class NoBook(NamedTuple):
    """A session on whose book nothing can be traded, and why."""

    session: TickSession
    reason: str


@dataclass(frozen=True, slots=True)
class TickTape:
    """One session as the line takes it.

    Parameters
    ----------
    session
        Where it comes from.
    start, end
        Decisions begin when the first snapshot is known and end with the last row, ns UTC.
    streams
        Parts by kind: ``delta``, ``trade``, ``quote``, ``mark``, ``gap``. A part is columns of
        int64 on the instrument's grid, each (n,), in the order of ``ts_recv``; it is read
        when it is asked for, and every iteration begins anew.
    rows
        How many each stream has.
    unused
        Book updates that belong to no book.
    missing_trades
        Trade ids that were left out between two recorded ones.
    feed_delay_ns
        ``p50`` and ``p99`` of how long an update of the book took to us; empty without any.
    """

    session: TickSession
    start: int
    end: int
    streams: Mapping[str, Iterable[Columns]]
    rows: Mapping[str, int]
    unused: int
    missing_trades: int
    feed_delay_ns: Mapping[str, int] = field(default_factory=dict)

    @property
    def events(self) -> int:
        """Rows of all streams."""
        return sum(self.rows.values())

    def put(self, line: RecordedLine, index: int) -> None:
        """Put every stream on a line, as data of its instrument ``index``."""
        native = line.native
        adders: dict[str, Callable[..., int]] = {
            BOOK: native.add_deltas,
            "trade": native.add_trades,
            "quote": native.add_quotes,
            "mark": native.add_marks,
            "gap": native.add_gaps,
        }
        name = line.spec.instruments[index].id
        for kind, parts in self.streams.items():
            line.stream(name, adders[kind], index, parts)


@dataclass(frozen=True, slots=True)
class _Parts:
    """A stream's parts, read from the catalog at each iteration."""

    source: SessionRows
    stream: str
    instrument: Instrument

    def __iter__(self) -> Iterator[Columns]:
        return self.source.parts(self.stream, self.instrument)


class TickReader:
    """Reads an instrument's sessions from a catalog.

    Parameters
    ----------
    catalog
        Where the data is.
    instrument
        What is traded; ``self.instrument`` is the same on a grid that is fine enough for
        all its recorded ticks.
    feed
        A model of when rows are known, where their stamps do not say.

    Raises
    ------
    DataError
        The catalog has no book of this instrument.
    """

    def __init__(
        self, catalog: Catalog, instrument: Instrument, feed: FeedModel | None = None
    ) -> None:
        self._catalog = catalog
        self._feed = feed
        held = set(catalog.keys())
        if (BOOK, instrument.id) not in held:
            books = ", ".join(key.key for key in catalog.keys(BOOK)) or "none"
            raise DataError(
                f"{catalog.root} has no order book of {instrument.id}: import a capture of it "
                f"(cq data import); books it has: {books}"
            )
        self._kinds = tuple(kind for kind in KINDS if (kind, instrument.id) in held)
        self._has_funding = ("funding", instrument.id) in held
        self.instrument = on_grid_of(instrument, catalog, [(k, instrument.id) for k in self._kinds])
        self._found = sessions(catalog.parts)
        self.parts = tuple(p for kind in self._kinds for p in catalog.parts_of(kind, instrument.id))
        if self._has_funding:
            self.parts += tuple(catalog.parts_of("funding", instrument.id))

    def sessions(self) -> tuple[TickSession, ...]:
        """Return the sessions in time order, those without a book among them."""
        ticks = [part for part in self.parts if part.kind in KINDS]
        groups: dict[Session, list[Part]] = {}
        loose: list[Part] = []
        for part in ticks:
            owner = self._owner(part)
            if owner is None:
                loose.append(part)
            else:
                groups.setdefault(owner, []).append(part)
        made = [_session(parts, clock) for clock, parts in groups.items()]
        made += [_session(parts, None) for parts in _near(loose)]
        return tuple(sorted(made, key=lambda session: session.start))

    def read(self, session: TickSession) -> TickTape | NoBook:
        """Return a session's streams, or why nothing can be traded on them.

        What they hold is counted here; values are read when the line asks for them.

        Raises
        ------
        DataError
            A venue time goes back by more than a bound, or one that is ahead sets the base of
            the session's latencies.
        """
        if BOOK not in (held := self._held(session)):
            return NoBook(session, "no book updates were recorded")
        book = survey_book(held[BOOK])
        if not book.rows:
            return NoBook(session, f"no snapshot: {book.unused:,} updates make no book")
        check_times(held, session.clock, self._catalog.parts)
        streams: dict[str, Iterable[Columns]] = {
            BOOK: _Parts(held[BOOK], BOOK, self.instrument),
            "gap": [book.gaps],
        }
        others = _others(held)
        found = {kind: survey(source) for kind, source in others.items()}
        streams |= {k: _Parts(source, k, self.instrument) for k, source in others.items()}
        end = max([book.last, *(own.last for own in found.values())])
        whole = TickTape(session, book.first, end, streams, {}, 0, 0)
        return _counted(whole, book, found, EVER[0])

    def cut(self, tape: TickTape, start: int, end: int) -> TickTape:
        """Return a session as it is run: what is counted and measured is of a part of it.

        The streams stay whole: a book is made from its first row on, and the line ends by itself.

        Parameters
        ----------
        tape
            The session as ``read`` returns it.
        start, end
            Decisions are made from here to there, ns UTC, inclusive. What came before the first
            book counts too, where that is what decisions wait for.
        """
        if (start, end) == (tape.start, tape.end):
            return tape
        since = EVER[0] if start == tape.start else start
        held = self._held(tape.session)
        book = survey_book(held[BOOK], since, end)
        found = {kind: survey(own, since, end) for kind, own in _others(held).items()}
        return _counted(replace(tape, start=start, end=end), book, found, since)

    def funding(self, line: RecordedLine, index: int, tape: TickTape) -> None:
        """Put settled funding on the line.

        To hold a position where one is due but missing is an error when the line comes to it.
        """
        found = self.settlements(tape)
        if found is not None:
            found.put(line, index)
        line.native.expect_funding(index, self.unsettled(tape))

    def settlements(self, tape: TickTape) -> Settlements | None:
        """Return the funding that was settled in a session; ``None`` where none is recorded.

        Raises
        ------
        DataError
            A settlement is there twice.
        """
        if not self._has_funding:
            return None
        loader = TapeLoader(self._catalog, (self.instrument,))
        return loader.settlements(0, tape.start, tape.end + 1)

    def unsettled(self, tape: TickTape) -> tuple[int, ...]:
        """Return the times at which funding is due, but the catalog has no settled rate."""
        settled = np.empty(0, dtype=np.int64)
        if self._has_funding:
            known = self._catalog.scan("funding", self.instrument.id, columns=["ts_event"])
            settled = known["ts_event"].to_numpy()
        return unsettled(self.instrument, settled, tape.start, tape.end)

    def _owner(self, part: Part) -> Session | None:
        recorded = Recorded.parse(part.recv)
        for found in self._found:
            is_inside = found.start <= part.start and part.end <= found.end
            if recorded is not None and found.clock == recorded.clock and is_inside:
                return found
        return None

    def _held(self, session: TickSession) -> dict[str, SessionRows]:
        """Return the kinds of which the session has a row."""
        key, found = self.instrument.id, {}
        for kind in self._kinds:
            shifts = Shifts(self._catalog.parts_of(kind, key), self._found)
            span = session.start, session.end + 1
            rows = SessionRows(self._catalog, kind, key, *span, shifts, self._feed)
            if next(rows.tables(TIMES), None) is not None:
                found[kind] = rows
        return found


def first_unpaid(readers: Iterable[TickReader], tapes: Iterable[TickTape]) -> int | None:
    """Return the first time at which funding is due, but a reader's catalog has no settled rate."""
    both = zip(readers, tapes, strict=True)
    return min((ts for reader, own in both for ts in reader.unsettled(own)), default=None)


def end_before(unpaid: int, start: int) -> int:
    """Return where a session ends so that funding due at ``unpaid`` is not in it, ns UTC."""
    return max(unpaid - 1, start + 1)


def _others(held: Mapping[str, SessionRows]) -> dict[str, SessionRows]:
    """Return what a session has beside its book, by the stream that the line takes it as."""
    trade = held.get("trade", held.get("agg_trade"))
    named = {"trade": trade, "quote": held.get("quote"), "mark": held.get("mark")}
    return {kind: source for kind, source in named.items() if source is not None}


def _counted(tape: TickTape, book: Survey, others: Mapping[str, Survey], since: int) -> TickTape:
    """Return a tape with what was counted of it, and the delay of its feed."""
    rows = {BOOK: book.rows, "gap": int((book.gaps["ts_recv"] >= since).sum())}
    delays = book.delays
    return replace(
        tape,
        rows=rows | {kind: own.rows for kind, own in others.items()},
        unused=book.unused,
        missing_trades=sum(own.missing for own in others.values()),
        feed_delay_ns={k: delays.quantile(q) for k, q in QUANTILES.items()} if delays else {},
    )


def _session(parts: Iterable[Part], clock: Session | None) -> TickSession:
    held = list(parts)
    start = min(part.start for part in held)
    name = f"{np.datetime_as_string(np.datetime64(start, 'ns'), unit='s')}Z"
    return TickSession(name, start, max(part.end for part in held), clock)


def _near(parts: Iterable[Part]) -> list[list[Part]]:
    """Group parts that overlap or follow one another closely."""
    groups: list[list[Part]] = []
    reach = 0
    for part in sorted(parts, key=lambda part: part.start):
        if groups and part.start <= reach + APART_NS:
            groups[-1].append(part)
            reach = max(reach, part.end)
        else:
            groups.append([part])
            reach = part.end
    return groups
