"""Recorded tick sessions onto the line: book updates, trades, best prices, marks, gaps.

A session is what one machine recorded at one time, over any number of files: an update of a
later file that follows the last one goes on with its book. The strategy sees the rows by
``ts_recv``, the venue lives through them by ``ts_event``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa

from crypto_quant.core.errors import DataError
from crypto_quant.core.instruments import Instrument
from crypto_quant.data_pipeline.cleaners.rebase import Recorded, Session, rebase, sessions
from crypto_quant.data_pipeline.collectors.ticks.chain import book_rows
from crypto_quant.data_pipeline.storage import Catalog, Part, flags
from crypto_quant.runtime.line import RecordedLine
from crypto_quant.runtime.tape import Columns, Ints, TapeLoader, ints, on_grid_of

BOOK: Final = "delta"
KINDS: Final = (BOOK, "trade", "agg_trade", "quote", "mark")
APART_NS: Final = 600 * 10**9
"""Parts without a recorder's stamps that lie further apart are two sessions."""

_COLUMNS: Final[dict[str, dict[str, str]]] = {
    BOOK: {"side": "", "px": "price", "qty": "qty"},
    "trade": {"id": "", "px": "price", "qty": "qty", "side": ""},
    "quote": {"bid": "price", "bid_qty": "qty", "ask": "price", "ask_qty": "qty"},
    "mark": {"mark": "price"},
}
"""What the line takes of a kind beside stamps and flags, and the grid that it is on."""


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
        Columns by kind: ``delta``, ``trade``, ``quote``, ``mark``, ``gap``; int64 on the
        instrument's grid, each (n,), in the order of ``ts_recv``.
    unused
        Book updates that belong to no book.
    missing_trades
        Trade ids that were left out between two recorded ones.
    """

    session: TickSession
    start: int
    end: int
    streams: Mapping[str, Columns]
    unused: int
    missing_trades: int

    @property
    def events(self) -> int:
        """Rows of all streams."""
        return sum(len(columns["ts_event"]) for columns in self.streams.values())

    def put(self, line: RecordedLine, index: int) -> None:
        """Put every stream on a line, as data of its instrument ``index``."""
        native = line.native
        adders: dict[str, Callable[..., None]] = {
            BOOK: native.add_deltas,
            "trade": native.add_trades,
            "quote": native.add_quotes,
            "mark": native.add_marks,
            "gap": native.add_gaps,
        }
        for kind, columns in self.streams.items():
            if len(columns["ts_event"]):
                name = line.spec.instruments[index].id
                line.load(name, adders[kind], index, **columns)


class TickReader:
    """Reads an instrument's sessions from a catalog.

    Parameters
    ----------
    catalog
        Where the data is.
    instrument
        What is traded; ``self.instrument`` is the same on a grid that is fine enough for
        all its recorded ticks.

    Raises
    ------
    DataError
        The catalog has no book of this instrument.
    """

    def __init__(self, catalog: Catalog, instrument: Instrument) -> None:
        self._catalog = catalog
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
        """Return a session's rows, or why nothing can be traded on them."""
        deltas = self._rows(BOOK, session)
        if deltas is None or not deltas.num_rows:
            return NoBook(session, "no book updates were recorded")
        book = book_rows(deltas)
        if not book.rows.num_rows:
            return NoBook(session, f"no snapshot: {book.unused:,} updates make no book")
        streams = {BOOK: self._columns(BOOK, book.rows), "gap": _gaps(book.rows, book.gaps)}
        for kind in ("trade", "quote", "mark"):
            rows = self._rows(kind, session)
            if kind == "trade" and (rows is None or not rows.num_rows):
                rows = self._rows("agg_trade", session)
            if rows is not None and rows.num_rows:
                streams[kind] = self._columns(kind, rows)
        ids = streams["trade"]["id"] if "trade" in streams else np.empty(0, dtype=np.int64)
        return TickTape(
            session=session,
            start=int(streams[BOOK]["ts_recv"][0]),
            end=max(int(s["ts_recv"][-1]) for s in streams.values() if len(s["ts_recv"])),
            streams=streams,
            unused=book.unused,
            missing_trades=int(np.maximum(np.diff(ids) - 1, 0).sum()),
        )

    def funding(self, line: RecordedLine, index: int, tape: TickTape) -> tuple[int, ...]:
        """Put settled funding on the line; return the times at which one is due but missing.

        To hold a position at such a time is an error when the line comes to it.
        """
        dated, settled = self.instrument.funding_interval_h, np.empty(0, dtype=np.int64)
        if self._has_funding:
            loader = TapeLoader(self._catalog, (self.instrument,))
            loader.funding(line, index, tape.start, tape.end + 1)
            known = self._catalog.scan("funding", self.instrument.id, columns=["ts_event"])
            settled = known["ts_event"].to_numpy()
        if dated is None:
            return ()
        step = dated.at(tape.start)[0] * 3_600 * 10**9
        due = range(-(-tape.start // step) * step, tape.end + 1, step)
        missing = tuple(ts for ts in due if not (np.abs(settled - ts) < 30 * 10**9).any())
        line.native.expect_funding(index, missing)
        return missing

    def _owner(self, part: Part) -> Session | None:
        recorded = Recorded.parse(part.recv)
        for found in self._found:
            is_inside = found.start <= part.start and part.end <= found.end
            if recorded is not None and found.clock == recorded.clock and is_inside:
                return found
        return None

    def _rows(self, kind: str, session: TickSession) -> pa.Table | None:
        """Return a session's rows, known no earlier than they happened, in that order."""
        if kind not in self._kinds:
            return None
        key = self.instrument.id
        table = self._catalog.scan(kind, key, session.start, session.end + 1)
        table = rebase(table, self._catalog.parts_of(kind, key), self._found)
        recv, event = ints(table, "ts_recv"), ints(table, "ts_event")
        known = np.maximum.accumulate(np.maximum(recv, event))
        if (known == recv).all():
            return table
        # A venue stamps whole milliseconds: a row may seem to arrive a little before it.
        marks = table["flags"].to_numpy() | np.where(known > recv, flags.REBASED_RECV, 0)
        for name, values in (("ts_recv", known), ("flags", marks.astype(np.uint32))):
            at = table.schema.get_field_index(name)
            table = table.set_column(at, table.schema.field(at), pa.array(values))
        return table

    def _columns(self, kind: str, table: pa.Table) -> Columns:
        """Return what the line takes, on the run's grid."""
        exps = self._catalog.exps(table.schema.metadata[b"cq_kind"].decode(), self.instrument.id)
        scales = {
            "": 1,
            "price": 10 ** (self.instrument.price_exp - exps.price),
            "qty": 10 ** (self.instrument.qty_exp - exps.qty),
        }
        out: Columns = {name: ints(table, name) for name in ("ts_event", "ts_recv")}
        for name, grid in _COLUMNS[kind].items():
            kept = np.int8 if name == "side" else np.int64
            out[name] = (ints(table, name) * scales[grid]).astype(kept)
        out["flags"] = np.ascontiguousarray(table["flags"].to_numpy(), dtype=np.uint32)
        return out


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


def _gaps(rows: pa.Table, known: Ints) -> Columns:
    """Return gap events: known with the first update that does not follow.

    What is missing happened right after the last update that does, so from there on the
    venue's book is not known either.
    """
    lived = np.maximum.accumulate(ints(rows, "ts_event"))
    before = np.searchsorted(ints(rows, "ts_recv"), known) - 1
    return {"ts_event": np.minimum(lived[np.maximum(before, 0)] + 1, known), "ts_recv": known}
