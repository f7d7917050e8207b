"""Replay a catalog of recorded books while it is read, and print what it took."""

from __future__ import annotations

import json
import sys
import time
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa

from benches.import_task import peak_mb
from benches.session import KEPT, KEY, LATENCY_NS, STEP_NS
from crypto_quant.core.messages import Wallet
from crypto_quant.data_pipeline.storage import Catalog
from crypto_quant.runtime.line import RecordedLine
from crypto_quant.runtime.line_spec import Deposit, LineSpec
from crypto_quant.runtime.ticks import TickReader, TickTape
from crypto_quant.venues.rules import load_instruments


def main(root: Path) -> None:
    """Replay the one session of a catalog without orders; time is the CPU's, of all threads.

    The import of pandas, which pyarrow looks for once a process, is not in it.
    """
    pa.array(np.zeros(1)).to_numpy()
    reader = TickReader(Catalog(root), load_instruments()[KEY])
    begun = time.process_time()
    (session,) = reader.sessions()
    tape = reader.read(session)
    if not isinstance(tape, TickTape):
        raise TypeError(tape.reason)
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
    )
    line = RecordedLine(spec, [Deposit(0, Wallet.MARGIN, Decimal(100_000))])
    tape.put(line, 0)
    native, wakes, read = line.native, 0, 0
    while line.next():
        touch = native.top(0)
        if touch is not None:
            read += touch[0] + touch[2]
        wakes += 1
    seconds = time.process_time() - begun
    rows = sum(tape.rows[kind] for kind in KEPT)
    print(json.dumps({"seconds": seconds, "peak_mb": peak_mb(), "wakes": wakes, "rows": rows}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
