"""How fast and in how much memory tick files become Parquet, beside other converters.

Every measurement is a process of its own, so that peak memory is its own; ours and peers
take turns. The peers' interpreter is named by ``CQ_PEERS`` (hftbacktest 2.4.4 and polars
installed); without it they are looked for in this one.
"""

from __future__ import annotations

import gzip
import json
import os
import statistics
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.csv

from benches import Result

ROWS = 1_000_000
TIMES = 10
RUNS = 3
CAPTURE = "hftbacktest/usdm/btcusdt_20240808.gz"


class Cost(NamedTuple):
    """What one process took; ``cpu`` is that of all its threads."""

    seconds: float
    cpu: float
    peak_mb: float
    rows: int


def run() -> list[Result]:
    """Measure trades and a long capture, each also ten times as long for its memory."""
    results: list[Result] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        short, long = (_trades(folder, n) for n in (ROWS, ROWS * TIMES))
        for peer in ("polars", "pyarrow"):
            results += _compare("trades", "trades/s", short, peer, ROWS)
        results += _memory("trades", short, long)
        data = Path(os.environ.get("CQ_DATA", "")) / CAPTURE
        if not data.is_file():
            print(f"skipped: captures, for CQ_DATA holds no {CAPTURE}")
            return results
        extended = _extended(data, folder)
        frames = _lines(extended)
        results += _compare("capture", "frames/s", extended, "hftbacktest", frames)
        results += _memory("capture", data, extended)
    return results


def _compare(what: str, unit: str, path: Path, peer: str, count: int) -> list[Result]:
    is_there = _has(peer)
    if not is_there:
        print(f"skipped: {peer} is not installed (name its interpreter in CQ_PEERS)")
    costs: list[tuple[Cost, Cost | None]] = []
    for _ in range(RUNS):
        ours = _ours(what, path)
        costs.append((ours, _peer(peer, path) if is_there else None))
    name = {"hftbacktest": "hftbacktest convert to npz"}.get(peer, f"{peer} CSV to Parquet")
    label = f"{path.name}, {path.stat().st_size / 2**20:.0f} MiB, {count:,} lines"
    rates = [(count / a.seconds, count / b.seconds if b else None) for a, b in costs]
    used = [(a.cpu, b.cpu if b else None) for a, b in costs]
    return [
        _result(f"import {what}", unit, label, name, rates),
        _result(f"import {what}: CPU", "s", label, name, used),
    ]


def _result(
    name: str, unit: str, label: str, peer: str, pairs: list[tuple[float, float | None]]
) -> Result:
    ours = statistics.median(pair[0] for pair in pairs)
    peers = [pair[1] for pair in pairs if pair[1] is not None]
    other = statistics.median(peers) if peers else None
    ratio = ours / other if other else None
    return Result(name, unit, label, ours, other, peer, ratio, tuple(pairs))


def _memory(what: str, short: Path, long: Path) -> list[Result]:
    results = []
    for path in (short, long):
        costs = [_ours(what, path) for _ in range(2)]
        peak = statistics.median(cost.peak_mb for cost in costs)
        runs = tuple((cost.peak_mb, None) for cost in costs)
        label = f"{path.name}, {path.stat().st_size / 2**20:.0f} MiB, {costs[0].rows:,} rows"
        results.append(Result(f"import {what}: peak", "MB", label, peak, None, None, None, runs))
    return results


def _has(peer: str) -> bool:
    command = [_peer_python(), "-c", f"import {peer}"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0  # noqa: S603 - our own interpreter


def _peer_python() -> str:
    return os.environ.get("CQ_PEERS", sys.executable)


def _ours(what: str, path: Path) -> Cost:
    return _process([sys.executable, "-m", "benches.import_task", what, str(path)])


def _peer(peer: str, path: Path) -> Cost:
    script = Path(__file__).with_name("import_peer.py")
    return _process([_peer_python(), str(script), peer, str(path)])


def _process(command: Sequence[str]) -> Cost:
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own scripts
    if done.returncode:
        raise RuntimeError(f"{command[1:]} failed: {done.stderr[-2000:]}")
    return Cost(**json.loads(done.stdout.splitlines()[-1]))


def _trades(folder: Path, count: int) -> Path:
    """Write a seeded file in the layout of the archive's futures trades."""
    rng = np.random.default_rng(20_240_808)
    path = folder / f"BTCUSDT-trades-{count}.zip"
    options = pyarrow.csv.WriteOptions(include_header=False, quoting_style="none")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as box:  # noqa: SIM117 - the inner needs the outer
        with box.open("BTCUSDT-trades.csv", "w", force_zip64=True) as out:
            out.write(b"id,price,qty,quote_qty,time,is_buyer_maker\n")
            for table in _trade_tables(rng, count):
                pyarrow.csv.write_csv(table, out, options)
    return path


def _trade_tables(rng: np.random.Generator, count: int) -> Iterator[pa.Table]:
    price, time, first, step = 618_000, 1_723_161_256_000, 5_266_583_935, 250_000
    for begin in range(0, count, step):
        n = min(step, count - begin)
        prices = price + np.cumsum(rng.integers(-3, 4, n))
        lots = np.maximum(1, np.exp(rng.normal(3.0, 1.5, n))).astype(np.int64)
        times = time + np.cumsum(rng.integers(0, 30, n))
        price, time = int(prices[-1]), int(times[-1])
        columns = {
            "id": first + begin + np.arange(n),
            "price": prices / 10,
            "qty": lots / 1000,
            "quote_qty": np.round(prices * lots / 10_000, 4),
            "time": times,
            "is_buyer_maker": rng.random(n) < 0.5,
        }
        yield pa.table(columns)


def _extended(capture: Path, folder: Path) -> Path:
    """Repeat a real capture with ids and times moved on, so that its chain goes on."""
    with gzip.open(capture, "rt") as stream:
        lines = [line.split(" ", 1) for line in stream]
    frames = [(int(stamp), json.loads(text)) for stamp, text in lines]
    depth = [f["data"] for _, f in frames if f.get("data", {}).get("e") == "depthUpdate"]
    trades = [f["data"]["t"] for _, f in frames if f.get("data", {}).get("e") == "trade"]
    span_ms = (frames[-1][0] - frames[0][0]) // 10**6 + 50
    moves = {
        **dict.fromkeys(("E", "T"), span_ms),
        **dict.fromkeys(("U", "u", "pu"), depth[-1]["u"] - depth[0]["pu"]),
        "t": trades[-1] - trades[0] + 1,
    }
    path = folder / "capture-extended.gz"
    with gzip.open(path, "wt", compresslevel=1) as out:
        for turn in range(TIMES):
            for stamp, frame in frames:
                if "data" in frame:
                    data = {
                        k: v + turn * moves.get(k, 0) if k in moves else v
                        for k, v in frame["data"].items()
                    }
                    frame = {"stream": frame["stream"], "data": data}
                elif turn:
                    continue
                text = json.dumps(frame, separators=(",", ":"))
                out.write(f"{stamp + turn * span_ms * 10**6} {text}\n")
    return path


def _lines(path: Path) -> int:
    with gzip.open(path, "rb") as stream:
        return sum(1 for _ in stream)
