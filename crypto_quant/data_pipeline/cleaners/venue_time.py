"""Venue times that cannot be: those that go back within a stream, and a base that no row meets.

A session's receive times are re-based by the least latency over all its messages, so a single
time that is ahead of the venue's clock makes every latency longer by as much. Such a time shows
itself in two ways: the next message of its stream goes back in time, and hardly a message comes
near the least latency. Bounds are set by the captures this project reads, which hold
1,940,494 rows of seven files (Binance USD-M, COIN-M and spot, 2023 and 2024):

- Within a stream, only a snapshot that was asked for goes back behind the update received
  before it, by 34, 49 and 66 ms; all other rows are in the order of the venue's time.
- 1 in 100 messages of every stream comes within 78 ms of the least latency of its session.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from crypto_quant.core.errors import DataError
from crypto_quant.data_pipeline.storage import flags

Ints = NDArray[np.int64]

BACK_NS: Final = 10**9
"""A venue time may lie this far before one of its stream that was received earlier."""

NEAR_NS: Final = 250 * 10**6
"""Messages of a stream come this near to the least latency of their session."""

NEAR_SHARE: Final = 0.01
"""So many do, and two at least."""

JUDGED: Final = 100
"""Fewer messages say nothing about the least latency that they can have."""

REMEDY: Final = "correct that message in its file, or leave it out, and import it anew"


_IDS: Final = {"delta": "last_id", "trade": "id", "agg_trade": "id", "quote": "update_id"}


class Place(NamedTuple):
    """A row of a stream: its number, its id there (``None``: it has none), its ns UTC."""

    row: int
    id: int | None
    ts: int

    def __str__(self) -> str:
        name = f"row {self.row}" if self.id is None else f"row {self.row} (id {self.id})"
        return f"{name} of {_utc(self.ts)}"


class Back(NamedTuple):
    """A row that goes back, and the one with the latest time before it."""

    behind: Place
    ahead: Place

    def describe(self) -> str:
        """Say which rows these are, in one line."""
        by = (self.ahead.ts - self.behind.ts) / 1e6
        return (
            f"{self.behind} lies {by:,.3f} ms before {self.ahead}, which came earlier; venue time "
            f"goes back by no more than {BACK_NS / 1e6:,.0f} ms: one of the two times is wrong"
        )


class VenueTimes:
    """Follows the venue times of one stream, in the order of receipt.

    Parameters
    ----------
    least : int, optional
        The least latency that its session is re-based by, ns; ``None``: it is not re-based.
    first : int
        Number of the first row.
    """

    def __init__(self, least: int | None = None, first: int = 0) -> None:
        self._least = least
        self._rows = first
        self._ahead: Place | None = None
        self._message: tuple[int, int] | None = None
        self.messages = 0
        self.near = 0
        """Of them, those that come within ``NEAR_NS`` of the least latency."""
        self.lowest: tuple[int, Place] | None = None
        """The least raw latency that a row has, ns, and where."""

    def take(
        self, event: Ints, recv: Ints, marks: NDArray[np.uint32], ids: Ints | None = None
    ) -> list[Back]:
        """Take the next rows and return the first of every stretch that lies behind.

        Parameters
        ----------
        event, recv
            Their times, ns UTC, each (n,); ``recv`` as it was recorded.
        marks
            Their flags, (n,): times that the venue did not give are not judged.
        ids
            Their ids in the stream, (n,); negative where a row has none.
        """
        given = np.flatnonzero(marks & flags.SYNTHETIC_EVENT == 0)
        first, self._rows = self._rows, self._rows + len(event)
        if not len(given):
            return []

        def place(at: int) -> Place:
            row = int(given[at])
            own = -1 if ids is None else int(ids[row])
            return Place(first + row, None if own < 0 else own, int(event[row]))

        told = event[given]
        self._latencies(told, recv[given], place)
        return self._back(told, place)

    def _back(self, told: Ints, place: Callable[[int], Place]) -> list[Back]:
        before = self._ahead or place(0)
        reach = np.maximum.accumulate(np.append(before.ts, told))
        behind = told < reach[:-1] - BACK_NS
        found = []
        for at in np.flatnonzero(behind & ~np.append(False, behind[:-1])).tolist():
            most = int(reach[at])
            ahead = before if most == before.ts else place(int((told == most).argmax()))
            found.append(Back(place(at), ahead))
        self._ahead = before if before.ts == reach[-1] else place(int(told.argmax()))
        return found

    def _latencies(self, told: Ints, recv: Ints, place: Callable[[int], Place]) -> None:
        is_new = np.append(True, (np.diff(told) != 0) | (np.diff(recv) != 0))
        is_new[0] = self._message != (int(told[0]), int(recv[0]))
        self._message = int(told[-1]), int(recv[-1])
        latency = recv - told
        at = int(latency.argmin())
        if self.lowest is None or latency[at] < self.lowest[0]:
            self.lowest = int(latency[at]), place(at)
        self.messages += int(is_new.sum())
        if self._least is not None:
            self.near += int((latency[is_new] <= self._least + NEAR_NS).sum())

    @property
    def is_met(self) -> bool:
        """Whether enough messages come near the least latency of the session."""
        if self._least is None or self.messages < JUDGED:
            return True
        return self.near >= max(2, NEAR_SHARE * self.messages)

    def unmet(self) -> str:
        """Say in one line why the least latency cannot be what it is."""
        if self._least is None or self.lowest is None:
            raise ValueError("nothing to be met")
        least, place = self.lowest
        culprit = (
            f"the least is that of {place}, whose time is ahead"
            if least <= self._least + NEAR_NS
            else "the least is that of another file or stream, or of another time in a message"
        )
        return (
            f"{self.near:,} of {self.messages:,} messages come within {NEAR_NS / 1e6:,.0f} ms of "
            f"the least latency of their session, {self._least / 1e6:,.3f} ms, by which receive "
            f"times are re-based; 1 in 100 must: {culprit}"
        )


def columns_of(kind: str) -> tuple[str, ...]:
    """Return what ``VenueTimes`` looks at of a kind of the catalog."""
    return ("ts_event", "ts_recv", "flags", *((_IDS[kind],) if kind in _IDS else ()))


def judge(times: VenueTimes, kind: str, table: pa.Table) -> list[Back]:
    """Take the next rows of a kind, as the catalog has them, with ``columns_of`` it; (n,)."""
    event, recv, marks, *ids = (table[name] for name in columns_of(kind))
    own = ids[0].fill_null(-1).to_numpy() if ids else None
    return times.take(event.to_numpy(), recv.to_numpy(), marks.to_numpy(), own)


def check_column_times(instrument: str, kind: str, columns: Mapping[str, NDArray[Any]]) -> None:
    """Check the times of a stream that is in memory.

    Parameters
    ----------
    instrument, kind
        Whose they are, for the error.
    columns
        With ``ts_event``, ``ts_recv`` and, if rows have one, ``id`` and ``flags``, each (n,), in
        the order of receipt; times ns UTC, int64: of another type they are left to the line.

    Raises
    ------
    DataError
        A time is negative, or a venue time goes back by more than ``BACK_NS``.
    """
    event, recv = (np.asarray(columns[name]) for name in ("ts_event", "ts_recv"))
    if event.dtype != np.int64 or recv.dtype != np.int64 or event.shape != recv.shape:
        return
    for name, times in (("ts_event", event), ("ts_recv", recv)):
        if (times < 0).any():
            row = int((times < 0).argmax())
            raise DataError(
                f"{instrument}: {kind}, column {name}, row {row}: expected ns UTC from 1970 on, "
                f"was {int(times[row])}: correct the row"
            )
    marks = np.asarray(columns.get("flags", np.zeros(len(event), dtype=np.uint32)))
    if marks.shape != event.shape:
        return
    ids = columns.get("id")
    if ids is not None and np.shape(ids) != event.shape:
        return
    for back in VenueTimes().take(event, recv, marks, ids):
        raise DataError(
            f"{instrument}: {kind}, column ts_event: {back.describe()}: correct the row"
        )


def _utc(ts: int) -> str:
    return f"{np.datetime_as_string(np.datetime64(ts, 'ns'), unit='us')}Z"
