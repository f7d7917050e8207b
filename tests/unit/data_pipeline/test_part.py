"""One part: what the file is depends on its rows alone."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from crypto_quant.data_pipeline.storage import KINDS, Batch, Exps
from crypto_quant.data_pipeline.storage.part import PartWriter

ROWS = 300_001
SCHEMA = KINDS["trade"].schema()


def _trades(last_qty: int = 7) -> pa.RecordBatch:
    rng = np.random.default_rng(5)
    times = np.cumsum(rng.integers(0, 10**7, ROWS))
    px = 600_000 + np.cumsum(rng.integers(-3, 4, ROWS))
    qty = np.append(rng.integers(1, 900, ROWS - 1), last_qty)
    side = rng.choice([-1, 1], ROWS)
    columns = (times, times, np.arange(ROWS), px, qty, side, np.zeros(ROWS))
    arrays = [pa.array(c).cast(f.type) for c, f in zip(columns, SCHEMA, strict=True)]
    return pa.record_batch(arrays, schema=SCHEMA)


def _written(path: Path, rows: pa.RecordBatch, cuts: Sequence[int], finer: int = 0) -> bytes:
    """Write rows cut at ``cuts``; the last piece is on a grid with ``finer`` more decimals."""
    writer = PartWriter("trade", "BTCUSDT-PERP.BINANCE", path)
    for start, end in pairwise([0, *cuts, ROWS]):
        is_last = end == ROWS
        recv = "recorded; clock=box" + "; least_latency_ns=5" * is_last
        exps = Exps(price=1, qty=3 + finer * is_last)
        piece = rows.slice(start, end - start)
        writer.append(Batch("trade", writer.key, piece, exps, recv))
    writer.close()
    return path.read_bytes()


@pytest.mark.parametrize(
    "cuts",
    [range(2_000, ROWS, 2_000), range(140_000, ROWS, 140_000), [131_072, 262_144], [ROWS - 1]],
)
def test_the_same_rows_are_the_same_bytes_however_they_came(
    tmp_path: Path, cuts: Sequence[int]
) -> None:
    rows = _trades()
    whole = _written(tmp_path / "whole", rows, [])
    assert _written(tmp_path / "cut", rows, cuts) == whole


def test_rows_that_need_a_finer_grid_late_are_the_same_bytes_too(tmp_path: Path) -> None:
    late = _written(tmp_path / "late", _trades(), [ROWS - 1], finer=2)
    coarse = _trades().to_pydict()
    at_once = [qty * 100 for qty in coarse["qty"][:-1]] + [7]
    rows = pa.record_batch({**coarse, "qty": at_once}, schema=SCHEMA)
    assert late == _written(tmp_path / "once", rows, [], finer=2)


def test_row_groups_are_full_and_the_file_says_how_its_stamps_were_made(tmp_path: Path) -> None:
    _written(tmp_path / "part", _trades(), range(1_999, ROWS, 1_999))
    with pq.ParquetFile(tmp_path / "part") as file:
        groups = [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)]
        recv = file.metadata.metadata[b"ts_recv_method"]
        assert file.read().equals(pa.Table.from_batches([_trades()]))
    assert groups == [131_072, 131_072, ROWS - 2 * 131_072]
    assert recv == b"recorded; clock=box; least_latency_ns=5"
