"""A session's rows out of the catalog, a row group at a time, as the line takes them.

Memory is that of a few row groups, however long the session is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa

from crypto_quant.core.instruments import Instrument
from crypto_quant.data_pipeline.cleaners.rebase import Shifts, with_times
from crypto_quant.data_pipeline.collectors.ticks.chain import BookChain, BookRows
from crypto_quant.data_pipeline.storage import Catalog, flags
from crypto_quant.runtime.feed_latency import FeedModel
from crypto_quant.runtime.tape import EVER, Columns, Ints, ints

BOOK: Final = "delta"
TIMES: Final = ("ts_event", "ts_recv", "flags")
CHAIN: Final = (*TIMES, "first_id", "last_id", "prev_id", "side")
"""What says which rows make a book."""

_LEAST: Final = -(2**63)
_HEARD: Final = "heard"
"""When a row was recorded: in a book it may have to wait for a snapshot."""
_COLUMNS: Final[dict[str, dict[str, str]]] = {
    BOOK: {"side": "", "px": "price", "qty": "qty"},
    "trade": {"id": "", "px": "price", "qty": "qty", "side": ""},
    "quote": {"bid": "price", "bid_qty": "qty", "ask": "price", "ask_qty": "qty"},
    "mark": {"mark": "price"},
}
"""What the line takes of a stream beside stamps and flags, and the grid that it is on."""


class SessionRows(NamedTuple):
    """Rows of one kind of one instrument, ``start <= ts_event < end``, ns UTC.

    ``feed``: a model of when they are known, where their stamps do not say.
    """

    catalog: Catalog
    kind: str
    key: str
    start: int
    end: int
    shifts: Shifts
    feed: FeedModel | None = None

    def tables(self, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
        """Yield them, known no earlier than they happened, in that order; no table is empty."""
        chosen = None if columns is None else list(columns)
        delay = None if self.feed is None else self.feed.stream(self.kind)
        reach = _LEAST
        for _, table in self.catalog.pieces(self.kind, self.key, self.start, self.end, chosen):
            if not table.num_rows:
                continue
            moved = self.shifts.apply(table)
            recv, event = ints(moved, "ts_recv"), ints(moved, "ts_event")
            known = np.maximum(np.maximum(recv, event), reach)
            if delay is not None:
                known = delay.stamp(event, known)
            known = np.maximum.accumulate(known)
            reach = int(known[-1])
            if (known > recv).any():
                # A venue stamps whole milliseconds: a row may seem to arrive a little before it.
                marks = moved["flags"].to_numpy() | np.where(known > recv, flags.REBASED_RECV, 0)
                moved = with_times(moved, known, marks.astype(np.uint32))
            yield moved

    def raw(self, columns: Sequence[str]) -> Iterator[pa.Table]:
        """Yield them as they were recorded."""
        for _, table in self.catalog.pieces(
            self.kind, self.key, self.start, self.end, list(columns)
        ):
            yield table

    def book(self) -> Iterator[BookRows]:
        """Yield the rows of level changes that make a book."""
        return _chained(self.tables())

    def known(self, columns: Sequence[str], end: int) -> Iterator[pa.Table]:
        """Yield those that are known by ``end``, ns UTC; no table is empty."""
        for table in self.tables(columns):
            count = int(np.searchsorted(ints(table, "ts_recv"), end, side="right"))
            if count:
                yield table.slice(0, count)
            if count < table.num_rows:
                return

    def parts(self, stream: str, instrument: Instrument) -> Iterator[Columns]:
        """Yield what the line takes as ``stream``, on the instrument's grid."""
        exps = self.catalog.exps(self.kind, self.key)
        scales = {
            "": 1,
            "price": 10 ** (instrument.price_exp - exps.price),
            "qty": 10 ** (instrument.qty_exp - exps.qty),
        }
        grids = {name: scales[grid] for name, grid in _COLUMNS[stream].items()}
        books = (book.rows for book in self.book() if book.rows.num_rows)
        for table in books if stream == BOOK else self.tables():
            yield _columns(table, grids)


def _chained(tables: Iterable[pa.Table]) -> Iterator[BookRows]:
    chain = BookChain()
    is_begun = False
    for table in tables:
        is_begun = True
        yield chain.feed(table)
    if is_begun:
        yield chain.finish()


def _columns(table: pa.Table, grids: dict[str, int]) -> Columns:
    out: Columns = {name: ints(table, name) for name in ("ts_event", "ts_recv")}
    for name, scale in grids.items():
        values = table[name].to_numpy() if name == "side" else ints(table, name)
        out[name] = values if scale == 1 else values * scale
    out["flags"] = np.ascontiguousarray(table["flags"].to_numpy(), dtype=np.uint32)
    return out


class Delays:
    """How long messages of a stream took to us, counted by whole microseconds, rounded up."""

    def __init__(self) -> None:
        self._us: Ints = np.empty(0, dtype=np.int64)
        self._counts: Ints = np.empty(0, dtype=np.int64)

    def take(self, event: Ints, recv: Ints) -> None:
        """Count the next rows; those of one message, with the same stamps, count once."""
        is_new = np.append(True, (np.diff(event) != 0) | (np.diff(recv) != 0))[: len(event)]
        us = -(-(recv - event)[is_new] // 1_000)
        joined = np.concatenate([self._us, us])
        counts = np.concatenate([self._counts, np.ones(len(us), dtype=np.int64)])
        self._us, at = np.unique(joined, return_inverse=True)
        self._counts = np.bincount(at, weights=counts, minlength=len(self._us)).astype(np.int64)

    def __bool__(self) -> bool:
        return bool(len(self._us))

    def quantile(self, share: float) -> int:
        """Return the least delay, ns, that this share of the messages did not exceed."""
        if not len(self._us):
            return 0
        reached = np.cumsum(self._counts)
        at = int(np.searchsorted(reached, share * int(reached[-1]), side="left"))
        return int(self._us[at]) * 1_000


class Survey(NamedTuple):
    """What a stream of a session holds, found out without its values.

    All but ``gaps`` is of what is known in the stretch that was asked for. ``first`` and ``last``
    are ``ts_recv``, ns UTC; ``gaps`` are columns of gap events; ``unused`` counts level changes of
    no book, ``missing`` ids between two rows'; ``delays`` are those of a book's updates.
    """

    rows: int
    first: int
    last: int
    gaps: Columns
    unused: int
    missing: int
    delays: Delays


def survey_book(deltas: SessionRows, since: int = EVER[0], end: int = EVER[1]) -> Survey:
    """Follow the chain of a session's level changes, as it is known by ``end``.

    Rows are counted, and delays measured, from ``since`` on; both are ns UTC, inclusive.
    """
    gaps, delays, rows, unused = GapEvents(), Delays(), 0, 0
    first = last = _LEAST

    def heard() -> Iterator[pa.Table]:
        nonlocal unused
        for table in deltas.known(CHAIN, end):
            unused += len(_since(ints(table, "ts_recv"), since))
            yield table.append_column(_HEARD, table["ts_recv"])

    for book in _chained(heard()):
        gaps.take(book)
        unused -= int((ints(book.rows, _HEARD) >= since).sum())
        recv = _since(ints(book.rows, "ts_recv"), since)
        if len(recv):
            first, last = (int(recv[0]) if not rows else first), int(recv[-1])
            delays.take(ints(book.rows, "ts_event")[-len(recv) :], recv)
            rows += len(recv)
    found = gaps.columns()
    known = found["ts_recv"]
    return Survey(rows, first, max([last, *known[-1:].tolist()]), found, unused, 0, delays)


def survey(kind: SessionRows, since: int = EVER[0], end: int = EVER[1]) -> Survey:
    """Count a session's rows of another kind, and ids of trades that are left out.

    Those that are known from ``since`` to ``end``, ns UTC, inclusive.
    """
    has_ids = kind.kind.endswith("trade")
    rows, missing, before = 0, 0, None
    first = last = _LEAST
    for table in kind.known((*TIMES, "id") if has_ids else TIMES, end):
        recv = _since(ints(table, "ts_recv"), since)
        if len(recv):
            first, last = (int(recv[0]) if not rows else first), int(recv[-1])
        rows += len(recv)
        if has_ids:
            ids = ints(table, "id")
            steps = np.diff(ids, prepend=ids[:1] if before is None else before)
            missing += int(np.maximum(steps[len(ids) - len(recv) :] - 1, 0).sum())
            before = ids[-1:]
    return Survey(rows, first, last, GapEvents().columns(), 0, missing, Delays())


def _since(recv: Ints, since: int) -> Ints:
    """Return the stamps from ``since`` on of those that do not decrease."""
    return recv[int(np.searchsorted(recv, since)) :]


class GapEvents:
    """Gap events of a book: known with the first update that does not follow.

    What is missing happened right after the last update that does, so from there on the
    venue's book is not known either.
    """

    def __init__(self) -> None:
        none: Ints = np.empty(0, dtype=np.int64)
        self._known, self._lived = [none], [none]
        self._early = none
        self._tail: tuple[int, int, int] | None = None
        """Of the rows so far: the last ``ts_recv``, the latest ``ts_event`` of those known
        before it, and of all."""

    def take(self, book: BookRows) -> None:
        """Take the next rows of the book and where it broke among them."""
        event, recv = (ints(book.rows, name) for name in ("ts_event", "ts_recv"))
        gaps = np.concatenate([self._early, book.gaps])
        if self._tail is None and not len(event):
            self._early = gaps
            return
        tail, before, reach = self._tail or (int(recv[0]), int(event[0]), int(event[0]))
        known = np.concatenate([[tail], recv])
        lived = np.concatenate([[before], np.maximum.accumulate(np.append([reach], event))])
        self._known.append(gaps)
        self._lived.append(np.minimum(lived[np.searchsorted(known, gaps)] + 1, gaps))
        last = int(known[-1])
        self._tail = last, int(lived[np.searchsorted(known, last)]), int(lived[-1])
        self._early = gaps[:0]

    def columns(self) -> Columns:
        """Return them all, each (n_gaps,)."""
        return {"ts_event": np.concatenate(self._lived), "ts_recv": np.concatenate(self._known)}
