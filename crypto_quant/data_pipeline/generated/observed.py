"""What is measured of a session of frames, recorded or generated: trades, touch, book."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from crypto_quant import _native
from crypto_quant.core.errors import DataError
from crypto_quant.data_pipeline.collectors.file import File
from crypto_quant.data_pipeline.collectors.ticks.packed import texts

Ints = NDArray[np.int64]
Columns = Mapping[str, NDArray[Any]]

SYMBOL: Final = "BTCUSDT"
PRICE_EXP: Final = 1
QTY_EXP: Final = 3
"""Decimals of tick (0.1) and lot (0.001) of the contract that is measured."""

STEP_MS: Final = 100
"""Distance of the samples of book and price."""
REACH: Final = 3000
"""Ticks behind the touch that are looked at: about two snapshots of 1000 levels."""

_MS: Final = 10**6
_CHAIN: Final = ("first_id", "last_id", "prev_id", "side", "flags")


@dataclass(frozen=True, slots=True)
class Frames:
    """Decoded columns of one session; prices in ticks, quantities in lots, times in ns."""

    trade: Columns
    quote: Columns
    delta: Columns


@dataclass(frozen=True, slots=True)
class Book:
    """The book of a session, sampled.

    ``times``: ms, shape (n,); ``touch``: best bid and ask, ticks, (n, 2); ``depth``:
    quantity resting 0 to ``REACH`` - 1 ticks behind the touch, lots, (n, 2, REACH), bids
    first.
    """

    times: Ints
    touch: Ints
    depth: NDArray[np.int32]


def read_frames(paths: Sequence[Path]) -> Frames:
    """Decode the files of one session, in the order of recording.

    Raises
    ------
    DataError
        They are no capture of the contract with trades, quotes and a book.
    """
    return frames_of(
        " and ".join(path.name for path in paths),
        (text for path in paths for text in texts(File.open(path), "")),
    )


def frames_of(name: str, pieces: Iterable[bytes]) -> Frames:
    """Decode the text of a capture; ``name`` is what an error calls it."""
    decoder = _native.TickDecoder("frames", SYMBOL, PRICE_EXP, QTY_EXP)
    try:
        for piece in pieces:
            decoder.feed(piece)
        decoder.finish()
    except ValueError as err:
        raise DataError(f"{name}: {err}") from err
    tables = {kind: columns for kind, _, columns in decoder.take()}
    lacking = [kind for kind in ("trade", "quote", "delta") if kind not in tables]
    if lacking:
        raise DataError(f"{name}: no {' and no '.join(lacking)} frame in it; record those streams")
    delta = tables["delta"]
    ids: tuple[Any, ...] = tuple(delta[key] for key in _CHAIN)
    planner = _native.BookPlanner()
    planned = (planner.feed(*ids), planner.finish())
    rows = np.concatenate([part[0] for part in planned])
    if not len(rows) or any(len(gaps) for _, gaps in planned):
        raise DataError(f"{name}: no unbroken book in it; record it with a REST snapshot")
    delta = {key: values[rows] for key, values in delta.items()}
    return Frames(tables["trade"], tables["quote"], delta)


def sample_book(frames: Frames, step_ms: int = STEP_MS) -> Book:
    """Replay a book and keep what rests near the touch on a grid of times.

    Parameters
    ----------
    frames : Frames
        The session.
    step_ms : int
        Distance of the samples, ms; the first is the one after the snapshot.
    """
    delta = frames.delta
    low = int(delta["px"].min())
    width = int(delta["px"].max()) - low + 1
    ends = np.flatnonzero(delta["flags"] & 2) + 1
    times = delta["ts_event"][ends - 1] // _MS
    grid = np.arange(times[0] + step_ms, times[-1], step_ms)
    side, at, qty = delta["side"] > 0, delta["px"] - low, delta["qty"]
    book = np.zeros((2, width + 2 * REACH), dtype=np.int64)
    touch = np.zeros((len(grid), 2), dtype=np.int64)
    depth = np.zeros((len(grid), 2, REACH), dtype=np.int32)
    begin, best = 0, (0, 0)
    frame = 0
    for number, until in enumerate(grid):
        while frame < len(ends) and times[frame] <= until:
            rows = slice(begin, int(ends[frame]))
            begin = rows.stop
            book[np.where(side[rows], 0, 1), at[rows] + REACH] = qty[rows]
            frame += 1
        best = _touch(book, best)
        bid, ask = best
        touch[number] = bid - REACH + low, ask - REACH + low
        depth[number, 0] = book[0, bid - REACH + 1 : bid + 1][::-1]
        depth[number, 1] = book[1, ask : ask + REACH]
    return Book(grid, touch, depth)


def _touch(book: Ints, last: tuple[int, int]) -> tuple[int, int]:
    """Find the best bid and ask, near where they were if they are there."""
    middle, near = sum(last) // 2, 2 * REACH
    begin, end = max(0, middle - near), middle + near
    bids, asks = np.flatnonzero(book[0, begin:end]), np.flatnonzero(book[1, begin:end])
    if not middle or not len(bids) or not len(asks):
        bids, asks, begin = np.flatnonzero(book[0]), np.flatnonzero(book[1]), 0
    return int(bids[-1]) + begin, int(asks[0]) + begin


@dataclass(frozen=True, slots=True)
class Takers:
    """Orders that took: fills of one side at one time. All (n,).

    ``times``: ms; ``side``: +1 buys; ``size``: lots; ``fills``: how many.
    """

    times: Ints
    side: NDArray[np.int8]
    size: Ints
    fills: Ints


def takers(frames: Frames) -> Takers:
    """Group the fills of a session by time and side."""
    times, side, qty = (frames.trade[key] for key in ("ts_event", "side", "qty"))
    times = times // _MS
    is_new = np.r_[True, (np.diff(times) != 0) | (np.diff(side) != 0)]
    at = np.flatnonzero(is_new)
    fills = np.diff(np.r_[at, len(times)])
    return Takers(times[at], side[at], np.add.reduceat(qty, at), fills)
