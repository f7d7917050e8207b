"""Events in columns: what the native stream takes, merged in the order they were known.

Rows of ``head`` are kind, instrument, ``ts_event``, ``ts_recv`` and flags; rows of ``body``
hold up to eight integers whose meaning the kind gives; ``value`` is the value of an outside
series.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

NULL: Final = np.iinfo(np.int64).min
_HEAD: Final = 5
_BODY: Final = 8


class Kind(IntEnum):
    """Kinds of rows, by the numbers that the native side reads."""

    TRADE = 0
    DELTA = 1
    QUOTE = 2
    BAR = 3
    FUNDING = 4
    EXTERNAL = 5
    GAP = 6


@dataclass(frozen=True, slots=True)
class Events:
    """Columns of events in order.

    Parameters
    ----------
    head
        Shape (n, 5), int64.
    body
        Shape (n, 8), int64; ``NULL`` where nothing was recorded.
    value
        Shape (n,), float64.
    """

    head: Ints
    body: Ints
    value: Floats

    def __len__(self) -> int:
        return len(self.head)

    def __getitem__(self, rows: slice | NDArray[np.bool_] | Ints) -> Events:
        return Events(
            np.ascontiguousarray(self.head[rows]),
            np.ascontiguousarray(self.body[rows]),
            np.ascontiguousarray(self.value[rows]),
        )

    @property
    def ts_recv(self) -> Ints:
        """When each event could be known, ns UTC."""
        recv: Ints = self.head[:, 3]
        return recv


def merge(streams: Sequence[Events]) -> Events:
    """Return all events by ``ts_recv``; where it ties, in the order of ``streams``."""
    everything = Events(
        np.concatenate([stream.head for stream in streams]),
        np.concatenate([stream.body for stream in streams]),
        np.concatenate([stream.value for stream in streams]),
    )
    return everything[np.argsort(everything.ts_recv, kind="stable")]


def columns(
    kind: Kind,
    instrument: int,
    ts_event: Ints,
    ts_recv: Ints,
    body: Sequence[Ints],
    value: Floats | None = None,
    flags: Ints | None = None,
) -> Events:
    """Return the events of one kind and instrument from its columns, each of shape (n,)."""
    n = len(ts_event)
    head = np.zeros((n, _HEAD), dtype=np.int64)
    head[:, 0] = kind
    head[:, 1] = instrument
    head[:, 2] = ts_event
    head[:, 3] = ts_recv
    if flags is not None:
        head[:, 4] = flags
    cells = np.zeros((n, _BODY), dtype=np.int64)
    for index, column in enumerate(body):
        cells[:, index] = column
    return Events(head, cells, np.zeros(n) if value is None else np.asarray(value, np.float64))


def bars(
    instrument: int,
    interval: int,
    ts_event: Ints,
    prices: Ints,
    volume: Ints,
    count: Ints | None = None,
    taker_buy: Ints | None = None,
) -> Events:
    """Return bars, known at their end.

    Parameters
    ----------
    instrument
        Position in the run's instrument list.
    interval
        Length, ns.
    ts_event
        Open times, shape (n,), ns UTC.
    prices
        Open, high, low, close, shape (n, 4), on the price grid.
    volume, taker_buy
        On the quantity grid, shape (n,); ``None`` or ``NULL`` where not recorded.
    count
        Number of trades, shape (n,).
    """
    length = np.full(len(ts_event), interval, dtype=np.int64)
    null = np.full(len(ts_event), NULL, dtype=np.int64)
    body = [length, *prices.T, volume]
    body += [null if count is None else count, null if taker_buy is None else taker_buy]
    return columns(Kind.BAR, instrument, ts_event, ts_event + interval, body)


def funding(instrument: int, ts_event: Ints, ts_recv: Ints, rate: Ints, rate_exp: int) -> Events:
    """Return settled funding rates: integers of ``10**-rate_exp``, fraction per interval."""
    exp = np.full(len(ts_event), rate_exp, dtype=np.int64)
    return columns(Kind.FUNDING, instrument, ts_event, ts_recv, [rate, exp])


def external(series: int, ts_event: Ints, ts_recv: Ints, value: Floats) -> Events:
    """Return the points of an outside series; a missing value (NaN) makes no event."""
    index = np.full(len(ts_event), series, dtype=np.int64)
    points = columns(Kind.EXTERNAL, 0, ts_event, ts_recv, [index], value)
    return points[~np.isnan(points.value)]
