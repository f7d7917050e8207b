"""Layouts of other tools through ``cq data import``, with values that can be checked by eye."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.feather

from tests.integration.importing import Cq
from tests.integration.layouts import (
    HOUR,
    T0,
    D,
    csv_text,
    imported,
    ns,
)


def test_funding_newest_first_in_percent_with_words_for_hours(cq: Cq, tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    rows = [
        ["Time(UTC)", "Symbol", "Interval", "Funding Rate"],
        ["2024-03-01 08:00", "BTCUSDT", "every 8 hours", "0.02"],
        ["2024-03-01 00:00", "BTCUSDT", "every 8 hours", "-0.01"],
    ]
    path.write_text(csv_text(rows))
    imported(cq, path, "venue=BYBIT,symbol=BTCUSDT-PERP,rate=percent")
    found = cq.rows("funding", "BTCUSDT-PERP.BYBIT")
    assert [row["rate"] for row in found] == [D("-0.0001"), D("0.0002")]
    assert [row["interval_h"] for row in found] == [8, 8]


def test_freqtrade_feathers_are_known_by_their_tree(cq: Cq, tmp_path: Path) -> None:
    folder = tmp_path / "user_data" / "data" / "binance" / "futures"
    folder.mkdir(parents=True)
    stamps = pa.array([T0, T0 + 8 * HOUR]).cast(pa.timestamp("ns", "UTC"))

    def write(name: str, opens: list[float], others: list[float]) -> None:
        rest = {column: others for column in ("high", "low", "close", "volume")}
        table = pa.table({"date": stamps, "open": opens, **rest})
        pyarrow.feather.write_feather(table, folder / name, compression="lz4")

    write("BTC_USDT_USDT-8h-futures.feather", [61000.0, 61001.0], [61000.0, 61001.0])
    write("BTC_USDT_USDT-8h-mark.feather", [61000.5, 61001.5], [61000.5, 61001.5])
    write("BTC_USDT_USDT-8h-funding_rate.feather", [0.0001, -0.00025], [0.0, 0.0])
    assert cq("data", "import", tmp_path / "user_data").code == 0
    assert [row["open"] for row in cq.rows("bar", "BTCUSDT-PERP.BINANCE/8h")] == [61000, 61001]
    assert cq.rows("mark_bar", "BTCUSDT-PERP.BINANCE/8h")[1]["close"] == D("61001.5")
    assert [row["rate"] for row in cq.rows("funding", "BTCUSDT-PERP.BINANCE")] == [
        D("0.0001"),
        D("-0.00025"),
    ]


def test_series_are_known_when_their_period_is_over_and_published(cq: Cq, tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    rows = [
        ["Date", "asset", "value", "words", "hollow"],
        ["2/1/2024", "btc", "1.5", "x", ""],
        ["2024-02-02", "btc", "NaN", "y", ""],
        ["2024-02-03", "btc", "", "z", "3"],
    ]
    path.write_text(csv_text(rows))
    said = "kind=series,dataset=my_thing,interval=1d,available_after=12h,dates=mdy"
    refused = cq("data", "import", path, "--as", said)
    assert refused.code == 2
    assert "column 'words' holds text; leave it out with drop=words" in refused.err
    part = imported(cq, path, f"{said},drop=words")
    day = ns(2024, 2, 1)
    assert cq.rows("series", "my_thing") == [
        {"ts_event": day, "ts_recv": day + 36 * HOUR, "value": 1.5, "hollow": None},
        {
            "ts_event": day + 48 * HOUR,
            "ts_recv": day + 84 * HOUR,
            "value": None,
            "hollow": 3.0,
        },
    ]
    assert part["findings"] == {"empty_rows_left_out": 1}
    assert part["recv"] == "end of period + 12h"


def test_lean_trades_and_quotes_of_a_day(cq: Cq, tmp_path: Path) -> None:
    def write(name: str, inside: str, lines: list[str]) -> Path:
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr(inside, "\n".join(lines))
        return tmp_path / name

    trades = write(
        "a.zip", "20240301_btcusdt_minute_trade_perp.csv", ["0,1.5,2,1,1.5,9", "60000,2,2,2,2,8"]
    )
    quotes = write(
        "b.zip", "no_date.csv", ["0,1,1,1,1,5,1.5,1.5,1.5,1.5,6", "120000,,,,,,1.5,1.5,1.5,1.5,7"]
    )
    said = "venue=BYBIT,symbol=BTCUSDT-PERP,volume=base"
    imported(cq, trades, said)
    first, second = cq.rows("bar", "BTCUSDT-PERP.BYBIT/1m")
    assert (first["ts_event"], second["ts_event"]) == (T0, T0 + 60 * 10**9)
    assert (first["open"], first["volume"]) == (D("1.5"), D(9))
    asked = cq("data", "import", quotes, "--as", said)
    assert asked.code == 2
    assert 'give date, for instance --as "date=' in asked.err
    imported(cq, quotes, f"{said},date=2024-03-01,interval=1m")
    first, second = cq.rows("quote_bar", "BTCUSDT-PERP.BYBIT/1m")
    assert (first["bid_close"], first["ask_qty"]) == (D(1), D(6))
    assert (second["bid_close"], second["bid_qty"], second["ask_close"]) == (None, None, D("1.5"))


def test_example_for_an_unsaid_tardis_kind_is_accepted(cq: Cq, tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text(
        "exchange,symbol,timestamp,local_timestamp,id,side,price,amount\n"
        "binance-futures,BTCUSDT,1709251200000000,1709251200001000,1,buy,61000.1,0.5\n"
    )
    asked = cq("data", "import", path)
    assert asked.code == 2
    imported(cq, path, asked.err.split('"')[1])
    (row,) = cq.rows("trade", "BTCUSDT-PERP.BINANCE")
    assert (row["ts_event"], row["px"]) == (T0, D("61000.1"))
