"""A recorded tick session as both sides of a benchmark replay it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Final, NamedTuple

from crypto_quant.core.messages import Wallet
from crypto_quant.data_pipeline.collectors.facts import Facts
from crypto_quant.data_pipeline.collectors.importer import import_files
from crypto_quant.data_pipeline.exporters.hftbacktest import to_npz
from crypto_quant.data_pipeline.storage import Catalog
from crypto_quant.runtime.line import Deposit, LineSpec, RecordedLine
from crypto_quant.runtime.ticks import TickReader, TickTape
from crypto_quant.venues.rules import load_instruments

MS_NS: Final = 10**6
STEP_NS: Final = 100 * MS_NS
LATENCY_NS: Final = 5 * MS_NS
KEY: Final = "BTCUSDT-PERP.BINANCE"
CAPTURE: Final = "hftbacktest/usdm/btcusdt_20240808.gz"
KEPT: Final = ("delta", "trade", "gap")
AS_PEER: Final[Mapping[str, object]] = {
    "partial_fills": False,
    "walks_book": False,
    "snapshot_edge": False,
    "late_trades": False,
    "self_trade": "ignore",
    "queue": "power",
    "queue_exponent": 2.0,
}
"""Matching as hftbacktest's exchange without partial fills does it."""


class Recording(NamedTuple):
    """A session on our tape and as the peer's file, with the same rows."""

    reader: TickReader
    tape: TickTape
    npz: Path

    @property
    def events(self) -> int:
        """Level changes and trades."""
        streams = self.tape.streams
        return sum(len(streams[kind]["ts_event"]) for kind in KEPT if kind in streams)

    @property
    def tick(self) -> int:
        """Price increment in force, grid units."""
        instrument = self.reader.instrument
        return int(instrument.tick.at(self.tape.start)[0] * 10**instrument.price_exp)

    def line(self, grid_ns: int = STEP_NS, **sim: object) -> RecordedLine:
        """Return a fresh line with the session on it, 5 ms each way."""
        spec = LineSpec(
            instruments=(self.reader.instrument,),
            sleeves=("none",),
            features=(),
            series=(),
            quote="USDT",
            grid_ns=grid_ns,
            start=self.tape.start,
            end=self.tape.end,
            sim={"entry_latency_ns": LATENCY_NS, "response_latency_ns": LATENCY_NS} | sim,
            leverage=10,
            sample_ns=60_000 * MS_NS,
        )
        line = RecordedLine(spec, [Deposit(0, Wallet.MARGIN, Decimal(100_000))])
        kept = {kind: columns for kind, columns in self.tape.streams.items() if kind in KEPT}
        replace(self.tape, streams=kept).put(line, 0)
        return line


def recording(folder: Path, capture: str = CAPTURE, key: str = KEY) -> Recording | None:
    """Import a capture of ``CQ_DATA`` into a folder; ``None``, and a line, without it."""
    path = Path(os.environ.get("CQ_DATA", "")) / capture
    if not path.is_file():
        print(f"skipped: CQ_DATA holds no {capture}")
        return None
    known = load_instruments()
    catalog = Catalog(folder / "catalog")
    import_files(catalog, [path], Facts(), known)
    catalog = Catalog(folder / "catalog")
    to_npz(catalog, "delta", key, folder / "events.npz", None, None)
    reader = TickReader(catalog, known[key])
    tape = reader.read(reader.sessions()[0])
    if not isinstance(tape, TickTape):
        raise TypeError(tape.reason)
    return Recording(reader, tape, folder / "events.npz")


@contextmanager
def peer(script: str, *arguments: str) -> Iterator[subprocess.Popen[str] | None]:
    """Start a script in the peers' interpreter; ``None``, and a line, where it is missing."""
    python = os.environ.get("CQ_PEERS", sys.executable)
    probe = [python, "-c", "import hftbacktest"]
    if subprocess.run(probe, capture_output=True, check=False).returncode:  # noqa: S603 - our own interpreter
        print("skipped: hftbacktest is not installed (name its interpreter in CQ_PEERS)")
        yield None
        return
    process = subprocess.Popen(  # noqa: S603 - our own script
        [python, str(Path(__file__).with_name(script)), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def ask(process: subprocess.Popen[str], line: str = "") -> str:
    """Send a line to a peer and return the line that it answers."""
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("the peer has no pipes")
    process.stdin.write(line + "\n")
    process.stdin.flush()
    answer = process.stdout.readline()
    if not answer:
        raise RuntimeError(f"the peer ended: {process.args}")
    return answer
