"""A grid market maker on recorded books, beside hftbacktest and nautilus_trader.

The same quoting rule, latencies, queue model and fees on the same rows: in Rust beside
hftbacktest's numba, in Python through wake-ups of the bare simulator, in Python through the full
step that also trades (risk, quoting, approvals, the log of decisions), and as a strategy of
nautilus_trader. With the matching rules of hftbacktest ours must give its fills, order by order
and to the nanosecond, and end with its book; nautilus_trader fills by other rules and trades about
as much, and is left out on ten million generated events, which take it minutes. Loading is left
out on all sides; time is the CPU's.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benches import Result
from benches.books import Ends, ours_at_end, same_end, theirs_at_end
from benches.grid_python import quote
from benches.grid_step import grid_state
from benches.session import (
    AS_PEER,
    Recording,
    Rows,
    ask,
    generated,
    hear,
    ordered,
    peer,
    recording,
    same,
)
from crypto_quant.runtime.decisions import DecisionLog
from crypto_quant.runtime.drive import recorded
from crypto_quant.runtime.line import RecordedLine

RUNS = 5
RULE = {"levels": 5, "gap": 1, "quantity": 10, "most": 200}
HFTBACKTEST = "hftbacktest 2.4.4, ROIVectorMarketDepth, numba"
NAUTILUS = "nautilus_trader 1.221.0"
NAMES = ("replay_grid", "replay_grid_python", "replay_grid_step")


class Run(NamedTuple):
    """What one run took and did; fills are (order, venue time, tick, lots, side), sorted."""

    seconds: float
    orders: int
    fills: Rows
    book: Ends


class Turn(NamedTuple):
    """One run each: ours, and the CPU seconds of the peers (``None``: not installed)."""

    ours: tuple[Run, Run, Run]
    theirs: tuple[float | None, float | None]


def run() -> list[Result]:
    """Measure the grid on a session with a snapshot, and on ten million generated events."""
    results = []
    with tempfile.TemporaryDirectory() as name:
        session = recording(Path(name))
        if session is not None:
            results += _measured(session, Path(name), has_nautilus=True)
    with tempfile.TemporaryDirectory() as name:
        session = generated(Path(name)).bare()
        results += _measured(session, Path(name), has_nautilus=False)
    return results


def _measured(session: Recording, folder: Path, *, has_nautilus: bool) -> list[Result]:
    fills, log = folder / "fills.npy", folder / "decisions.jsonl"
    with ExitStack() as stack:
        fast = stack.enter_context(peer("grid_peer.py", session.as_peer(fills, RULE)))
        told = None if fast is None else json.loads(hear(fast))
        slow = None
        if has_nautilus:
            slow = stack.enter_context(peer("grid_nautilus.py", str(session.npz)))
        runs = [
            Turn(
                (_rust(session), _python(session), _step(session, log)),
                (_theirs(fast), _theirs(slow)),
            )
            for _ in range(RUNS)
        ]
    if told is not None:
        theirs, end = ordered(np.load(fills)), theirs_at_end(told)
        for mine in (own for turn in runs for own in turn.ours):
            same(mine.fills, theirs)
            same_end(mine.book, end)
    label = f"{session.name}, {session.events:,} events, {runs[0].ours[0].orders:,} orders"
    return [
        _result(name, label, session.events, [(r.ours[n].seconds, r.theirs[at]) for r in runs], by)
        for at, by in enumerate((HFTBACKTEST, NAUTILUS)[: 1 + (slow is not None)])
        for n, name in enumerate(NAMES)
    ]


def _result(
    name: str, label: str, events: int, rows: Sequence[tuple[float, float | None]], other: str
) -> Result:
    rates = tuple((events / a / 1e6, events / b / 1e6 if b else None) for a, b in rows)
    mine = statistics.median(a for a, _ in rates)
    theirs = [b for _, b in rates if b is not None]
    middle = statistics.median(theirs) if theirs else None
    ratio = mine / middle if middle else None
    return Result(name, "M events/s", label, mine, middle, other, ratio, rates)


def _rust(session: Recording) -> Run:
    line = session.line(sim=AS_PEER)
    begun = time.process_time()
    line.native.run("grid", RULE)
    return _done(session, line, time.process_time() - begun)


def _python(session: Recording) -> Run:
    line = session.line(sim=AS_PEER)
    begun = time.process_time()
    quote(line.native, session.tick, RULE)
    return _done(session, line, time.process_time() - begun)


def _step(session: Recording, log: Path) -> Run:
    line, state = session.line(sim=AS_PEER), grid_state(session, RULE)
    with DecisionLog(log) as decisions:
        begun = time.process_time()
        recorded(line, state, decisions)
        seconds = time.process_time() - begun
    return _done(session, line, seconds)


def _done(session: Recording, line: RecordedLine, seconds: float) -> Run:
    placed = sum(tag == "" for tag in line.native.orders()["tag"])
    end = ours_at_end(line.native, session.tick, session.lot)
    return Run(seconds, placed, session.fills(line), end)


def _theirs(process: subprocess.Popen[str] | None) -> float | None:
    return None if process is None else float(json.loads(ask(process))["seconds"])
