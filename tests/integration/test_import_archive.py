"""Files of Binance's archive through ``cq data import``."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import pytest

from crypto_quant.data_pipeline.storage.flags import SYNTHETIC_RECV
from tests.integration.importing import Cq
from tests.integration.layouts import (
    HEADER,
    HOUR,
    KLINE,
    PERP,
    T0,
    D,
    csv_text,
    imported,
    kline,
)


@pytest.mark.parametrize("unit", [10**6, 10**3], ids=["ms", "us"])
@pytest.mark.parametrize("header", ["", HEADER], ids=["bare", "header"])
@pytest.mark.parametrize("container", ["csv", "zip", "gz"])
def test_archive_candles_need_only_to_be_told_the_market(
    cq: Cq, tmp_path: Path, unit: int, header: str, container: str
) -> None:
    text = header + csv_text([kline(T0, unit), kline(T0 + HOUR, unit)])
    path = tmp_path / f"any.{container}"
    if container == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("BTCUSDT-1h-2024-03.csv", text)
    else:
        path.write_bytes(gzip.compress(text.encode()) if container == "gz" else text.encode())
    imported(cq, path, f"{PERP},kind=bar")
    first, second = cq.rows("bar", "BTCUSDT-PERP.BINANCE/1h")
    assert (first["ts_event"], second["ts_event"]) == (T0, T0 + HOUR)
    assert first["volume"] == D("10.5")
    assert first["quote_volume"] == D("641000.5")
    assert (first["count"], first["taker_buy"]) == (42, D("5.25"))


def test_archive_tree_says_market_and_kind(cq: Cq, tmp_path: Path) -> None:
    """Mark candles keep no volume; coin-margined volume is contracts."""
    files = {
        "futures/um/monthly/markPriceKlines/BTCUSDT/1h/BTCUSDT-1h-2024-03.csv": KLINE,
        "futures/um/monthly/premiumIndexKlines/BTCUSDT/1h/BTCUSDT-1h-2024-03.csv": [
            *("-0.00012345", "0.0001", "-0.0002", "0", "0", "0", "12", "0", "0", "0")
        ],
        "futures/cm/monthly/klines/BTCUSD_PERP/1h/BTCUSD_PERP-1h-2024-03.csv": [
            *("61000.1", "61200", "60900", "61100.5", "700", "1.15", "42", "300", "0.5", "0")
        ],
        "spot/monthly/klines/BTCUSDT/1h/BTCUSDT-1h-2024-03.csv": ["61000", *KLINE[1:]],
    }
    for name, cells in files.items():
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True)
        path.write_text(csv_text([kline(T0, 10**6, cells)]))
    assert cq("data", "import", tmp_path / "data").code == 0
    (mark,) = cq.rows("mark_bar", "BTCUSDT-PERP.BINANCE/1h")
    assert (mark["close"], mark["volume"], mark["count"]) == (D("61100.5"), None, None)
    (premium,) = cq.rows("premium_bar", "BTCUSDT-PERP.BINANCE/1h")
    assert premium["open"] == D("-0.00012345")
    (coin,) = cq.rows("bar", "BTCUSD-PERP.BINANCE/1h")
    assert (coin["volume"], coin["quote_volume"], coin["taker_buy"]) == (D(700), D("1.15"), D(300))
    (spot,) = cq.rows("bar", "BTCUSDT.BINANCE/1h")
    assert spot["volume"] == D("10.5")


def test_archive_candles_of_unknown_instrument_show_their_unit_or_ask(
    cq: Cq, tmp_path: Path
) -> None:
    path = tmp_path / "x.csv"
    path.write_text(csv_text([kline(T0, 10**6)]))
    imported(cq, path, "venue=BINANCE,symbol=NEWUSDT-PERP,kind=bar")
    assert cq.rows("bar", "NEWUSDT-PERP.BINANCE/1h")[0]["volume"] == D("10.5")
    path.write_text(csv_text([kline(T0, 10**6, [*KLINE[:4], "700", "1.15", *KLINE[6:]])]))
    asked = cq("data", "import", path, "--as", "venue=BINANCE,symbol=NEWUSD-PERP,kind=bar")
    assert asked.code == 2
    assert "the unit of volume does not show; give volume" in asked.err


def test_funding_of_the_archive_carries_its_interval(cq: Cq, tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    rows: list[list[object]] = [
        ["calc_time", "funding_interval_hours", "last_funding_rate"],
        [T0 // 10**6 + 7, 8, "0.00010000"],
        [T0 // 10**6 + 8 * 3_600_000, 4, "-0.00031415"],
    ]
    path.write_text(csv_text(rows))
    imported(cq, path, PERP)
    first, second = cq.rows("funding", "BTCUSDT-PERP.BINANCE")
    assert first == {
        "ts_event": T0 + 7 * 10**6,
        "ts_recv": T0 + 7 * 10**6,
        "rate": D("0.0001"),
        "interval_h": 8,
        "flags": SYNTHETIC_RECV,
    }
    assert (second["rate"], second["interval_h"]) == (D("-0.00031415"), 4)


def test_metrics_and_depth_bands_of_the_archive(cq: Cq, tmp_path: Path) -> None:
    metrics = tmp_path / "m.csv"
    metrics.write_text(
        "create_time,symbol,sum_open_interest,sum_open_interest_value,"
        "count_toptrader_long_short_ratio,sum_toptrader_long_short_ratio,"
        "count_long_short_ratio,sum_taker_long_short_vol_ratio\n"
        "2024-03-01 00:05:00,BTCUSDT,80000.5,4880000000.25,1.5,1.25,,0.75\n"
    )
    imported(cq, metrics, PERP)
    (row,) = cq.rows("metrics", "BTCUSDT-PERP.BINANCE/5m")
    assert row["ts_recv"] == T0 + 600 * 10**9
    assert (row["sum_open_interest"], row["count_long_short_ratio"]) == (80000.5, None)
    depth = tmp_path / "d.csv"
    depth.write_text(
        "timestamp,percentage,depth,notional\n"
        "2024-03-01 00:00:08,-5,7441.375,442000111.23\n"
        "2024-03-01 00:00:08,0.20,12,732000.5\n"
    )
    imported(cq, depth, PERP)
    low, high = cq.rows("depth_band", "BTCUSDT-PERP.BINANCE")
    assert (low["band_bps"], low["depth"], low["notional"]) == (
        -500,
        D("7441.375"),
        D("442000111.23"),
    )
    assert (high["band_bps"], high["notional"]) == (20, D("732000.5"))
