"""A recorded tick session as both sides of a benchmark replay it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from crypto_quant.backtesting.simulator import AS_HFTBACKTEST
from crypto_quant.core.instruments import Dated, Instrument
from crypto_quant.core.messages import Wallet
from crypto_quant.data_pipeline.collectors.facts import Facts
from crypto_quant.data_pipeline.collectors.importer import import_files
from crypto_quant.data_pipeline.exporters.hftbacktest import to_npz
from crypto_quant.data_pipeline.generated.frames import write_frames
from crypto_quant.data_pipeline.generated.parameters import load_parameters
from crypto_quant.data_pipeline.storage import Catalog
from crypto_quant.runtime.line import RecordedLine
from crypto_quant.runtime.line_spec import Deposit, LineSpec
from crypto_quant.runtime.ticks import TickReader, TickTape
from crypto_quant.venues.rules import load_instruments

Rows = NDArray[np.int64]
MS_NS: Final = 10**6
STEP_NS: Final = 100 * MS_NS
LATENCY_NS: Final = 5 * MS_NS
KEY: Final = "BTCUSDT-PERP.BINANCE"
CAPTURE: Final = "hftbacktest/usdm/btcusdt_20240808.gz"
KEPT: Final = ("delta", "trade", "gap")
GENERATED_NS: Final = 175 * 60 * 10**9
"""Ten million level changes and trades of the generated market."""
GENERATED_SEED: Final = 20_231
RATE_EXP: Final = 8
RATE: Final = 10_000
"""A basis point, the venue's usual rate."""
AS_PEER: Final = AS_HFTBACKTEST
QUEUES: Final[Mapping[str, tuple[str, tuple[float, ...]]]] = {
    "risk_averse": ("risk_adverse_queue_model", ()),
    "power": ("power_prob_queue_model", (2.0,)),
    "power2": ("power_prob_queue_model2", (2.0,)),
    "power3": ("power_prob_queue_model3", (2.0,)),
    "log": ("log_prob_queue_model", ()),
    "log2": ("log_prob_queue_model2", ()),
}
"""The peer's names of our queue models, and what they take."""


class Recording(NamedTuple):
    """A session on our tape and as the peer's file, with the same rows."""

    name: str
    instrument: Instrument
    tape: TickTape
    npz: Path

    @property
    def events(self) -> int:
        """Level changes and trades."""
        return sum(self.tape.rows[kind] for kind in KEPT if kind in self.tape.rows)

    def with_money(self) -> Recording:
        """Return it with a mark price each second: those recorded, else the last trade's."""
        if "mark" in self.tape.streams:
            return self
        trades = concatenated(self.tape.streams["trade"])
        second = 1_000 * MS_NS
        at = np.arange(-(-self.tape.start // second) * second, self.tape.end, second)
        last = np.searchsorted(np.maximum.accumulate(trades["ts_event"]), at, side="right") - 1
        marks = {
            "ts_event": at,
            "ts_recv": at + MS_NS,
            "mark": trades["px"][np.maximum(last, 0)],
            "flags": np.zeros(len(at), dtype=np.uint32),
        }
        tape = replace(self.tape, streams={**self.tape.streams, "mark": [marks]})
        return self._replace(tape=tape)

    def bare(self) -> Recording:
        """Return it without mark prices."""
        streams = {kind: parts for kind, parts in self.tape.streams.items() if kind in KEPT}
        return self._replace(tape=replace(self.tape, streams=streams))

    def settle(self, line: RecordedLine) -> None:
        """Put a funding settlement in the middle of the session on a line."""
        middle = np.array([(self.tape.start + self.tape.end) // 2], dtype=np.int64)
        line.native.add_funding(0, middle, middle, np.array([RATE], dtype=np.int64), RATE_EXP)

    @property
    def tick(self) -> int:
        """Price increment in force, grid units."""
        return _in_force(self.instrument.tick, self.tape.start, self.instrument.price_exp)

    @property
    def lot(self) -> int:
        """Quantity increment in force, grid units."""
        return _in_force(self.instrument.lot, self.tape.start, self.instrument.qty_exp)

    def as_peer(self, out: Path, rule: Mapping[str, int], queue: str = "power") -> str:
        """Return the session as ``grid_peer.py`` takes it; ``rule`` in grid units."""
        instrument, (model, arguments) = self.instrument, QUEUES[queue]
        lots = [rule["quantity"] // self.lot, rule["most"] // self.lot]
        return json.dumps(
            {
                "path": str(self.npz),
                "out": str(out),
                "tick": self.tick / 10**instrument.price_exp,
                "lot": self.lot / 10**instrument.qty_exp,
                "is_inverse": instrument.contract == "inverse",
                "rule": [rule["levels"], rule["gap"], *lots],
                "queue": model,
                "queue_arguments": arguments,
            }
        )

    def fills(self, line: RecordedLine) -> Rows:
        """Return our fills but the last close: (order, venue time, tick, lots, side), sorted."""
        fills = line.native.fills()
        names = ("order_id", "ts_event", "px", "qty", "side")
        rows = np.stack([np.asarray(fills[name], dtype=np.int64) for name in names], axis=1)
        rows = rows[[tag == "" for tag in fills["tag"]]]
        rows[:, 2] //= self.tick
        rows[:, 3] //= self.lot
        return ordered(rows)

    def line(
        self, grid_ns: int = STEP_NS, sim: Mapping[str, object] = MappingProxyType({})
    ) -> RecordedLine:
        """Return a fresh line with the whole session on it, 5 ms each way."""
        spec = LineSpec(
            instruments=(self.instrument,),
            sleeves=("none",),
            features=(),
            series=(),
            quote=self.instrument.settle,
            grid_ns=grid_ns,
            start=self.tape.start,
            end=self.tape.end,
            sim={"entry_latency_ns": LATENCY_NS, "response_latency_ns": LATENCY_NS, **sim},
            leverage=10,
            sample_ns=60_000 * MS_NS,
        )
        line = RecordedLine(spec, [Deposit(0, Wallet.MARGIN, Decimal(100_000))])
        self.tape.put(line, 0)
        line.read_ahead()
        return line


def _in_force(dated: Dated[Decimal] | None, ts: int, exp: int) -> int:
    if dated is None:
        raise TypeError("the rules give the instrument no increment")
    return int(dated.at(ts)[0] * 10**exp)


def ordered(rows: Rows) -> Rows:
    """Sort fills by time, then order: at one time engines may fill in any order."""
    return rows[np.lexsort((rows[:, 0], rows[:, 1]))]


def same(ours: Rows, theirs: Rows) -> None:
    """Demand that both sides have the same fills.

    Raises
    ------
    RuntimeError
        They have not; names the first that differs.
    """
    if ours.shape == theirs.shape and (ours == theirs).all():
        return
    both = min(len(ours), len(theirs))
    odd = int((ours[:both] != theirs[:both]).any(axis=1).argmax()) if both else 0
    text = f"{len(ours)} fills, the peer had {len(theirs)}; the first that differs: "
    raise RuntimeError(text + f"{ours[odd : odd + 1].tolist()}, {theirs[odd : odd + 1].tolist()}")


def concatenated(parts: Iterable[Mapping[str, NDArray[Any]]]) -> dict[str, NDArray[Any]]:
    """Return the parts of a stream as one."""
    held = list(parts)
    return {name: np.concatenate([part[name] for part in held]) for name in held[0]}


def generated(folder: Path) -> Recording:
    """Write ten million events of the generated market into a folder and import them."""
    written = write_frames(
        folder,
        load_parameters(),
        length_ns=GENERATED_NS,
        seed=GENERATED_SEED,
        with_quotes=False,
    )
    return imported(folder, written.files, KEY, "generated")


def recording(folder: Path, capture: str = CAPTURE, key: str = KEY) -> Recording | None:
    """Import a capture of ``CQ_DATA`` into a folder; ``None``, and a line, without it.

    Spot is traded as a contract on the same book: the peer's accounts may hold less than
    nothing, ours may not.
    """
    path = Path(os.environ.get("CQ_DATA", "")) / capture
    if not path.is_file():
        print(f"skipped: CQ_DATA holds no {capture}")
        return None
    return imported(folder, [path], key, path.name).bare()


def imported(folder: Path, files: Sequence[Path], key: str, name: str) -> Recording:
    """Import files into a folder, and return the one session that is in them."""
    known = load_instruments()
    catalog = Catalog(folder / "catalog")
    import_files(catalog, files, Facts(), known)
    catalog = Catalog(folder / "catalog")
    to_npz(catalog, "delta", key, folder / "events.npz", None, None)
    reader = TickReader(catalog, known[key])
    tape = reader.read(reader.sessions()[0])
    if not isinstance(tape, TickTape):
        raise TypeError(tape.reason)
    loaded = {kind: list(tape.streams[kind]) for kind in (*KEPT, "mark") if kind in tape.streams}
    tape = replace(tape, streams=loaded)
    instrument = reader.instrument
    if instrument.contract == "spot":
        instrument = replace(instrument, contract="linear")
    return Recording(name, instrument, tape, folder / "events.npz")


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
    if process.stdin is None:
        raise RuntimeError("the peer has no pipes")
    process.stdin.write(line + "\n")
    process.stdin.flush()
    return hear(process)


def hear(process: subprocess.Popen[str]) -> str:
    """Return the next line that a peer says."""
    if process.stdout is None:
        raise RuntimeError("the peer has no pipes")
    answer = process.stdout.readline()
    if not answer:
        raise RuntimeError(f"the peer ended: {process.args!r}")
    return answer
