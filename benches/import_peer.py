"""The same files through other converters; runs in the peers' interpreter, imports none of ours."""

from __future__ import annotations

import json
import sys
import tempfile
import time
import zipfile
from pathlib import Path


def hftbacktest(path: Path, out: Path) -> int:
    """Convert a capture to npz with hftbacktest's own converter."""
    from hftbacktest.data.utils import binancefutures  # type: ignore[import-not-found]  # peer only

    events = binancefutures.convert(
        str(path), str(out / "out.npz"), combined_stream=True, buffer_size=20_000_000
    )
    return len(events)


def polars(path: Path, out: Path) -> int:
    """Read the CSV in the zip and write Parquet."""
    import polars as pl  # type: ignore[import-not-found]  # peer only

    with zipfile.ZipFile(path) as box:
        table = pl.read_csv(box.read(box.namelist()[0]))
    table.write_parquet(out / "out.parquet", compression="zstd")
    return int(table.height)


def pyarrow(path: Path, out: Path) -> int:
    """Stream the CSV in the zip into Parquet."""
    import pyarrow.csv
    import pyarrow.parquet as pq

    rows = 0
    with zipfile.ZipFile(path) as box, box.open(box.namelist()[0]) as stream:
        reader = pyarrow.csv.open_csv(stream)
        with pq.ParquetWriter(out / "out.parquet", reader.schema, compression="zstd") as writer:
            for batch in reader:
                writer.write_batch(batch)
                rows += batch.num_rows
    return rows


def peak_mb() -> float:
    """Return the most memory this process has held; ``ru_maxrss`` would count its parent's."""
    status = Path("/proc/self/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


def main(peer: str, path: Path) -> None:
    """Time one conversion; starting Python and importing the peer is not in it."""
    __import__(peer)
    convert = {"hftbacktest": hftbacktest, "polars": polars, "pyarrow": pyarrow}[peer]
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        begin, used = time.perf_counter(), time.process_time()
        rows = convert(path, Path(folder))
        seconds, cpu = time.perf_counter() - begin, time.process_time() - used
    peak = peak_mb()
    print(json.dumps({"seconds": seconds, "cpu": cpu, "peak_mb": peak, "rows": rows}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
