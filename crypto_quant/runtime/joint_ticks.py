"""Recorded sessions of several instruments as one: the stretch of time that all of them have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from crypto_quant.core.instruments import Instrument
from crypto_quant.data_pipeline.storage import Catalog, Part
from crypto_quant.runtime.feed_latency import FeedModel
from crypto_quant.runtime.line import RecordedLine
from crypto_quant.runtime.ticks import (
    NoBook,
    TickReader,
    TickSession,
    TickTape,
    end_before,
    first_unpaid,
)


class JointSession(NamedTuple):
    """Sessions of all instruments of a run that overlap, and their common stretch.

    ``start`` and ``end`` are ns UTC, inclusive; ``name`` is the UTC time of the start, of one
    instrument alone that of its session. ``each`` is in the order of the instruments.
    """

    name: str
    start: int
    end: int
    each: tuple[TickSession, ...]


class Skipped(NamedTuple):
    """A session on which nothing can be traded, and why."""

    name: str
    reason: str


class JointTape(NamedTuple):
    """One session as the line takes it: ``each`` in the order of the instruments.

    Decisions begin when the books of all are known, and end where the first of them ends, or
    before ``unpaid``, a settlement of funding that nobody knows; ns UTC. What ``each`` counts and
    measures is of this stretch.
    """

    session: JointSession
    start: int
    end: int
    each: tuple[TickTape, ...]
    unpaid: int | None = None

    def put(self, line: RecordedLine) -> None:
        """Put every stream on a line."""
        for index, tape in enumerate(self.each):
            tape.put(line, index)


class JointReader:
    """Reads the sessions of a run's instruments from a catalog.

    Parameters
    ----------
    catalog
        Where the data is.
    instruments
        What is traded; ``self.instruments`` are the same on grids that are fine enough.
    feeds
        By instrument's id: a model of when rows are known, where their stamps do not say.

    Raises
    ------
    DataError
        The catalog has no book of one of them.
    """

    def __init__(
        self,
        catalog: Catalog,
        instruments: Sequence[Instrument],
        feeds: Mapping[str, FeedModel | None] | None = None,
    ) -> None:
        known = feeds or {}
        self.readers = tuple(TickReader(catalog, i, known.get(i.id)) for i in instruments)
        self.instruments = tuple(reader.instrument for reader in self.readers)
        self.parts: tuple[Part, ...] = tuple(
            part for reader in self.readers for part in reader.parts
        )

    def sessions(self) -> tuple[JointSession, ...]:
        """Return the stretches of time in which all were recorded, in time order."""
        first, *others = [reader.sessions() for reader in self.readers]
        joint: list[tuple[TickSession, ...]] = [(session,) for session in first]
        for own in others:
            joint = [(*each, s) for each in joint for s in own if _overlap((*each, s))]
        return tuple(sorted((_joined(each) for each in joint), key=lambda s: s.start))

    def alone(self) -> tuple[Skipped, ...]:
        """Return the sessions of an instrument during which another one was not recorded."""
        joint = {own for session in self.sessions() for own in enumerate(session.each)}
        found: dict[str, list[str]] = {}
        for n, reader in enumerate(self.readers):
            for session in reader.sessions():
                if (n, session) not in joint:
                    found.setdefault(session.name, []).append(reader.instrument.id)
        return tuple(
            Skipped(name, f"of the run's instruments only {' and '.join(ids)} was recorded")
            for name, ids in sorted(found.items())
        )

    def read(self, session: JointSession) -> JointTape | Skipped:
        """Return a session's streams, or why nothing can be traded on them."""
        tapes = []
        for reader, own in zip(self.readers, session.each, strict=True):
            found = reader.read(own)
            if isinstance(found, NoBook):
                whose = "" if len(self.readers) == 1 else f"{reader.instrument.id}: "
                return Skipped(session.name, f"{whose}{found.reason}")
            tapes.append(found)
        start, end = max(t.start for t in tapes), min(t.end for t in tapes)
        if start >= end:
            return Skipped(session.name, "the books are not known at one time")
        unpaid = first_unpaid(self.readers, [replace(t, start=start, end=end) for t in tapes])
        if unpaid is not None:
            end = end_before(unpaid, start)
        both = zip(self.readers, tapes, strict=True)
        each = tuple(reader.cut(own, start, end) for reader, own in both)
        return JointTape(session, start, end, each, unpaid)

    def funding(self, line: RecordedLine, tape: JointTape) -> None:
        """Put settled funding on the line, as ``TickReader.funding``."""
        for index, (reader, own) in enumerate(zip(self.readers, tape.each, strict=True)):
            reader.funding(line, index, own)


def _overlap(each: Sequence[TickSession]) -> bool:
    return max(s.start for s in each) < min(s.end for s in each)


def _joined(each: tuple[TickSession, ...]) -> JointSession:
    start, end = max(s.start for s in each), min(s.end for s in each)
    if len(each) == 1:
        return JointSession(each[0].name, start, end, each)
    name = f"{np.datetime_as_string(np.datetime64(start, 'ns'), unit='s')}Z"
    return JointSession(name, start, end, each)
