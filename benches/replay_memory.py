"""How much memory a replay of days of book data takes, beside hftbacktest on the same rows.

A day is a capture four times over, ids and times moved on, spread over 24 hours; each time begins
with the capture's own snapshot. Ours reads the catalog while it replays, with a venue, a ledger
and margin; the peer reads a file a day, written by ``cq data export``, as its guide advises.
Both wake every 100 ms and read best bid and ask. Every measurement is a process of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from benches import Result
from benches.replay import PEER
from benches.session import CAPTURE, KEY
from crypto_quant.data_pipeline.cleaners.rebase import rebase, sessions
from crypto_quant.data_pipeline.collectors.facts import Facts
from crypto_quant.data_pipeline.collectors.importer import import_files
from crypto_quant.data_pipeline.collectors.ticks.chain import book_rows
from crypto_quant.data_pipeline.exporters.hftbacktest import to_npz
from crypto_quant.data_pipeline.storage import Catalog, SourceInfo
from crypto_quant.venues.rules import load_instruments

DAY_NS = 86_400 * 10**9
DAYS = (1, 10)
TIMES = 4
APART = 10_000
"""Ids between one time and the next: its snapshot is newer than all before."""


class Cost(NamedTuple):
    """What one process took; ``seconds`` are of its CPU, with reading."""

    seconds: float
    peak_mb: float
    wakes: int
    rows: int


def run() -> list[Result]:
    """Measure the peak of one day and of ten."""
    capture = Path(os.environ.get("CQ_DATA", "")) / CAPTURE
    if not capture.is_file():
        print(f"skipped: CQ_DATA holds no {CAPTURE}")
        return []
    results = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        starts = _days(capture, folder, max(DAYS))
        files = [folder / f"day-{number}.npz" for number in range(max(DAYS))]
        has_peer = _has_peer()
        if has_peer:
            for start, path in zip(starts, files, strict=True):
                to_npz(Catalog(folder / str(max(DAYS))), "delta", KEY, path, start, start + DAY_NS)
        for days in DAYS:
            ours = _process(
                [sys.executable, "-m", "benches.replay_memory_task", str(folder / str(days))]
            )
            peer = _peer(files[:days]) if has_peer else None
            results += _results(days, ours, peer)
    return results


def _results(days: int, ours: Cost, peer: Cost | None) -> list[Result]:
    if peer is not None and abs(ours.wakes - peer.wakes) > 1:
        raise RuntimeError(f"{ours.wakes} wake-ups, the peer had {peer.wakes}")
    label = f"{days} days, {ours.rows:,} level changes and trades, {ours.wakes:,} wake-ups"
    rate = ours.rows / ours.seconds / 1e6
    other = None if peer is None else ours.rows / peer.seconds / 1e6
    name = None if peer is None else PEER
    peak = None if peer is None else peer.peak_mb
    return [
        _result("replay_memory: peak", "MB", label, (ours.peak_mb, peak), name),
        _result("replay_memory: rate with reading", "M events/s", label, (rate, other), name),
    ]


def _result(
    name: str, unit: str, label: str, pair: tuple[float, float | None], peer: str | None
) -> Result:
    ours, other = pair
    return Result(name, unit, label, ours, other, peer, ours / other if other else None, (pair,))


def _days(capture: Path, folder: Path, count: int) -> list[int]:
    """Write a catalog of one day and one of ``count``; return the days' starts."""
    import_files(Catalog(folder / "capture"), [capture], Facts(), load_instruments())
    catalog = Catalog(folder / "capture")
    found = sessions(catalog.parts)
    held = {
        kind: rebase(catalog.scan(kind, KEY), catalog.parts_of(kind, KEY), found)
        for kind in ("delta", "trade")
    }
    held["delta"] = book_rows(held["delta"]).rows
    begin = int(held["delta"]["ts_event"].to_numpy().min())
    last = max(int(table["ts_recv"].to_numpy().max()) for table in held.values())
    held["trade"] = held["trade"].filter(held["trade"]["ts_event"].to_numpy() >= begin)
    step = (DAY_NS - (last - begin) - 10**9) // (TIMES - 1)
    origin = -(-begin // DAY_NS) * DAY_NS
    for days in {1, count}:
        out = Catalog(folder / str(days))
        for day in range(days):
            for kind, table in held.items():
                shifts = [
                    (day * TIMES + turn, origin - begin + day * DAY_NS + turn * step)
                    for turn in range(TIMES)
                ]
                rows = pa.concat_tables([_moved(table, turn, by) for turn, by in shifts])
                source = SourceInfo(f"{kind} of day {day}", f"{kind} {day}", 1, "bench")
                out.write(kind, KEY, rows, source, catalog.exps(kind, KEY), "bench")
    return [origin + day * DAY_NS for day in range(count)]


def _moved(table: pa.Table, turn: int, by: int) -> pa.Table:
    """Return rows later by ``by`` ns, with the ids of their ``turn``."""
    names = [name for name in ("id", "last_id") if name in table.column_names]
    ids = table[names[0]].drop_null().to_numpy()
    ahead = turn * (int(ids.max()) - int(ids.min()) + APART)
    moves = dict.fromkeys(("ts_event", "ts_recv"), by)
    moves |= dict.fromkeys(("id", "first_id", "last_id", "prev_id"), ahead)
    for name, move in moves.items():
        if name in table.column_names:
            at = table.schema.get_field_index(name)
            column = pa.chunked_array(
                pa.compute.add(chunk, np.int64(move)) for chunk in table[name].chunks
            )
            table = table.set_column(at, table.schema.field(at), column)
    return table


def _has_peer() -> bool:
    probe = [_peer_python(), "-c", "import hftbacktest"]
    if subprocess.run(probe, capture_output=True, check=False).returncode:  # noqa: S603 - our own interpreter
        print("skipped: hftbacktest is not installed (name its interpreter in CQ_PEERS)")
        return False
    return True


def _peer_python() -> str:
    return os.environ.get("CQ_PEERS", sys.executable)


def _peer(files: Sequence[Path]) -> Cost:
    script = Path(__file__).with_name("replay_memory_peer.py")
    return _process([_peer_python(), str(script), *map(str, files)])


def _process(command: Sequence[str]) -> Cost:
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own scripts
    if done.returncode:
        raise RuntimeError(f"{command[1:]} failed: {done.stderr[-2000:]}")
    return Cost(**json.loads(done.stdout.splitlines()[-1]))
