"""Bars of any table through ``cq data import``, with values that can be checked by eye."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq

from crypto_quant.data_pipeline.storage.flags import SYNTHETIC_RECV
from tests.integration.importing import Cq
from tests.integration.layouts import (
    BARS,
    HOUR,
    PERP,
    T0,
    D,
    csv_text,
    imported,
)


def test_bars_of_csv_are_kept_to_the_digit(cq: Cq, tmp_path: Path) -> None:
    path = tmp_path / "x.dat"
    header = ["timestamp", "open", "high", "low", "close", "volume", "trades"]
    path.write_text(
        csv_text(
            [
                header,
                ["2024-03-01 00:00:00", "61000.1", "61200.25", "60900", "61100.5", "12.345", "7"],
                ["2024-03-01 01:00:00", "61100.50", "61100.5", "61100.5", "61100.5", "", ""],
            ]
        )
    )
    part = imported(cq, path, BARS)
    first, second = cq.rows("bar", "BTCUSDT-PERP.BINANCE/1h")
    assert first == {
        "ts_event": T0,
        "ts_recv": T0 + HOUR,
        "open": D("61000.1"),
        "high": D("61200.25"),
        "low": D("60900"),
        "close": D("61100.5"),
        "volume": D("12.345"),
        "quote_volume": None,
        "count": 7,
        "taker_buy": None,
        "flags": SYNTHETIC_RECV,
    }
    assert (second["open"], second["volume"], second["count"]) == (D("61100.5"), None, None)
    assert part["recv"] == "open + interval"
    assert part["exps"] == {"price": 2, "qty": 3, "quote": 0, "rate": 0}
    # 61200.25 is no multiple of 0.1
    assert part["findings"] == {"missing_volume_rows": 1, "off_tick_rows": 1}
    assert part["interval"] == HOUR


def test_bars_stamped_at_their_close_are_moved_to_their_open(cq: Cq, tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text(
        csv_text([["date", "Open", "High", "Low", "Close"], ["2024-03-01 01:00", *"1211"]])
    )
    imported(cq, path, f"{PERP},kind=bar,interval=1h,stamp=close")
    (row,) = cq.rows("bar", "BTCUSDT-PERP.BINANCE/1h")
    assert (row["ts_event"], row["ts_recv"], row["high"]) == (T0, T0 + HOUR, D(2))


def test_bars_newest_first_come_out_oldest_first(cq: Cq, tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    times = [(T0 + n * HOUR) // 10**9 for n in range(5)][::-1]
    prices = {name: [float(n) for n in range(5)] for name in ("open", "high", "low", "close")}
    pq.write_table(pa.table({"epoch": times, **prices, "volume": [0.1] * 5}), path)
    part = imported(cq, path, BARS)
    rows = cq.rows("bar", "BTCUSDT-PERP.BINANCE/1h")
    assert [row["ts_event"] for row in rows] == [T0 + n * HOUR for n in range(5)]
    assert [row["open"] for row in rows] == [D(n) for n in (4, 3, 2, 1, 0)]
    assert "out_of_order_rows" not in part["findings"]  # type: ignore[operator]


def test_bars_out_of_order_and_double_are_sorted_counted_and_kept(cq: Cq, tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    times = [(T0 + n * HOUR) // 10**6 for n in (0, 2, 1, 2)]
    prices = {name: [1.0, 2.0, 3.0, 4.0] for name in ("open", "high", "low", "close")}
    pq.write_table(pa.table({"open_time": times, **prices, "volume": [0.0] * 4}), path)
    part = imported(cq, path, BARS)
    assert part["findings"] == {"duplicate_times": 1, "out_of_order_rows": 1}
    rows = cq.rows("bar", "BTCUSDT-PERP.BINANCE/1h")
    assert [row["close"] for row in rows] == [D(1), D(3), D(2), D(4)]
