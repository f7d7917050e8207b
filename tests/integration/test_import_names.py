"""What a file says of itself goes before what is said of it: a contradiction is refused."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.integration.importing import Cq, Result

START = datetime(2024, 3, 1, tzinfo=UTC)
PERP = "venue=BINANCE,symbol=BTCUSDT-PERP"
BARS = f"{PERP},kind=bar,interval=1h,stamp=open,volume=base"


def _refused(done: Result, *words: str) -> None:
    assert done.code == 2, done.out
    assert len(done.err.strip().splitlines()) == 1
    for word in words:
        assert word in done.err


def _bars(path: Path, names: list[str], step: timedelta = timedelta(hours=1), **more: str) -> Path:
    header = ",".join(["date", "Symbol", "open", "high", "low", "close", "volume", *more])
    rest = "".join(f",{cell}" for cell in more.values())
    lines = [
        f"{(START + n * step):%Y-%m-%d %H:%M},{name},2,3,1,2,5{rest}"
        for n, name in enumerate(names)
    ]
    path.write_text("\n".join([header, *lines, ""]))
    return path


def test_bars_of_two_symbols_or_of_another_are_refused(cq: Cq, tmp_path: Path) -> None:
    mixed = _bars(tmp_path / "mixed.csv", ["BTCUSDT", "BTCUSDT", "ETHUSDT"])
    done = cq("data", "import", mixed, "--as", BARS)
    _refused(done, "mixed.csv: holds Symbols BTCUSDT, ETHUSDT; split it into a file each")
    other = _bars(tmp_path / "other.csv", ["ETH/USDT:USDT"] * 3)
    done = cq("data", "import", other, "--as", BARS)
    _refused(done, "Symbol says ETH/USDT:USDT, not symbol=BTCUSDT-PERP")
    own = _bars(tmp_path / "own.csv", ["btc/usdt", "BTC/USDT", ""], exchange="Binance Futures")
    assert cq("data", "import", own, "--as", BARS).code == 0


def test_bars_of_another_venue_are_refused(cq: Cq, tmp_path: Path) -> None:
    path = _bars(tmp_path / "x.csv", ["BTCUSDT"] * 3, exchange="okex")
    _refused(cq("data", "import", path, "--as", BARS), "exchange says okex, not venue=BINANCE")


def test_bars_of_another_length_are_refused(cq: Cq, tmp_path: Path) -> None:
    said = BARS.replace("1h", "5m")
    told = _bars(tmp_path / "told.csv", ["BTCUSDT"] * 3, timeframe="1h")
    _refused(cq("data", "import", told, "--as", said), "timeframe says 1h, not interval=5m")
    hours = _bars(tmp_path / "hours.csv", ["BTCUSDT"] * 5)
    done = cq("data", "import", hours, "--as", said)
    _refused(done, "the step from row to row (date) says 1h, not interval=5m")
    assert cq("data", "import", hours, "--as", BARS).code == 0


def _candles(path: Path) -> Path:
    first = int(START.timestamp()) * 1000
    rows = (
        f"{first + n * 3_600_000},2,3,1,2,5,{first + (n + 1) * 3_600_000 - 1},10,4,1,2,0\n"
        for n in range(3)
    )
    path.write_text("".join(rows))
    return path


def test_archive_candles_hold_their_own_length(cq: Cq, tmp_path: Path) -> None:
    path = _candles(tmp_path / "x.csv")
    done = cq("data", "import", path, "--as", f"{PERP},kind=bar,interval=5m")
    _refused(done, "the close time of its bars says 1h, not interval=5m")
    assert cq("data", "import", path, "--as", f"{PERP},kind=bar,interval=1h").code == 0


def test_metrics_of_another_symbol_or_length_are_refused(cq: Cq, tmp_path: Path) -> None:
    header = (
        "create_time,symbol,sum_open_interest,sum_open_interest_value,"
        "count_toptrader_long_short_ratio,sum_toptrader_long_short_ratio,"
        "count_long_short_ratio,sum_taker_long_short_vol_ratio\n"
    )
    path = tmp_path / "m.csv"
    path.write_text(f"{header}2024-03-01 00:05:00,ETHUSDT,1,2,3,4,5,6\n")
    done = cq("data", "import", path, "--as", PERP)
    _refused(done, "symbol says ETHUSDT, not symbol=BTCUSDT-PERP")
    path.write_text(f"{header}2024-03-01 00:05:00,BTCUSDT,1,2,3,4,5,6\n")
    done = cq("data", "import", path, "--as", f"{PERP},interval=1h")
    _refused(done, "the layout says 5m, not interval=1h")


def _funding(path: Path, names: list[str], hours: int = 8) -> Path:
    lines = [
        f"{START + timedelta(hours=n * hours):%Y-%m-%d %H:%M},{name},every {hours} hours,0.0001"
        for n, name in enumerate(names)
    ]
    path.write_text("\n".join(["Time(UTC),Symbol,Interval,Funding Rate", *lines, ""]))
    return path


def test_funding_of_two_symbols_or_of_another_is_refused(cq: Cq, tmp_path: Path) -> None:
    said = "venue=BYBIT,symbol=BTCUSDT-PERP,rate=fraction"
    mixed = _funding(tmp_path / "mixed.csv", ["BTCUSDT", "ETHUSDT"] * 3)
    _refused(cq("data", "import", mixed, "--as", said), "Symbols BTCUSDT, ETHUSDT; split it")
    other = _funding(tmp_path / "other.csv", ["ETHUSDT"] * 6)
    _refused(cq("data", "import", other, "--as", said), "Symbol says ETHUSDT, not symbol=BTC")


def test_funding_of_another_length_is_refused(cq: Cq, tmp_path: Path) -> None:
    said = "venue=BYBIT,symbol=BTCUSDT-PERP,rate=fraction,interval=1h"
    path = _funding(tmp_path / "x.csv", ["BTCUSDT"] * 6)
    _refused(cq("data", "import", path, "--as", said), "Interval says 8h, not interval=1h")
    bare = tmp_path / "bare.csv"
    lines = (f"{START + timedelta(hours=8 * n):%Y-%m-%d %H:%M},0.0001\n" for n in range(6))
    bare.write_text("time,rate\n" + "".join(lines))
    _refused(cq("data", "import", bare, "--as", said), "time says 8h, not interval=1h")
    assert cq("data", "import", bare, "--as", said.replace("1h", "8h")).code == 0


@pytest.mark.data
def test_the_real_bybit_file_of_another_symbol_is_refused(
    cq: Cq, tmp_path: Path, data_dir: Path
) -> None:
    (real,) = (data_dir / "bybit_perp").glob("BTCUSDT-perp-funding-8h_*.parquet")
    table = pq.read_table(real)
    said = "venue=BYBIT,symbol=BTCUSDT-PERP,rate=fraction"
    for name, column in (
        ("all", ["ETHUSDT"] * len(table)),
        ("some", ["BTCUSDT", "ETHUSDT"] * (len(table) // 2)),
    ):
        path = tmp_path / f"{name}.parquet"
        at = table.column_names.index("Symbol")
        pq.write_table(table.set_column(at, "Symbol", pa.array(column)), path)
        _refused(cq("data", "import", path, "--as", said), "ETHUSDT")
    assert cq("data", "import", real, "--as", said).code == 0


def _tardis(path: Path, exchange: str, symbols: list[str]) -> Path:
    lines = [
        f"{exchange},{symbol},{1_709_251_200_000_000 + n},{1_709_251_200_000_100 + n},{n},buy,9,1"
        for n, symbol in enumerate(symbols)
    ]
    header = "exchange,symbol,timestamp,local_timestamp,id,side,price,amount"
    path.write_text("\n".join([header, *lines, ""]))
    return path


def test_tardis_files_of_another_market_are_refused(cq: Cq, tmp_path: Path) -> None:
    path = _tardis(tmp_path / "t.csv", "deribit", ["BTC-PERPETUAL"] * 2)
    said = "kind=trade,venue=BINANCE,symbol={}"
    _refused(
        cq("data", "import", path, "--as", said.format("BTCUSD-PERP")),
        "exchange says deribit, not venue=BINANCE",
    )
    said = "kind=trade,venue=DERIBIT,symbol={}"
    _refused(
        cq("data", "import", path, "--as", said.format("ETHUSDT-PERP")),
        "symbol says BTC-PERPETUAL, not symbol=ETHUSDT-PERP",
    )
    assert cq("data", "import", path, "--as", said.format("BTC-PERPETUAL")).code == 0


def test_tardis_symbols_are_one_over_all_pieces_of_a_file(cq: Cq, tmp_path: Path) -> None:
    """Pieces are of some MiB: each alone may hold one symbol only."""
    path = _tardis(tmp_path / "t.csv", "binance-futures", ["BTCUSDT"] * 80_000 + ["BTCUSDC"] * 2)
    done = cq("data", "import", path, "--as", f"{PERP},kind=trade")
    _refused(done, "holds symbols BTCUSDT, BTCUSDC; split it")


def test_frames_of_another_venue_or_symbol_are_refused(cq: Cq, tmp_path: Path) -> None:
    frame = (
        b'1709251200000000000 {"stream":"btcusdt@trade","data":{"e":"trade","E":1709251200000,'
        b'"T":1709251200000,"s":"BTCUSDT","t":1,"p":"61000.1","q":"0.1","X":"MARKET","m":false}}\n'
    )
    path = tmp_path / "f.gz"
    path.write_bytes(gzip.compress(frame))
    done = cq("data", "import", path, "--as", "venue=OKX,symbol=BTCUSDT-PERP")
    _refused(done, "the layout says BINANCE, not venue=OKX")
    done = cq("data", "import", path, "--as", "venue=BINANCE,symbol=NEWUSDT-PERP")
    _refused(done, "a frame says BTCUSDT, not symbol=NEWUSDT-PERP")
    assert cq("data", "import", path, "--as", PERP).code == 0


def _nautilus(path: Path, minutes: int, **metadata: str) -> Path:
    stamps = [
        int((START + timedelta(minutes=minutes * (n + 1))).timestamp()) * 10**9 for n in range(4)
    ]
    cell = pa.array([(5 * 10**9).to_bytes(8, "little")] * 4, pa.binary(8))
    columns = {name: cell for name in ("open", "high", "low", "close", "volume")}
    times = pa.array(stamps, pa.uint64())
    about = {"price_precision": "2", "size_precision": "3", **metadata}
    table = pa.table({**columns, "ts_event": times, "ts_init": times})
    pq.write_table(table.replace_schema_metadata(about), path)
    return path


HOURS = {
    "instrument_id": "BTCUSDT-PERP.BINANCE",
    "bar_type": "BTCUSDT-PERP.BINANCE-1-HOUR-LAST-EXTERNAL",
}
MINUTES = {
    "instrument_id": "ETHUSDT-PERP.BINANCE",
    "bar_type": "ETHUSDT-PERP.BINANCE-5-MINUTE-LAST-EXTERNAL",
}


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("venue=OKX,symbol=BTCUSDT-PERP,interval=1h", "says BINANCE, not venue=OKX"),
        ("venue=BINANCE,symbol=ETHUSDT-PERP,interval=1h", "says BTCUSDT-PERP, not symbol=ETHUSDT"),
        (f"{PERP},interval=5m", "bar_type says 1h, not interval=5m"),
    ],
)
def test_nautilus_metadata_says_what_a_file_is_of(
    cq: Cq, tmp_path: Path, said: str, words: str
) -> None:
    path = _nautilus(tmp_path / "h.parquet", 60, **HOURS)
    _refused(cq("data", "import", path, "--as", f"{said},stamp=close,volume=base"), words)
    _nautilus(path, 60, bar_type=HOURS["bar_type"])
    _refused(cq("data", "import", path, "--as", f"{said},stamp=close"), words)


def test_nautilus_catalog_of_two_instruments_is_not_merged(cq: Cq, tmp_path: Path) -> None:
    folder = tmp_path / "nautilus"
    folder.mkdir()
    _nautilus(folder / "a.parquet", 60, **HOURS)
    _nautilus(folder / "b.parquet", 5, **MINUTES)
    done = cq("data", "import", folder, "--as", f"{PERP},stamp=close,volume=base,interval=1h")
    _refused(done, "b.parquet", "says ETHUSDT-PERP, not symbol=BTCUSDT-PERP")
    assert not cq.files()
    done = cq("data", "import", folder / "a.parquet", "--as", f"{PERP},stamp=close")
    assert done.code == 0, done.err
    assert len(cq.rows("bar", "BTCUSDT-PERP.BINANCE/1h")) == 4


def test_nautilus_bars_off_the_hour_are_refused(cq: Cq, tmp_path: Path) -> None:
    path = _nautilus(tmp_path / "x.parquet", 5)
    done = cq("data", "import", path, "--as", f"{PERP},stamp=close,interval=1h")
    _refused(done, "ts_event: 2024-02-29T23:05:00.000000000 is no start of a 1h bar")
