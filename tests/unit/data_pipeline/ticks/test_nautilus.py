"""Nautilus Parquet: fixed-point columns of both widths, exactly."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from crypto_quant.core.errors import DataError
from crypto_quant.data_pipeline.storage.flags import LAST, SNAPSHOT

from .conftest import Reader, rows

T = 1_723_161_256_000_000_000
WIDTHS = {8: 9, 16: 16}


def fixed(values: Sequence[str], width: int) -> pa.Array:
    raw = [int(Decimal(v).scaleb(WIDTHS[width])) for v in values]
    cells = [v.to_bytes(width, "little", signed=True) for v in raw]
    return pa.array(cells, pa.binary(width))


def write(path: Path, columns: dict[str, pa.Array], price: int = 2, size: int = 3) -> Path:
    n = len(next(iter(columns.values())))
    times = pa.array([T + k for k in range(n)], pa.uint64())
    known = pa.array([T + k + 500 for k in range(n)], pa.uint64())
    metadata = {"price_precision": str(price), "size_precision": str(size)}
    table = pa.table({**columns, "ts_event": times, "ts_init": known})
    pq.write_table(table.replace_schema_metadata(metadata), path)
    return path


@pytest.mark.parametrize("width", [8, 16])
def test_trades_are_exact_in_both_widths(read: Reader, tmp_path: Path, width: int) -> None:
    prices = ["61800.25", "0.01", "999999.99"]
    columns = {
        "price": fixed(prices, width),
        "size": fixed(["0.001", "12345.678", "1"], width),
        "aggressor_side": pa.array([1, 2, 0], pa.uint8()),
        "trade_id": pa.array(["7", "8", "9"]),
    }
    batches = read(write(tmp_path / "t.parquet", columns))
    made = rows(batches, "trade")
    assert made["px"] == [6_180_025, 1, 99_999_999]
    assert made["qty"] == [1, 12_345_678, 1_000]
    assert (made["side"], made["id"]) == ([1, -1, 0], [7, 8, 9])
    assert (made["ts_event"][2], made["ts_recv"][2]) == (T + 2, T + 502)
    assert batches[0].exps.price == 2


def test_quotes_and_ids_that_are_no_numbers(read: Reader, tmp_path: Path) -> None:
    quote = {
        "bid_price": fixed(["1.5"], 16),
        "ask_price": fixed(["1.75"], 16),
        "bid_size": fixed(["2"], 16),
        "ask_size": fixed(["0.125"], 16),
    }
    made = rows(read(write(tmp_path / "q.parquet", quote)), "quote")
    assert (made["bid"], made["ask"], made["ask_qty"]) == ([150], [175], [125])
    trade = {
        "price": fixed(["1", "1"], 8),
        "size": fixed(["1", "1"], 8),
        "aggressor_side": pa.array([1, 1], pa.uint8()),
        "trade_id": pa.array(["a", "b"]),
    }
    assert rows(read(write(tmp_path / "t.parquet", trade)), "trade")["id"] == [1, 2]


def test_a_book_is_cleared_loaded_and_changed(read: Reader, tmp_path: Path) -> None:
    add, update, delete, clear = 1, 2, 3, 4
    columns = {
        "action": pa.array([clear, add, add, update, delete, clear], pa.uint8()),
        "side": pa.array([0, 1, 2, 1, 2, 0], pa.uint8()),
        "price": fixed(["0", "10.1", "10.2", "10.1", "10.2", "0"], 16),
        "size": fixed(["0", "1", "2", "5", "2", "0"], 16),
        "order_id": pa.array([0] * 6, pa.uint64()),
        "flags": pa.array([32, 32, 32 | 128, 128, 128, 0], pa.uint8()),
        "sequence": pa.array([0] * 6, pa.uint64()),
    }
    made = rows(read(write(tmp_path / "d.parquet", columns)), "delta")
    assert made["side"] == [1, -1, 1, -1, 0]
    assert made["qty"] == [1_000, 2_000, 5_000, 0, 0]
    assert made["flags"] == [SNAPSHOT, SNAPSHOT | LAST, LAST, LAST, SNAPSHOT | LAST]


def test_bars_are_stamped_with_their_open_and_known_at_their_end(
    read: Reader, tmp_path: Path
) -> None:
    cells = {name: fixed(["5"], 8) for name in ("open", "high", "low", "close", "volume")}
    path = write(tmp_path / "b.parquet", cells)
    hour = 3_600 * 10**9
    batches = read(path, interval="1h", stamp="close")
    made = rows(batches, "bar")
    assert (made["ts_event"], made["ts_recv"]) == ([T - hour], [T + 500])
    assert (batches[0].key, batches[0].interval) == ("BTCUSDT-PERP.BINANCE/1h", hour)
    made = rows(read(path, interval="1h", stamp="open"), "bar")
    assert (made["ts_event"], made["ts_recv"]) == ([T], [T + hour])


def test_values_finer_than_their_declared_precision_are_refused(
    read: Reader, tmp_path: Path
) -> None:
    cells = {name: fixed(["5.123"], 16) for name in ("open", "high", "low", "close", "volume")}
    with pytest.raises(DataError, match="more than the 2 decimals"):
        read(write(tmp_path / "b.parquet", cells), interval="1h", stamp="open")
