"""Every layout through ``cq data import``, with values that can be checked by eye."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

from crypto_quant.data_pipeline.storage import Catalog
from crypto_quant.data_pipeline.storage.flags import SYNTHETIC_RECV
from tests.integration.importing import Cq

D = Decimal
HOUR = 3_600 * 10**9
PERP = "venue=BINANCE,symbol=BTCUSDT-PERP"
BARS = f"{PERP},kind=bar,interval=1h,stamp=open,volume=base"


def _ns(*when: int) -> int:
    return int(datetime(*when, tzinfo=UTC).timestamp()) * 10**9  # type: ignore[misc, arg-type]


T0 = _ns(2024, 3, 1)


@pytest.fixture
def cq(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cq:
    return Cq(tmp_path / "catalog", monkeypatch, capsys)


def _text(rows: Sequence[Sequence[object]]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue()


def _import(cq: Cq, path: Path, said: str = "") -> dict[str, object]:
    """Import one file and return the manifest's entry of its first part."""
    done = cq("data", "import", path, "--json", *(["--as", said] if said else []))
    assert done.code == 0, done.err
    part: dict[str, object] = json.loads(done.out)["parts"][0]
    return part


def test_bars_of_csv_are_kept_to_the_digit(cq: Cq, tmp_path: Path) -> None:
    path = tmp_path / "x.dat"
    header = ["timestamp", "open", "high", "low", "close", "volume", "trades"]
    path.write_text(
        _text(
            [
                header,
                ["2024-03-01 00:00:00", "61000.1", "61200.25", "60900", "61100.5", "12.345", "7"],
                ["2024-03-01 01:00:00", "61100.50", "61100.5", "61100.5", "61100.5", "", ""],
            ]
        )
    )
    part = _import(cq, path, BARS)
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
        _text([["date", "Open", "High", "Low", "Close"], ["2024-03-01 01:00", *"1211"]])
    )
    _import(cq, path, f"{PERP},kind=bar,interval=1h,stamp=close")
    (row,) = cq.rows("bar", "BTCUSDT-PERP.BINANCE/1h")
    assert (row["ts_event"], row["ts_recv"], row["high"]) == (T0, T0 + HOUR, D(2))


def test_bars_newest_first_come_out_oldest_first(cq: Cq, tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    times = [(T0 + n * HOUR) // 10**9 for n in range(5)][::-1]
    prices = {name: [float(n) for n in range(5)] for name in ("open", "high", "low", "close")}
    pq.write_table(pa.table({"epoch": times, **prices, "volume": [0.1] * 5}), path)
    part = _import(cq, path, BARS)
    rows = cq.rows("bar", "BTCUSDT-PERP.BINANCE/1h")
    assert [row["ts_event"] for row in rows] == [T0 + n * HOUR for n in range(5)]
    assert [row["open"] for row in rows] == [D(n) for n in (4, 3, 2, 1, 0)]
    assert "out_of_order_rows" not in part["findings"]  # type: ignore[operator]


def test_bars_out_of_order_and_double_are_sorted_counted_and_kept(cq: Cq, tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    times = [(T0 + n * HOUR) // 10**6 for n in (0, 2, 1, 2)]
    prices = {name: [1.0, 2.0, 3.0, 4.0] for name in ("open", "high", "low", "close")}
    pq.write_table(pa.table({"open_time": times, **prices, "volume": [0.0] * 4}), path)
    part = _import(cq, path, BARS)
    assert part["findings"] == {"duplicate_times": 1, "out_of_order_rows": 1}
    rows = cq.rows("bar", "BTCUSDT-PERP.BINANCE/1h")
    assert [row["close"] for row in rows] == [D(1), D(3), D(2), D(4)]


@pytest.mark.parametrize(
    ("instrument", "unit", "volume", "turnover"),
    [
        ("venue=OKX,symbol=BTC-USDT-SWAP", "base", D("1234"), None),  # contracts of 0.01 BTC
        ("venue=OKX,symbol=BTC-USDT-SWAP", "contracts", D("12.34"), None),
        ("venue=FTX,symbol=BTC-PERP", "quote", None, D("12.34")),
        ("venue=BINANCE,symbol=BTCUSD-PERP", "quote", D("0.1234"), None),  # contracts of 100 USD
        ("venue=BINANCE,symbol=BTCUSD-PERP", "base", None, D("12.34")),
        ("venue=NOWHERE,symbol=DOGE", "base", D("12.34"), None),
    ],
)
def test_bars_hold_volume_in_the_unit_that_orders_have(
    cq: Cq, tmp_path: Path, instrument: str, unit: str, volume: D | None, turnover: D | None
) -> None:
    path = tmp_path / "x.parquet"
    prices = {name: [60000.0] for name in ("open", "high", "low", "close")}
    table = {"date": pa.array([T0], pa.timestamp("ns", "UTC")), **prices, "volume": [12.34]}
    pq.write_table(pa.table(table), path)
    part = _import(cq, path, f"{instrument},interval=1h,stamp=open,volume={unit}")
    (row,) = cq.rows("bar", str(part["key"]))
    assert (row["volume"], row["quote_volume"]) == (volume, turnover)


@pytest.mark.parametrize("volume", ["12", "12.5", "12.34"])
def test_coins_become_contracts_whatever_decimals_they_have(
    cq: Cq, tmp_path: Path, volume: str
) -> None:
    path = tmp_path / "x.csv"
    header = ["date", "open", "high", "low", "close", "volume"]
    path.write_text(_text([header, ["2024-03-01 00:00", *["60000"] * 4, volume]]))
    _import(cq, path, "venue=OKX,symbol=BTC-USDT-SWAP,interval=1h,stamp=open,volume=base")
    (row,) = cq.rows("bar", "BTC-USDT-SWAP.OKX/1h")
    assert row["volume"] == D(volume) * 100  # a contract is 0.01 BTC


def _vendor(path: Path, *names: str) -> Path:
    header = ["Date", "Symbol", "Open", "High", "Low", "Close", *names, "tradecount"]
    cells = ["2024-03-01 00:00:00", "", "60000", "60000", "60000", "60000"]
    volumes = ["12.5", "750000"][: len(names)]
    path.write_text(_text([header, [*cells, *volumes, "7"]]))
    return path


@pytest.mark.parametrize(
    ("instrument", "names", "said", "volume", "turnover"),
    [
        (PERP, ("Volume BTC", "Volume USDT"), "base", D("12.5"), D(750000)),
        (PERP, ("Volume BTC", "Volume USDT"), "", D("12.5"), D(750000)),
        (PERP, ("Volume USDT",), "", None, D("12.5")),
        (PERP, ("Volume_(XBT)", "Volume_(Currency)"), "base", D("12.5"), None),
        ("venue=OKX,symbol=BTC-USDT-SWAP", ("Volume BTC",), "", D(1250), None),  # of 0.01 BTC
        ("venue=KRAKEN,symbol=ADA-USD", ("Volume ADA", "Volume USD"), "", D("12.5"), D(750000)),
        # Contracts of 100 USD; their turnover is in coins.
        (
            "venue=BINANCE,symbol=BTCUSD-PERP",
            ("Volume BTC", "Volume USD"),
            "",
            D(7500),
            D("12.5"),
        ),
    ],
)
def test_volumes_named_after_a_coin_are_told_by_the_instrument(
    cq: Cq,
    tmp_path: Path,
    instrument: str,
    names: tuple[str, ...],
    said: str,
    volume: D | None,
    turnover: D | None,
) -> None:
    path = _vendor(tmp_path / "x.csv", *names)
    unit = f",volume={said}" if said else ""
    part = _import(cq, path, f"{instrument},interval=1h,stamp=open{unit}")
    (row,) = cq.rows("bar", str(part["key"]))
    assert (row["volume"], row["quote_volume"], row["count"]) == (volume, turnover, 7)


@pytest.mark.parametrize(
    ("names", "said", "words"),
    [
        (("Volume ETH", "Volume USDT"), "base", "Volume ETH, Volume USDT: not in the coins of"),
        (("Volume EUR",), "quote", "Volume EUR: not in the coins of symbol=BTCUSDT-PERP"),
        (("Volume USDT",), "base", "holds Volume USDT (quote), not volume=base; leave volume out"),
        (
            ("Volume BTC", "Volume USDT"),
            "contracts",
            "holds Volume BTC (base) and Volume USDT (quote), not volume=contracts",
        ),
        (
            ("Traded",),
            "base",
            "volume=base, but none of its columns is a volume "
            "(Date, Symbol, Open, High, Low, Close, Traded, tradecount)",
        ),
    ],
)
def test_volume_that_is_said_and_not_there_is_refused(
    cq: Cq, tmp_path: Path, names: tuple[str, ...], said: str, words: str
) -> None:
    path = _vendor(tmp_path / "x.csv", *names)
    said = f"{PERP},kind=bar,interval=1h,stamp=open,volume={said}"
    done = cq("data", "import", path, "--as", said)
    assert (done.code, done.out) == (2, "")
    assert words in done.err


_KLINE = ["61000.1", "61200", "60900", "61100.5", "10.5", "641000.5", "42", "5.25", "320000", "0"]


def _kline(ts: int, unit: int, cells: Sequence[str] = _KLINE, step: int = HOUR) -> list[object]:
    close = (ts + step) // unit - 1
    return [ts // unit, *cells[:5], close, *cells[5:]]


_HEADER = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,"
    "taker_buy_volume,taker_buy_quote_volume,ignore\n"
)


@pytest.mark.parametrize("unit", [10**6, 10**3], ids=["ms", "us"])
@pytest.mark.parametrize("header", ["", _HEADER], ids=["bare", "header"])
@pytest.mark.parametrize("container", ["csv", "zip", "gz"])
def test_archive_candles_need_only_to_be_told_the_market(
    cq: Cq, tmp_path: Path, unit: int, header: str, container: str
) -> None:
    text = header + _text([_kline(T0, unit), _kline(T0 + HOUR, unit)])
    path = tmp_path / f"any.{container}"
    if container == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("BTCUSDT-1h-2024-03.csv", text)
    else:
        path.write_bytes(gzip.compress(text.encode()) if container == "gz" else text.encode())
    _import(cq, path, f"{PERP},kind=bar")
    first, second = cq.rows("bar", "BTCUSDT-PERP.BINANCE/1h")
    assert (first["ts_event"], second["ts_event"]) == (T0, T0 + HOUR)
    assert first["volume"] == D("10.5")
    assert first["quote_volume"] == D("641000.5")
    assert (first["count"], first["taker_buy"]) == (42, D("5.25"))


def test_archive_tree_says_market_and_kind(cq: Cq, tmp_path: Path) -> None:
    """Mark candles keep no volume; coin-margined volume is contracts."""
    files = {
        "futures/um/monthly/markPriceKlines/BTCUSDT/1h/BTCUSDT-1h-2024-03.csv": _KLINE,
        "futures/um/monthly/premiumIndexKlines/BTCUSDT/1h/BTCUSDT-1h-2024-03.csv": [
            *("-0.00012345", "0.0001", "-0.0002", "0", "0", "0", "12", "0", "0", "0")
        ],
        "futures/cm/monthly/klines/BTCUSD_PERP/1h/BTCUSD_PERP-1h-2024-03.csv": [
            *("61000.1", "61200", "60900", "61100.5", "700", "1.15", "42", "300", "0.5", "0")
        ],
        "spot/monthly/klines/BTCUSDT/1h/BTCUSDT-1h-2024-03.csv": ["61000", *_KLINE[1:]],
    }
    for name, cells in files.items():
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True)
        path.write_text(_text([_kline(T0, 10**6, cells)]))
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
    path.write_text(_text([_kline(T0, 10**6)]))
    _import(cq, path, "venue=BINANCE,symbol=NEWUSDT-PERP,kind=bar")
    assert cq.rows("bar", "NEWUSDT-PERP.BINANCE/1h")[0]["volume"] == D("10.5")
    path.write_text(_text([_kline(T0, 10**6, [*_KLINE[:4], "700", "1.15", *_KLINE[6:]])]))
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
    path.write_text(_text(rows))
    _import(cq, path, PERP)
    first, second = cq.rows("funding", "BTCUSDT-PERP.BINANCE")
    assert first == {
        "ts_event": T0 + 7 * 10**6,
        "ts_recv": T0 + 7 * 10**6,
        "rate": D("0.0001"),
        "interval_h": 8,
        "flags": SYNTHETIC_RECV,
    }
    assert (second["rate"], second["interval_h"]) == (D("-0.00031415"), 4)


def test_funding_newest_first_in_percent_with_words_for_hours(cq: Cq, tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    rows = [
        ["Time(UTC)", "Symbol", "Interval", "Funding Rate"],
        ["2024-03-01 08:00", "BTCUSDT", "every 8 hours", "0.02"],
        ["2024-03-01 00:00", "BTCUSDT", "every 8 hours", "-0.01"],
    ]
    path.write_text(_text(rows))
    _import(cq, path, "venue=BYBIT,symbol=BTCUSDT-PERP,rate=percent")
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
    path.write_text(_text(rows))
    said = "kind=series,dataset=my_thing,interval=1d,available_after=12h,dates=mdy"
    refused = cq("data", "import", path, "--as", said)
    assert refused.code == 2
    assert "column 'words' holds text; leave it out with drop=words" in refused.err
    part = _import(cq, path, f"{said},drop=words")
    day = _ns(2024, 2, 1)
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
    _import(cq, trades, said)
    first, second = cq.rows("bar", "BTCUSDT-PERP.BYBIT/1m")
    assert (first["ts_event"], second["ts_event"]) == (T0, T0 + 60 * 10**9)
    assert (first["open"], first["volume"]) == (D("1.5"), D(9))
    asked = cq("data", "import", quotes, "--as", said)
    assert asked.code == 2
    assert 'give date, for instance --as "date=' in asked.err
    _import(cq, quotes, f"{said},date=2024-03-01,interval=1m")
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
    _import(cq, path, asked.err.split('"')[1])
    (row,) = cq.rows("trade", "BTCUSDT-PERP.BINANCE")
    assert (row["ts_event"], row["px"]) == (T0, D("61000.1"))


def test_metrics_and_depth_bands_of_the_archive(cq: Cq, tmp_path: Path) -> None:
    metrics = tmp_path / "m.csv"
    metrics.write_text(
        "create_time,symbol,sum_open_interest,sum_open_interest_value,"
        "count_toptrader_long_short_ratio,sum_toptrader_long_short_ratio,"
        "count_long_short_ratio,sum_taker_long_short_vol_ratio\n"
        "2024-03-01 00:05:00,BTCUSDT,80000.5,4880000000.25,1.5,1.25,,0.75\n"
    )
    _import(cq, metrics, PERP)
    (row,) = cq.rows("metrics", "BTCUSDT-PERP.BINANCE/5m")
    assert row["ts_recv"] == T0 + 600 * 10**9
    assert (row["sum_open_interest"], row["count_long_short_ratio"]) == (80000.5, None)
    depth = tmp_path / "d.csv"
    depth.write_text(
        "timestamp,percentage,depth,notional\n"
        "2024-03-01 00:00:08,-5,7441.375,442000111.23\n"
        "2024-03-01 00:00:08,0.20,12,732000.5\n"
    )
    _import(cq, depth, PERP)
    low, high = cq.rows("depth_band", "BTCUSDT-PERP.BINANCE")
    assert (low["band_bps"], low["depth"], low["notional"]) == (
        -500,
        D("7441.375"),
        D("442000111.23"),
    )
    assert (high["band_bps"], high["notional"]) == (20, D("732000.5"))


def test_exported_parquet_imports_again_to_the_same_rows(cq: Cq, tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text(_HEADER + _text([_kline(T0 + n * HOUR, 10**6) for n in range(3)]))
    _import(cq, path, f"{PERP},kind=bar")
    key, out = "BTCUSDT-PERP.BINANCE/1h", tmp_path / "out.parquet"
    done = cq("data", "export", "bar", key, out, "--start", "2024-03-01T01:00")
    assert done.code == 0, done.err
    table = pq.read_table(out)
    assert table.column("open").to_pylist() == [D("61000.1")] * 2
    assert table.column("ts_event")[0].as_py() == datetime(2024, 3, 1, 1, tzinfo=UTC)
    expected = cq.rows("bar", key)[1:]
    again = cq("data", "import", out, "--as", BARS, "--catalog", tmp_path / "other")
    assert again.code == 0, again.err
    cq.catalog, first = tmp_path / "other", cq.catalog
    assert cq.rows("bar", key) == expected
    cq.catalog = first
    nothing = cq("data", "export", "bar", key, out, "--start", "2031-01-01")
    assert nothing.code == 2
    assert "no rows in this interval" in nothing.err
    assert pq.read_table(out).num_rows == 2, "a failed export replaced the file"
    assert cq("data", "export", "bar", key, tmp_path / "x.xls").code == 2


def test_list_shows_coverage_and_holes(cq: Cq, tmp_path: Path) -> None:
    assert "holds nothing yet" in cq("data", "list").out
    path = tmp_path / "x.csv"
    path.write_text(_text([_kline(T0 + n * HOUR, 10**6) for n in (0, 1, 4, 5)]))
    _import(cq, path, f"{PERP},kind=bar")
    text = cq("data", "list")
    assert "66.66%" in text.out  # rounded down: only what is whole is 100 %
    (entry,) = json.loads(cq("data", "list", "--json").out)
    assert entry["rows"] == 4
    assert entry["holes"] == [{"start": T0 + 2 * HOUR, "end": T0 + 4 * HOUR, "missing": 2}]
    assert entry["sources"] == ["x.csv"]


def test_folder_is_imported_and_the_rest_named(cq: Cq, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "README.md").write_text("words\n")
    (folder / "chain.csv").write_text("strike,mark_iv,x\n1,2,3\n")
    (folder / "wire.jsonl").write_text('{"t":"header","v":1}\n{"t":"recv"}\n')
    (folder / ".hidden").write_text("")
    (folder / "bars.csv").write_text(_text([_kline(T0, 10**6)]))
    done = cq("data", "import", folder, "--as", f"{PERP},kind=bar")
    assert done.code == 0, done.err
    assert "not imported: README.md: no known layout (plain file)" in done.out
    assert "chain.csv: snapshot of an option chain: its decoder comes with the options" in done.out
    assert "wire.jsonl: recording of venue connections: its decoder comes" in done.out
    assert "imported 1 rows of 1 files" in done.out
    again = cq("data", "import", folder, "--as", f"{PERP},kind=bar", "--skip-known")
    assert again.code == 0
    assert "already in the catalog: 1 files" in again.out
    assert len(Catalog(cq.catalog).parts) == 1
