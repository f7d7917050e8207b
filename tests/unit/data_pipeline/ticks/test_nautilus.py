"""Nautilus Parquet: fixed-point columns of both widths, exactly."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from crypto_quant.core.errors import DataError
from crypto_quant.data_pipeline.collectors.ticks import nautilus
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
    table = pa.table({"ts_event": times, "ts_init": known, **columns})
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
    second = 10**9
    batches = read(path, interval="1s", stamp="close")
    made = rows(batches, "bar")
    assert (made["ts_event"], made["ts_recv"]) == ([T - second], [T + 500])
    assert (batches[0].key, batches[0].interval) == ("BTCUSDT-PERP.BINANCE/1s", second)
    made = rows(read(path, interval="1s", stamp="open"), "bar")
    assert (made["ts_event"], made["ts_recv"]) == ([T], [T + second])


def _trade(**other: pa.Array) -> dict[str, pa.Array]:
    return {
        "price": fixed(["1", "2", "3"], 16),
        "size": fixed(["1", "1", "1"], 16),
        "aggressor_side": pa.array([1, 2, 0], pa.uint8()),
        "trade_id": pa.array(["1", "2", "3"]),
        **other,
    }


def _delta(**other: pa.Array) -> dict[str, pa.Array]:
    return {
        "action": pa.array([4, 1, 3], pa.uint8()),
        "side": pa.array([0, 1, 2], pa.uint8()),
        "price": fixed(["0", "1", "2"], 16),
        "size": fixed(["0", "1", "0"], 16),
        "flags": pa.array([32, 160, 128], pa.uint8()),
        **other,
    }


def _gap(values: pa.Array) -> pa.Array:
    """Return the values without the third, whose bytes stay where they were."""
    mask = pa.array([False, False, True])
    return pc.if_else(mask, pa.nulls(3, values.type), values)


_TIMES = pa.array([T, 7, T], pa.uint64())
_LATE = pa.array([T, T, 2**63 + 5], pa.uint64())
_UNSIGNED = pa.array([10**9, 2**63 + 10**9, 10**9], pa.uint64())
BAD: dict[str, tuple[dict[str, pa.Array], str]] = {
    "price missing": (_trade(price=_gap(_trade()["price"])), "price: row 2 has no value"),
    "size missing": (_trade(size=_gap(_trade()["size"])), "size: row 2 has no value"),
    "side missing": (
        _trade(aggressor_side=pa.array([1, None, 2], pa.uint8())),
        "aggressor_side: row 1 has no value",
    ),
    "id missing": (_trade(trade_id=pa.array(["1", None, "3"])), "trade_id: row 1 has no value"),
    "time missing": (
        _trade(ts_event=pa.array([T, None, T], pa.uint64())),
        "ts_event: row 1 has no value",
    ),
    "side of a trade": (
        _trade(aggressor_side=pa.array([1, 7, 2], pa.uint8())),
        "aggressor_side: row 1: expected 0, 1 or 2, was 7",
    ),
    "negative side": (
        _trade(aggressor_side=pa.array([1, -1, 2], pa.int8())),
        "aggressor_side: row 1: expected 0, 1 or 2, was -1",
    ),
    "time in 1970": (_trade(ts_init=_TIMES), "ts_init: row 1: expected ns of 2001 to 2128, was 7"),
    "time beyond 2128": (
        _trade(ts_event=_LATE),
        f"ts_event: row 2: expected ns of 2001 to 2128, was {2**63 + 5}",
    ),
    "times in floats": (
        _trade(ts_event=pa.array([float(T)] * 3)),
        "ts_event: expected whole numbers, found double",
    ),
    "price in floats": (
        _trade(price=pa.array([1.0, 2.0, 3.0])),
        "price: expected fixed-point numbers of 8 or 16 bytes, found double",
    ),
    "price of 4 bytes": (
        _trade(price=pa.array([b"1234"] * 3, pa.binary(4))),
        "price: expected fixed-point numbers of 8 or 16 bytes, found fixed_size_binary[4]",
    ),
    "price of any length": (
        _trade(price=pa.array([b"1"] * 3)),
        "price: expected fixed-point numbers of 8 or 16 bytes, found binary",
    ),
    "negative size": (
        _trade(size=fixed(["1", "-1", "1"], 16)),
        "size: row 1: expected a size of 0 or more, was -1.",
    ),
    "size beyond 64 bits": (_trade(size=_UNSIGNED), "size: row 1: expected a size of 0 or more"),
    "price beyond 64 bits": (
        _trade(price=fixed(["1", f"{10**17}", "1"], 16)),
        "price: row 1: expected 64 bits, was 100000000000000000.",
    ),
    "no action": (
        _delta(action=pa.array([4, 0, 3], pa.uint8())),
        "action: row 1: expected 1 to 4, was 0",
    ),
    "side of a book": (
        _delta(side=pa.array([0, 3, 2], pa.uint8())),
        "side: row 1: expected 1 or 2, was 3",
    ),
    "no side of a book": (
        _delta(side=pa.array([0, 1, 0], pa.uint8())),
        "side: row 2: expected 1 or 2, was 0",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_what_no_catalog_holds_is_refused_with_file_column_and_row(
    read: Reader, tmp_path: Path, case: str
) -> None:
    columns, message = BAD[case]
    with pytest.raises(DataError, match=re.escape(f"bad.parquet: {message}")):
        read(write(tmp_path / "bad.parquet", columns))


def test_rows_are_counted_through_the_whole_file(
    read: Reader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nautilus, "_ROWS", 2)
    columns = _trade(aggressor_side=pa.array([1, 1, 9], pa.uint8()))
    with pytest.raises(DataError, match="aggressor_side: row 2: "):
        read(write(tmp_path / "t.parquet", columns))


@pytest.mark.parametrize("precision", [-1, 17, 40])
def test_a_precision_that_no_column_has_is_refused(
    read: Reader, tmp_path: Path, precision: int
) -> None:
    message = f"price_precision in its metadata: expected 0 to 16, was {precision}"
    with pytest.raises(DataError, match=message):
        read(write(tmp_path / "t.parquet", _trade(), price=precision))


def test_a_file_without_rows_is_refused(read: Reader, tmp_path: Path) -> None:
    empty = {name: values.slice(0, 0) for name, values in _trade().items()}
    with pytest.raises(DataError, match="the file has no rows"):
        read(write(tmp_path / "t.parquet", empty))


def test_values_finer_than_their_declared_precision_are_refused(
    read: Reader, tmp_path: Path
) -> None:
    cells = {name: fixed(["5.123"], 16) for name in ("open", "high", "low", "close", "volume")}
    with pytest.raises(DataError, match="more than the 2 decimals"):
        read(write(tmp_path / "b.parquet", cells), interval="1h", stamp="open")
