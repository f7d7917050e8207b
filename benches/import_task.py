"""Import one tick file into a new catalog, and print what it took."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa

from crypto_quant.data_pipeline.collectors.facts import Facts
from crypto_quant.data_pipeline.collectors.importer import import_files
from crypto_quant.data_pipeline.storage import Catalog
from crypto_quant.venues.rules import load_instruments


def peak_mb() -> float:
    """Return the most memory this process has held; ``ru_maxrss`` would count its parent's."""
    status = Path("/proc/self/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


def main(path: Path) -> None:
    """Time from file to validated rows in the catalog; starting Python is not in it.

    Nor is the import of pandas, which pyarrow looks for once a process.
    """
    instruments = load_instruments()
    pa.array(np.zeros(1)).to_numpy()
    given = Facts(venue="BINANCE", symbol="BTCUSDT-PERP", dataset="bench")
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        begin, used = time.perf_counter(), time.process_time()
        report = import_files(Catalog(Path(folder) / "catalog"), [path], given, instruments)
        seconds, cpu = time.perf_counter() - begin, time.process_time() - used
    peak = peak_mb()
    rows = sum(part.rows for part in report.parts)
    print(json.dumps({"seconds": seconds, "cpu": cpu, "peak_mb": peak, "rows": rows}))


if __name__ == "__main__":
    main(Path(sys.argv[2]))
