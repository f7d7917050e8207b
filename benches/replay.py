"""Replay of books without a strategy, beside hftbacktest with its fastest depth.

Both replay the same rows of one file, written by ``cq data export``: the deltas that make a
book and the trades, on re-based times. Both wake every 100 ms and read best bid and ask, take
turns, are timed without loading, and must end with the same book. Ours keeps two books, the
venue's and the one that is known, and a ledger; in ``replay_noop`` it also holds a small position
on cross margin, which is checked at a mark price each second, and pays funding, neither of which
the peer knows. ``replay_bare`` leaves that out. Time is the CPU's.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benches import Result
from benches.books import Ends, ours_at_end, same_end, theirs_at_end
from benches.session import Recording, ask, generated, peer, recording
from crypto_quant.runtime.line import RecordedLine

RUNS = 5
EVENT_BYTES = 37
"""A level change on the tape: two stamps, price and quantity, marks, side."""

COPIED = 1 << 28
ACCOUNT, MARKET = 2, 0
"""Codes of the native line: a wake-up by an answer, an order type."""
PEER = "hftbacktest 2.4.4, ROIVectorMarketDepth, numba"


class Replay(NamedTuple):
    """What one replay took, and the book that it ended with."""

    seconds: float
    wakes: int
    book: Ends


def run() -> list[Result]:
    """Measure the replay of a session with a snapshot, and of ten million generated events."""
    results = []
    with tempfile.TemporaryDirectory() as name:
        session = recording(Path(name))
        if session is not None:
            results += _beside_the_peer(session)
    with tempfile.TemporaryDirectory() as name:
        results += _beside_the_peer(generated(Path(name)))
    floor = [_floor() for _ in range(RUNS)]
    runs = tuple((rate, None) for rate in floor)
    twice = f"{EVENT_BYTES} bytes an event, moved twice"
    middle = statistics.median(floor)
    floor_result = Result("replay_floor", "M events/s", twice, middle, None, None, None, runs)
    return [*results, floor_result]


def _beside_the_peer(session: Recording) -> list[Result]:
    bare, full = session.bare(), session.with_money()
    with peer("replay_peer.py", str(session.npz)) as other:
        turns = [(_bare(bare), _theirs(other), _full(full)) for _ in range(RUNS)]
    for lone, theirs, held in turns:
        if theirs is not None:
            _check(lone, theirs)
            _check(held, theirs)
    events, wakes = session.events, turns[0][0].wakes
    label = f"{session.name}, {events:,} level changes and trades, {wakes:,} wake-ups"
    marks = sum(len(part["mark"]) for part in full.tape.streams["mark"])
    with_money = f"{label}, {marks:,} marks, funding, a position on cross margin"
    return [
        _result("replay_noop", with_money, events, [(held, other) for _, other, held in turns]),
        _result("replay_bare", label, events, [(lone, other) for lone, other, _ in turns]),
    ]


def _result(
    name: str, label: str, events: int, pairs: Sequence[tuple[Replay, Replay | None]]
) -> Result:
    rates = tuple(
        (events / ours.seconds / 1e6, events / theirs.seconds / 1e6 if theirs else None)
        for ours, theirs in pairs
    )
    mine = statistics.median(ours for ours, _ in rates)
    others = [theirs for _, theirs in rates if theirs is not None]
    middle = statistics.median(others) if others else None
    ratio = mine / middle if middle else None
    return Result(name, "M events/s", label, mine, middle, PEER, ratio, rates)


def _floor() -> float:
    """Return what memory alone would allow: every event is read once for each of two books.

    A copy moves each byte twice, once in and once out.
    """
    source, target = np.ones(COPIED, dtype=np.uint8), np.zeros(COPIED, dtype=np.uint8)
    begun = time.process_time()
    np.copyto(target, source)
    return COPIED / EVENT_BYTES / (time.process_time() - begun) / 1e6


def _bare(session: Recording) -> Replay:
    return _replayed(session, session.line(), 0)


def _full(session: Recording) -> Replay:
    """Replay with a position of ten lots from the first wake-up with a book on."""
    line = session.line()
    session.settle(line)
    held = 10 * session.lot
    done = _replayed(session, line, held)
    orders, paid = line.native.orders(), line.native.attribution(0)["funding"]
    states = [state for state, tag in zip(orders["status"], orders["tag"], strict=True) if not tag]
    if states != ["filled"] or not paid:
        raise RuntimeError(f"expected a filled order and funding, was {states} and {paid}")
    return done


def _replayed(session: Recording, line: RecordedLine, position: int) -> Replay:
    native, wakes, read = line.native, 0, 0
    begun = time.process_time()
    if position:
        while native.next() and native.top(0) is None:
            wakes += 1
        native.submit(1, 0, True, position, None, MARKET)
        wakes += 1
    while code := native.next():
        if code == ACCOUNT:
            continue
        touch = native.top(0)
        if touch is not None:
            read += touch[0] + touch[2]
        wakes += 1
    seconds = time.process_time() - begun
    return Replay(seconds, wakes, ours_at_end(native, session.tick, session.lot))


def _theirs(process: subprocess.Popen[str] | None) -> Replay | None:
    if process is None:
        return None
    plain = json.loads(ask(process))
    return Replay(plain["seconds"], plain["wakes"], theirs_at_end(plain))


def _check(ours: Replay, peer: Replay) -> None:
    """Both must have replayed the same."""
    if abs(ours.wakes - peer.wakes) > 1:
        raise RuntimeError(f"{ours.wakes} wake-ups, the peer had {peer.wakes}")
    same_end(ours.book, peer.book)
