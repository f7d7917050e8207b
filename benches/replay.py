"""Replay of recorded books without orders, beside hftbacktest with its fastest depth.

Both replay the same rows of one file, written by ``cq data export``: the deltas that make a
book and the trades, on re-based times. Both wake every 100 ms and read best bid and ask, take
turns, are timed without loading, and must end with the same book. Ours keeps two books, the
venue's and the one that is known, a ledger and margin; time is the CPU's.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benches import Result
from crypto_quant.core.messages import Wallet
from crypto_quant.data_pipeline.collectors.facts import Facts
from crypto_quant.data_pipeline.collectors.importer import import_files
from crypto_quant.data_pipeline.exporters.hftbacktest import to_npz
from crypto_quant.data_pipeline.storage import Catalog
from crypto_quant.runtime.line import Deposit, LineSpec, RecordedLine
from crypto_quant.runtime.tick_rows import Columns
from crypto_quant.runtime.ticks import TickReader, TickTape
from crypto_quant.venues.rules import load_instruments

RUNS = 5
MS_NS = 10**6
STEP_NS = 100 * MS_NS
LATENCY_NS = 5 * MS_NS
KEY = "BTCUSDT-PERP.BINANCE"
CAPTURE = "hftbacktest/usdm/btcusdt_20240808.gz"
KEPT = ("delta", "trade", "gap")
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
    capture = Path(os.environ.get("CQ_DATA", "")) / CAPTURE
    if not capture.is_file():
        print(f"skipped: CQ_DATA holds no {CAPTURE}")
        return []
    with tempfile.TemporaryDirectory() as name:
        folder, known = Path(name), load_instruments()
        import_files(Catalog(folder / "catalog"), [capture], Facts(), known)
        catalog = Catalog(folder / "catalog")
        events = to_npz(catalog, "delta", KEY, folder / "events.npz", None, None)
        reader = TickReader(catalog, known[KEY])
        tape = reader.read(reader.sessions()[0])
        if not isinstance(tape, TickTape):
            raise TypeError(tape.reason)
        loaded = {kind: list(tape.streams[kind]) for kind in KEPT}
        with _peer(folder / "events.npz") as peer:
            pairs = [(_ours(reader, tape, loaded), next(peer)) for _ in range(RUNS)]
    for ours, other in pairs:
        if other is not None:
            _check(ours, other)
    label = f"{capture.name}, {events:,} level changes and trades, {pairs[0][0].wakes:,} wake-ups"
    rates = tuple(
        (events / ours.seconds / 1e6, events / other.seconds / 1e6 if other else None)
        for ours, other in pairs
    )
    mine = statistics.median(ours for ours, _ in rates)
    theirs = [other for _, other in rates if other is not None]
    middle = statistics.median(theirs) if theirs else None
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


def _ours(reader: TickReader, tape: TickTape, loaded: dict[str, list[Columns]]) -> Replay:
    spec = LineSpec(
        instruments=(reader.instrument,),
        sleeves=("none",),
        features=(),
        series=(),
        quote="USDT",
        grid_ns=STEP_NS,
        start=tape.start,
        end=tape.end,
        sim={"entry_latency_ns": LATENCY_NS, "response_latency_ns": LATENCY_NS},
        leverage=10,
        sample_ns=60_000 * MS_NS,
    )
    line = RecordedLine(spec, [Deposit(0, Wallet.MARGIN, Decimal(100_000))])
    native, wakes, read = line.native, 0, 0
    adders: dict[str, Callable[..., int]] = {
        "delta": native.add_deltas,
        "trade": native.add_trades,
        "gap": native.add_gaps,
    }
    for kind, parts in loaded.items():
        number = None
        for part in parts:
            number = adders[kind](0, **part, stream=number, more=True)
        if number is not None:
            native.complete(number)
    begun = time.process_time()
    while native.next():
        touch = native.top(0)
        if touch is not None:
            read += touch[0] + touch[2]
        wakes += 1
    seconds = time.process_time() - begun
    bids, asks = native.levels(0, 1 << 30) or (np.empty((0, 2)), np.empty((0, 2)))
    tick = round(0.1 * 10**reader.instrument.price_exp)
    sides = [[(int(px) // tick, int(qty)) for px, qty in side] for side in (bids, asks)]
    return Replay(seconds, wakes, sorted(sides[0]), sorted(sides[1]))


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


@contextmanager
def _peer(path: Path) -> Iterator[Iterator[Replay | None]]:
    """Give the peer's next replay each time it is asked; ``None`` where it is not installed."""
    python = os.environ.get("CQ_PEERS", sys.executable)
    probe = [python, "-c", "import hftbacktest"]
    if subprocess.run(probe, capture_output=True, check=False).returncode:  # noqa: S603 - our own interpreter
        print("skipped: hftbacktest is not installed (name its interpreter in CQ_PEERS)")
        yield iter([None] * RUNS)
        return
    script = Path(__file__).with_name("replay_peer.py")
    process = subprocess.Popen(  # noqa: S603 - our own script
        [python, str(script), str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield _answers(process)
    finally:
        process.terminate()
        process.wait()


def _answers(process: subprocess.Popen[str]) -> Iterator[Replay]:
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("the peer has no pipes")
    while True:
        process.stdin.write("\n")
        process.stdin.flush()
        plain = json.loads(process.stdout.readline())
        for side in ("bids", "asks"):
            plain[side] = [tuple(level) for level in plain[side]]
        yield Replay(**plain)
