"""Replay of recorded books without orders, beside hftbacktest with its fastest depth.

Both replay the same rows of one file, written by ``cq data export``: the deltas that make a
book and the trades, on re-based times. Both wake every 100 ms and read best bid and ask, take
turns, are timed without loading, and must end with the same book. Ours keeps two books, the
venue's and the one that is known, a ledger and margin; time is the CPU's.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benches import Result
from benches.session import CAPTURE, Recording, ask, peer, recording

RUNS = 5
EVENT_BYTES = 37
"""A level change on the tape: two stamps, price and quantity, marks, side."""

COPIED = 1 << 28
PEER = "hftbacktest 2.4.4, ROIVectorMarketDepth, numba"


class Replay(NamedTuple):
    """What one replay took and saw; levels are (tick, lots), sorted by tick."""

    seconds: float
    wakes: int
    bids: list[tuple[int, int]]
    asks: list[tuple[int, int]]


def run() -> list[Result]:
    """Measure the replay of a session with a snapshot."""
    with tempfile.TemporaryDirectory() as name:
        session = recording(Path(name))
        if session is None:
            return []
        with peer("replay_peer.py", str(session.npz)) as other:
            pairs = [(_ours(session), _theirs(other)) for _ in range(RUNS)]
    for ours, theirs in pairs:
        if theirs is not None:
            _check(ours, theirs)
    events, wakes = session.events, pairs[0][0].wakes
    label = f"{Path(CAPTURE).name}, {events:,} level changes and trades, {wakes:,} wake-ups"
    rates = tuple(
        (events / ours.seconds / 1e6, events / theirs.seconds / 1e6 if theirs else None)
        for ours, theirs in pairs
    )
    mine = statistics.median(ours for ours, _ in rates)
    others = [theirs for _, theirs in rates if theirs is not None]
    middle = statistics.median(others) if others else None
    ratio = mine / middle if middle else None
    floor = [_floor() for _ in range(RUNS)]
    runs = tuple((rate, None) for rate in floor)
    twice = f"{EVENT_BYTES} bytes an event, moved twice"
    return [
        Result("replay_noop", "M events/s", label, mine, middle, PEER, ratio, rates),
        Result(
            "replay_floor", "M events/s", twice, statistics.median(floor), None, None, None, runs
        ),
    ]


def _floor() -> float:
    """Return what memory alone would allow: every event is read once for each of two books.

    A copy moves each byte twice, once in and once out.
    """
    source, target = np.ones(COPIED, dtype=np.uint8), np.zeros(COPIED, dtype=np.uint8)
    begun = time.process_time()
    np.copyto(target, source)
    return COPIED / EVENT_BYTES / (time.process_time() - begun) / 1e6


def _ours(session: Recording) -> Replay:
    native, wakes, read = session.line().native, 0, 0
    begun = time.process_time()
    while native.next():
        touch = native.top(0)
        if touch is not None:
            read += touch[0] + touch[2]
        wakes += 1
    seconds = time.process_time() - begun
    bids, asks = native.levels(0, 1 << 30) or (np.empty((0, 2)), np.empty((0, 2)))
    tick = session.tick
    sides = [[(int(px) // tick, int(qty)) for px, qty in side] for side in (bids, asks)]
    return Replay(seconds, wakes, sorted(sides[0]), sorted(sides[1]))


def _theirs(process: subprocess.Popen[str] | None) -> Replay | None:
    if process is None:
        return None
    plain = json.loads(ask(process))
    for side in ("bids", "asks"):
        plain[side] = [tuple(level) for level in plain[side]]
    return Replay(**plain)


def _check(ours: Replay, peer: Replay) -> None:
    """Both must have replayed the same."""
    if abs(ours.wakes - peer.wakes) > 1:
        raise RuntimeError(f"{ours.wakes} wake-ups, the peer had {peer.wakes}")
    for name in ("bids", "asks"):
        theirs = getattr(peer, name)
        low, high = theirs[0][0], theirs[-1][0]
        within = [level for level in getattr(ours, name) if low <= level[0] <= high]
        if within != theirs:
            odd = sorted(set(within) ^ set(theirs))[:5]
            raise RuntimeError(f"the books end differently: {len(odd)} {name} such as {odd}")
