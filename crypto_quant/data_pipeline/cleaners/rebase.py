"""Recorders whose clock was off: one constant per recording machine and session.

A frame cannot be received before it was published. Where the least latency of a file,
``min(recorder's stamp - venue's publication time)``, is below -1 ms (venue stamps are
whole milliseconds, so rounding explains no more than that), the recorder's clock was
behind. All files of its session then get one shift, which makes the least latency over
all of them an assumed 1 ms. Latencies between frames stay what they were; the true least
latency is unknown, so every re-based latency is uncertain by that much. Raw stamps stay in
the catalog; ``rebase`` is applied to what is replayed. The least is taken as it is; that no
single wrong time sets it is checked where a session is read, see ``venue_time``.

A session is what one machine recorded at one time: files of one ``clock`` whose times
overlap or lie within ten minutes of one another.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from crypto_quant.data_pipeline.storage import flags

ASSUMED_LEAST_NS: Final = 1_000_000
"""Least latency after re-basing: an assumption, below what any venue reaches."""

DOUBT_NS: Final = 1_000_000
"""A venue stamp in whole ms may be rounded up by this much."""

_APART_NS: Final = 600 * 10**9
_PATTERN: Final = re.compile(
    r"recorded; clock=(?P<clock>[^;]*); least_latency_ns=(?P<least>-?\d+)"
    r"(?:; of_session_ns=(?P<session>-?\d+))?"
)


class Recorded(NamedTuple):
    """How a file's ``ts_recv`` was made: by whose clock, and how it stands to the venue's.

    ``of_session`` is the least latency over files of its session that may not be in the
    same catalog: rows that were exported keep the shift they had.
    """

    clock: str
    least_latency: int
    of_session: int | None = None

    @property
    def least(self) -> int:
        """The least latency that is known of the session from this file."""
        known = self.least_latency if self.of_session is None else self.of_session
        return min(self.least_latency, known)

    def describe(self) -> str:
        """Return the text that the catalog's manifest keeps."""
        text = f"recorded; clock={self.clock}; least_latency_ns={self.least_latency}"
        return text if self.of_session is None else f"{text}; of_session_ns={self.of_session}"

    @classmethod
    def parse(cls, text: str) -> Recorded | None:
        """Read ``describe``'s text; ``None`` for stamps made in another way."""
        match = _PATTERN.fullmatch(text)
        if match is None:
            return None
        session = match["session"]
        return cls(match["clock"], int(match["least"]), None if session is None else int(session))


class RecordedPart(Protocol):
    """What is read of a catalog part."""

    @property
    def start(self) -> int:
        """First ``ts_event``, ns UTC."""
        ...

    @property
    def end(self) -> int:
        """Last ``ts_event``, ns UTC."""
        ...

    @property
    def recv(self) -> str:
        """How ``ts_recv`` was made."""
        ...


class Session(NamedTuple):
    """What one machine recorded at one time, and the constant its stamps are moved by.

    ``least_latency`` is the least over all its files before the shift; ``bound`` is how far
    the files' own least latencies lie apart: drift of the clock and the paths' differences.
    A ``shift`` of 0 means that the clock was not provably off. All in ns.
    """

    clock: str
    start: int
    end: int
    least_latency: int
    bound: int
    shift: int

    def describe(self) -> str:
        """Say it in one line, for reports."""
        name = self.clock or "recorder"
        if not self.shift:
            return f"{name}: raw stamps (least latency {self.least_latency / 1e6:.3f} ms)"
        return (
            f"{name}: ts_recv re-based by {self.shift / 1e6:+.3f} ms (least latency over all files "
            f"{self.least_latency / 1e6:.3f} ms becomes an assumed {ASSUMED_LEAST_NS / 1e6:g} ms; "
            f"files differ by up to {self.bound / 1e6:.3f} ms)"
        )


def sessions(parts: Iterable[RecordedPart]) -> tuple[Session, ...]:
    """Find the recording sessions among catalog parts, in time order.

    Give it all parts of the catalog, not only those to be replayed: the constant is shared
    by all files of a session.
    """
    files = [(found, part) for part in parts if (found := Recorded.parse(part.recv)) is not None]
    files.sort(key=lambda file: (file[0].clock, file[1].start, file[1].end))
    groups: list[list[tuple[Recorded, RecordedPart]]] = []
    reach = 0
    for recorded, part in files:
        is_same = groups and groups[-1][0][0].clock == recorded.clock
        if is_same and part.start <= reach + _APART_NS:
            groups[-1].append((recorded, part))
            reach = max(reach, part.end)
        else:
            groups.append([(recorded, part)])
            reach = part.end
    return tuple(sorted((_session(group) for group in groups), key=lambda s: (s.start, s.clock)))


def _session(files: Sequence[tuple[Recorded, RecordedPart]]) -> Session:
    least = min(recorded.least for recorded, _ in files)
    is_off = least < -DOUBT_NS
    return Session(
        clock=files[0][0].clock,
        start=min(part.start for _, part in files),
        end=max(part.end for _, part in files),
        least_latency=least,
        bound=max(recorded.least_latency for recorded, _ in files) - least,
        shift=ASSUMED_LEAST_NS - least if is_off else 0,
    )


def standalone(part: RecordedPart, found: Sequence[Session]) -> str:
    """Word how a part's ``ts_recv`` was made so that it holds without its session's others.

    Parameters
    ----------
    part : RecordedPart
        A part of the catalog.
    found : Sequence[Session]
        From ``sessions`` over the whole catalog.
    """
    recorded = Recorded.parse(part.recv)
    session = None if recorded is None else _of(part, recorded, found)
    if recorded is None or session is None or session.least_latency == recorded.least:
        return part.recv
    return recorded._replace(of_session=session.least_latency).describe()


class Shifts:
    """By how much the rows of one key are moved: their session's constant.

    Parameters
    ----------
    parts : Iterable[RecordedPart]
        The parts of that key: which rows were recorded by which clock.
    found : Sequence[Session]
        From ``sessions`` over the whole catalog.
    """

    def __init__(self, parts: Iterable[RecordedPart], found: Sequence[Session]) -> None:
        self._moves: list[tuple[int, int, int]] = []
        for part in parts:
            recorded = Recorded.parse(part.recv)
            session = None if recorded is None else _of(part, recorded, found)
            if session is not None and session.shift:
                self._moves.append((part.start, part.end, session.shift))

    def apply(self, table: pa.Table) -> pa.Table:
        """Return rows with ``ts_recv`` moved and flagged, each by itself; shape (n,)."""
        if not self._moves or not table.num_rows:
            return table
        event = table.column("ts_event").to_numpy()
        first, last = int(event.min()), int(event.max())
        recv = np.array(table.column("ts_recv").to_numpy(), dtype=np.int64)
        marks = np.array(table.column("flags").to_numpy(), dtype=np.uint32)
        for start, end, shift in self._moves:
            if end < first or start > last:
                continue
            rows = (event >= start) & (event <= end) & (marks & flags.REBASED_RECV == 0)
            recv[rows] += shift
            marks[rows] |= flags.REBASED_RECV
        return with_times(table, recv, marks)


def rebase(table: pa.Table, parts: Iterable[RecordedPart], found: Sequence[Session]) -> pa.Table:
    """Return rows with ``ts_recv`` moved by their session's constant and flagged.

    Parameters
    ----------
    table : pa.Table
        Rows of one key of the catalog, as ``Catalog.scan`` gives them, shape (n,).
    parts, found
        As of ``Shifts``.

    Returns
    -------
    pa.Table
        The same rows; ``ts_recv`` does not decrease where it did not before the shift, nor
        where two sessions meet. Rows outside every session are as they were.
    """
    table = Shifts(parts, found).apply(table)
    marks = table.column("flags").to_numpy()
    if not (marks & flags.REBASED_RECV).any():
        return table
    return with_times(table, np.maximum.accumulate(table.column("ts_recv").to_numpy()), marks)


def with_times(table: pa.Table, recv: NDArray[np.int64], marks: NDArray[np.uint32]) -> pa.Table:
    """Return rows with other ``ts_recv`` and ``flags``, each (n,)."""
    for name, values in (("ts_recv", recv), ("flags", marks)):
        at = table.schema.get_field_index(name)
        table = table.set_column(at, table.schema.field(at), pa.array(values))
    return table


def _of(part: RecordedPart, recorded: Recorded, found: Sequence[Session]) -> Session | None:
    for session in found:
        is_inside = session.start <= part.start and part.end <= session.end
        if session.clock == recorded.clock and is_inside:
            return session
    return None
