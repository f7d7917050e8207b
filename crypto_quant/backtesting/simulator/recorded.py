"""What a simulator runs on: instruments with their recorded streams."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np

from crypto_quant.backtesting.simulator.on_tick import Columns, OnTick, Part, check_ticks
from crypto_quant.backtesting.simulator.settled import all_settled
from crypto_quant.core.errors import ConfigError, DataError
from crypto_quant.core.instruments import Instrument
from crypto_quant.data_pipeline.cleaners.venue_time import check_column_times
from crypto_quant.data_pipeline.storage import Catalog
from crypto_quant.runtime.feed_latency import FeedModel
from crypto_quant.runtime.line import RecordedLine
from crypto_quant.runtime.tape import Settlements
from crypto_quant.runtime.ticks import TickReader, TickSession, TickTape, end_before, first_unpaid

_ADDERS: Final = {"delta": "add_deltas", "trade": "add_trades", "mark": "add_marks"}
"""Calls of the native line by kind of stream."""
_READ_HERE: Final = ("ts_recv", "ts_event", "flags", "id")
"""Columns that are looked at before the native line, which judges the rest, has them."""
_COLUMNS: Final = {
    "delta": ("ts_event", "ts_recv", "side", "px", "qty", "flags"),
    "trade": ("ts_event", "ts_recv", "id", "px", "qty", "side"),
    "mark": ("ts_event", "ts_recv", "mark"),
}
"""What each must have; ``flags`` may be added."""


@dataclass(frozen=True, slots=True)
class Market:
    """One instrument and what happened in it.

    Parameters
    ----------
    instrument
        What is traded.
    start, end
        When its book is known, and its last row, ns UTC.
    put
        Puts its streams and its funding on a line, as data of the instrument at a position.
    """

    instrument: Instrument
    start: int
    end: int
    put: Callable[[RecordedLine, int], None]

    @classmethod
    def of_columns(
        cls,
        instrument: Instrument,
        streams: Mapping[str, Columns],
        funding: Settlements | Literal["none"] | None = None,
    ) -> Market:
        """Make a market of columns in memory.

        Parameters
        ----------
        instrument
            What is traded; prices and quantities count units of its ``price_exp`` and
            ``qty_exp`` decimals.
        streams
            ``delta`` (``ts_event``, ``ts_recv``, ``side``, ``px``, ``qty``, ``flags``) and, if
            there are any, ``trade`` (``ts_event``, ``ts_recv``, ``id``, ``px``, ``qty``,
            ``side``) and ``mark`` (``ts_event``, ``ts_recv``, ``mark``): as
            ``_native.Line.add_deltas``, ``add_trades`` and ``add_marks`` take them, each (n,).
        funding
            What was settled, as ``_native.Line.add_funding`` takes it: ``ts_event``, ``ts_recv``
            and ``rate``, each int64 (n,). A time at which it is due and that has no row is an
            error. ``"none"`` says that positions pay and receive none, as in hftbacktest.

        Raises
        ------
        DataError
            There is no book, the streams or their columns are not those, a time is negative or
            a venue time goes back by more than a second, a price of book or trades is between
            two ticks, or funding is due that is not given.
        ConfigError
            The instrument has no sourced tick, its grid is too coarse for it, or ``funding`` is
            something else or of spot.
        """
        _check_given(instrument, streams)
        book = streams.get("delta")
        if book is not None:
            _check_columns(instrument, streams)
        if book is None or not len(book["ts_recv"]):
            raise DataError(f"{instrument.id}: delta: expected rows of a book, was nothing")
        start = int(book["ts_recv"][0])
        for kind, columns in streams.items():
            check_column_times(instrument.id, kind, columns)
            check_ticks(instrument, kind, columns, start)
        times = [columns["ts_recv"] for columns in streams.values() if len(columns["ts_recv"])]
        end = max(int(t[-1]) for t in times)
        settled = None if funding == "none" else all_settled(instrument, funding, start, end)

        def put(line: RecordedLine, index: int) -> None:
            for kind, columns in streams.items():
                add = getattr(line.native, _ADDERS[kind])
                line.load(instrument.id, add, index, **columns)
            if settled is not None:
                settled.put(line, index)

        return cls(instrument, start, end, put)


def _check_given(instrument: object, streams: object) -> None:
    if not isinstance(instrument, Instrument):
        raise ConfigError(f"instrument: expected an Instrument, was {instrument!r}")
    if not isinstance(streams, Mapping) or not all(
        isinstance(columns, Mapping) for columns in streams.values()
    ):
        raise DataError(f"{instrument.id}: expected a mapping of columns by stream, was not one")


def _check_columns(instrument: Instrument, streams: Mapping[str, Columns]) -> None:
    for kind, columns in streams.items():
        if kind not in _COLUMNS:
            known = ", ".join(_COLUMNS)
            raise DataError(f"{instrument.id}: expected streams {known}, was {kind!r}")
        needed = _COLUMNS[kind]
        lacks = [f"without {name}" for name in needed if name not in columns]
        beside = [f"with {name}" for name in columns if name not in (*needed, "flags")]
        if lacks or beside:
            was, names = ", ".join(lacks + beside), ", ".join(needed)
            raise DataError(f"{instrument.id}: {kind}: expected columns {names}, was {was}")
        for name in (name for name in _READ_HERE if name in columns):
            column = np.asarray(columns[name])
            if column.ndim != 1 or column.dtype.kind not in "iu":
                was = f"{column.dtype} of shape {column.shape}"
                raise DataError(
                    f"{instrument.id}: {kind}: {name}: expected integers (n,), was {was}"
                )


def of_session(
    catalog: Catalog,
    instruments: Sequence[Instrument],
    session: str | None = None,
    feed: FeedModel | None = None,
    funding: Literal["recorded", "none"] = "recorded",
) -> tuple[Market, ...]:
    """Read one recorded session of instruments, with the rows that overlap in time.

    A price between two ticks is an error when it is read. As in ``cq backtest``, positions pay
    and receive the settled funding that the catalog has, and a session ends before the first
    settlement of its instruments that the catalog lacks.

    Parameters
    ----------
    catalog
        Where the data is.
    instruments
        What is traded; the first one decides which session it is.
    session
        Beginning of the session's name, such as ``2024-08-08``; the first one with a book, if
        left out.
    feed
        A model of when rows are known, where their stamps do not say.
    funding
        ``"none"``: positions pay and receive none, as in hftbacktest, and the session is whole.

    Raises
    ------
    ConfigError
        No session has this name, or ``funding`` is something else.
    DataError
        An instrument has no book, or none at that time.
    """
    if not instruments:
        raise ConfigError("instruments: expected at least one, was none")
    if funding not in ("recorded", "none"):
        raise ConfigError(f"funding: expected recorded or none, was {funding!r}")
    readers = [TickReader(catalog, instrument, feed) for instrument in instruments]
    first = _first(readers[0], session)
    beside = [_beside(reader, first, instruments[0].id) for reader in readers[1:]]
    tapes = [first, *beside]
    if funding == "recorded":
        tapes = _paid(readers, tapes)
    both = zip(readers, tapes, strict=True)
    return tuple(_market(reader, tape, funding == "recorded") for reader, tape in both)


def _paid(readers: Sequence[TickReader], tapes: Sequence[TickTape]) -> list[TickTape]:
    """Return tapes that end before funding that nobody knows is due in what all of them have."""
    start, end = max(tape.start for tape in tapes), min(tape.end for tape in tapes)
    unpaid = first_unpaid(readers, [replace(tape, start=start, end=end) for tape in tapes])
    if unpaid is None:
        return list(tapes)
    return [replace(tape, end=min(tape.end, end_before(unpaid, start))) for tape in tapes]


def _market(reader: TickReader, tape: TickTape, with_funding: bool) -> Market:
    on_tick: dict[str, Iterable[Part]] = {
        kind: OnTick(parts, reader.instrument, kind, tape.start)
        for kind, parts in tape.streams.items()
    }
    checked = replace(tape, streams=on_tick)

    def put(line: RecordedLine, index: int) -> None:
        checked.put(line, index)
        if with_funding:
            reader.funding(line, index, replace(tape, start=line.spec.start, end=line.spec.end))

    return Market(reader.instrument, tape.start, tape.end, put)


def _first(reader: TickReader, name: str | None) -> TickTape:
    found = reader.sessions()
    chosen = [s for s in found if name is None or s.name.startswith(name)]
    if not chosen:
        have = ", ".join(s.name for s in found)
        raise ConfigError(f"session: none begins with {name!r}; the catalog has {have}")
    return _readable(reader, chosen)


def _beside(reader: TickReader, first: TickTape, name: str) -> TickTape:
    overlaps = [s for s in reader.sessions() if s.start < first.end and first.start < s.end]
    if not overlaps:
        raise DataError(f"{reader.instrument.id}: nothing was recorded beside {name}")
    return _readable(reader, overlaps)


def _readable(reader: TickReader, chosen: Sequence[TickSession]) -> TickTape:
    """Return the first session that has a book."""
    reasons = []
    for session in chosen:
        tape = reader.read(session)
        if isinstance(tape, TickTape):
            return tape
        reasons.append(f"{session.name}: {tape.reason}")
    raise DataError(f"{reader.instrument.id}: {'; '.join(reasons)}")
