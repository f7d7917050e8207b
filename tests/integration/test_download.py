"""``cq data download`` from a served archive into the catalog."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from crypto_quant.core.clock import monotonic_s
from crypto_quant.data_pipeline.collectors.archive import (
    Collector,
    Done,
    Fetcher,
    small_real_set,
)
from crypto_quant.venues.rules import load_instruments
from tests.integration.importing import Cq
from tests.unit.data_pipeline.archive import rows
from tests.unit.data_pipeline.archive.server import Archive, Fault, serving, zipped

UM = "data/futures/um"
JANUARY = f"{UM}/monthly/klines/BTCUSDT/1h/BTCUSDT-1h-2023-01.zip"
FEBRUARY = f"{UM}/monthly/klines/BTCUSDT/1h/BTCUSDT-1h-2023-02.zip"
KEY = "BTCUSDT-PERP.BINANCE/1h"
HOUR = 3_600 * 10**9


@pytest.fixture
def cq(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cq:
    """Return ``cq`` on a catalog that is not there yet."""
    return Cq(tmp_path / "catalog", monkeypatch, capsys)


@pytest.fixture
def archive(monkeypatch: pytest.MonkeyPatch) -> Iterator[Archive]:
    """Serve an archive, and make it the one that ``cq`` asks."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serving(Archive()) as served:
        monkeypatch.setenv("CQ_ARCHIVE", served.base)
        yield served


def _month(archive: Archive, year: int, month: int, interval: str = "1h") -> str:
    first = date(year, month, 1)
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    name = f"BTCUSDT-{interval}-{first:%Y-%m}.zip"
    path = f"{UM}/monthly/klines/BTCUSDT/{interval}/{name}"
    archive.add(path, rows.klines(name, interval, first, last))
    return path


def _day(archive: Archive, day: date) -> str:
    name = f"BTCUSDT-1h-{day}.zip"
    path = f"{UM}/daily/klines/BTCUSDT/1h/{name}"
    archive.add(path, rows.klines(name, "1h", day, day))
    return path


def _hours(*words: str) -> list[str]:
    kind = ("--kind", "klines", "--symbol", "BTCUSDT", "--interval", "1h")
    return ["data", "download", *kind, *words]


def _ns(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 10**9


def test_months_and_days_become_rows_and_the_files_go(cq: Cq, archive: Archive) -> None:
    for month in (1, 2):
        _month(archive, 2023, month)
    for day in (1, 2):
        _day(archive, date(2023, 3, day))
    done = cq(*_hours("--start", "2023-01", "--end", "2023-03-02"))
    assert (done.code, done.err) == (0, "")
    assert "4 files fetched, 0 were there, 0 imported before" in done.out
    assert "imported 1,464 rows of bar BTCUSDT-PERP.BINANCE/1h" in done.out
    found = cq.rows("bar", KEY)
    assert [row["ts_event"] for row in found] == list(
        range(_ns("2023-01-01"), _ns("2023-03-03"), HOUR)
    )
    text = rows.kline_text("1h", date(2023, 2, 28), date(2023, 2, 28)).splitlines()[24].split(",")
    assert int(text[0]) == _ns("2023-02-28 23:00") // 10**6
    row = next(row for row in found if row["ts_event"] == _ns("2023-02-28 23:00"))
    want = [Decimal(cell) for cell in (*text[1:6], text[7], text[9])]
    names = ("open", "high", "low", "close", "volume", "quote_volume", "taker_buy")
    assert [row[name] for name in names] == want
    assert row["count"] == int(text[8])
    assert not (cq.catalog / ".downloads").exists()


def test_same_command_again_fetches_nothing_and_is_no_error(cq: Cq, archive: Archive) -> None:
    _month(archive, 2023, 1)
    cq(*_hours("--start", "2023-01"))
    before = cq.files()
    again = cq(*_hours("--start", "2023-01"))
    assert again.code == 0
    assert "already in the catalog, from BTCUSDT-1h-2023-01.zip" in again.out
    assert "0 files fetched, 0 were there, 1 imported before" in again.out
    assert archive.bodies(JANUARY) == [None]
    assert cq.files() == before


def test_month_after_some_of_its_days_brings_the_other_days(cq: Cq, archive: Archive) -> None:
    for day in range(1, 29):
        _day(archive, date(2023, 2, day))
    _month(archive, 2023, 2)
    cq(*_hours("--start", "2023-02-01", "--end", "2023-02-10"))
    done = cq(*_hours("--start", "2023-02"))
    assert done.code == 0
    assert archive.bodies(FEBRUARY) == []
    assert len(cq.rows("bar", KEY)) == 28 * 24


def test_data_of_another_source_is_left_alone(cq: Cq, archive: Archive, tmp_path: Path) -> None:
    own = tmp_path / "own.csv"
    own.write_text(rows.kline_text("1h", date(2023, 2, 1), date(2023, 2, 27)))
    cq("data", "import", own, "--as", "venue=BINANCE,symbol=BTCUSDT-PERP,kind=bar")
    _month(archive, 2023, 2)
    _day(archive, date(2023, 2, 28))
    done = cq(*_hours("--start", "2023-02"))
    assert done.code == 0
    assert "2023-02-01 to 2023-02-27: already in the catalog, from own.csv" in done.out
    assert len(cq.rows("bar", KEY)) == 28 * 24


def test_file_replaced_after_its_import_is_reported_and_the_catalog_stays(
    cq: Cq, archive: Archive
) -> None:
    _month(archive, 2023, 1)
    cq(*_hours("--start", "2023-01"))
    before = cq.files()
    used = cq(*_hours("--start", "2023-01", "--json"))
    digest = json.loads(used.out)["files"][0]["sha256"]
    text = rows.kline_text("1h", date(2023, 1, 1), date(2023, 1, 31)).replace(",0\n", ",1\n")
    now = archive.add(JANUARY, zipped("BTCUSDT-1h-2023-01.zip", text))
    done = cq(*_hours("--start", "2023-01"))
    assert done.code == 0
    assert f"the catalog has {digest}, the archive now {now}" in done.out
    assert cq.files() == before


def test_wrong_checksum_refuses_that_file_only(cq: Cq, archive: Archive) -> None:
    right = archive.add(_month(archive, 2023, 1), archive.files[JANUARY], digest="d" * 64)
    _month(archive, 2023, 2)
    done = cq(*_hours("--start", "2023-01", "--end", "2023-02"))
    assert done.code == 2
    (line,) = done.err.splitlines()
    assert line.startswith(f"cq: {JANUARY}: sha256 is {right}, its .CHECKSUM says {'d' * 64}")
    assert len(cq.rows("bar", KEY)) == 28 * 24
    assert not (cq.catalog / ".downloads").exists()


def test_cut_zip_with_a_right_checksum_refuses_that_file_only(cq: Cq, archive: Archive) -> None:
    archive.add(_month(archive, 2023, 1), archive.files[JANUARY][:-60])
    _month(archive, 2023, 2)
    done = cq(*_hours("--start", "2023-01", "--end", "2023-02"))
    assert done.code == 2
    assert (
        done.err == f"cq: {JANUARY}: agrees with its checksum but is no whole zip file; not used\n"
    )
    assert len(cq.rows("bar", KEY)) == 28 * 24


def test_only_file_refused_leaves_no_catalog(cq: Cq, archive: Archive) -> None:
    archive.add(_month(archive, 2023, 1), archive.files[JANUARY], digest="d" * 64)
    assert cq(*_hours("--start", "2023-01")).code == 2
    assert not cq.catalog.exists()


def test_days_that_the_archive_lacks_are_counted(cq: Cq, archive: Archive) -> None:
    for day in (5, 6, 9):
        _day(archive, date(2023, 2, day))
    done = cq(*_hours("--start", "2023-02-05", "--end", "2023-02-09"))
    assert done.code == 0
    assert (
        "not in the archive: 2 files: BTCUSDT-1h-2023-02-07.zip, BTCUSDT-1h-2023-02-08.zip\n"
    ) in done.out
    assert len(cq.rows("bar", KEY)) == 3 * 24


def test_month_that_the_archive_lacks_comes_by_day(cq: Cq, archive: Archive) -> None:
    _month(archive, 2023, 1)
    for day in range(1, 29):
        _day(archive, date(2023, 2, day))
    done = cq(*_hours("--start", "2023-01", "--end", "2023-02"))
    assert done.code == 0
    assert "29 files fetched" in done.out
    assert "not in the archive" not in done.out
    assert len(cq.rows("bar", KEY)) == 59 * 24


def test_symbol_that_does_not_exist_is_one_line_and_few_questions(cq: Cq, archive: Archive) -> None:
    words = ["--kind", "klines", "--symbol", "NOUSDT", "--interval", "1h"]
    done = cq("data", "download", *words, "--start", "2020-01", "--end", "2023-12")
    assert done.code == 2
    assert done.err.startswith("cq: klines um NOUSDT 1h: none of 78 files is in the archive, ")
    assert done.err.count("\n") == 1
    assert len(archive.asked) < 200
    assert not cq.catalog.exists()


def test_request_outside_of_what_there_is_says_what_there_is(cq: Cq, archive: Archive) -> None:
    words = ["--kind", "bookTicker", "--symbol", "BTCUSDT"]
    done = cq("data", "download", *words, "--start", "2024-06", "--end", "2024-08")
    assert done.code == 2
    assert done.err == (
        "cq: bookTicker um: the archive has daily files from 2023-05-16 to 2024-03-30 and monthly "
        "files from 2023-05 to 2024-04 (discontinued by the venue; the month 2024-04 has its first "
        "hours only; a day's file appears the next day, a month's on the first Monday after it; "
        "source: #334, #372, #380); outside of it: 2024-06-01 to 2024-08-31\n"
    )
    assert archive.asked == []


def test_slow_broken_and_busy_archive_gets_there(cq: Cq, archive: Archive) -> None:
    for month in (1, 2):
        _month(archive, 2023, month)
    archive.faults[JANUARY] = [Fault("stall", 900), Fault("status", 503), Fault("close", 3_000)]
    archive.faults[FEBRUARY] = [Fault("reset", 5_000)]
    done = cq(*_hours("--start", "2023-01", "--end", "2023-02", "--timeout", "0.3"))
    assert (done.code, done.err) == (0, "")
    assert archive.bodies(JANUARY)[:3] == [None, "bytes=900-", "bytes=900-"]
    assert len(cq.rows("bar", KEY)) == 59 * 24


def test_archive_that_fails_for_good_imports_nothing_and_goes_on_later(
    cq: Cq, archive: Archive
) -> None:
    for month in (1, 2):
        _month(archive, 2023, month)
    archive.faults[FEBRUARY] = [Fault("close", 400), Fault("status", 500)]
    words = _hours("--start", "2023-01", "--end", "2023-02", "--jobs", "1", "--attempts", "2")
    done = cq(*words)
    assert done.code == 2
    assert done.err == (
        f"cq: {FEBRUARY}: gave up after 2 attempts: {FEBRUARY}: the archive answered 500 Internal "
        "Server Error\n"
    )
    assert not (cq.catalog / "manifest.json").exists()
    done = cq(*words)
    assert done.code == 0
    assert "1 files fetched, 1 were there" in done.out
    assert archive.bodies(JANUARY) == [None]
    assert archive.bodies(FEBRUARY)[-1] == "bytes=400-"


@pytest.mark.parametrize("base", ["", "https://archive.invalid"])
def test_no_network_is_one_line_and_quick(cq: Cq, base: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        base = base or f"http://127.0.0.1:{taken.getsockname()[1]}"
        began = monotonic_s()
        done = cq(*_hours("--start", "2023-01", "--base", base))
    assert done.code == 2
    assert "cannot be reached" in done.err
    assert done.err.count("\n") == 1
    assert monotonic_s() - began < 5
    assert not cq.catalog.exists()


def test_files_can_be_kept_and_imported_later(cq: Cq, archive: Archive, tmp_path: Path) -> None:
    _month(archive, 2023, 1)
    keep = tmp_path / "files"
    words = _hours("--start", "2023-01", "--keep-files", str(keep), "--no-import")
    assert cq(*words).code == 0
    assert not cq.catalog.exists()
    assert (keep / JANUARY).read_bytes() == archive.files[JANUARY]
    assert (keep / f"{JANUARY}.CHECKSUM").read_bytes() == archive.files[f"{JANUARY}.CHECKSUM"]
    assert "1 were there" in cq(*words).out
    done = cq("data", "import", keep)
    assert done.code == 0
    assert len(cq.rows("bar", KEY)) == 31 * 24
    refused = cq(*_hours("--start", "2023-01", "--no-import"))
    assert (refused.code, "--keep-files DIR" in refused.err) == (2, True)


def test_kept_files_stay_after_their_import(cq: Cq, archive: Archive, tmp_path: Path) -> None:
    _month(archive, 2023, 1)
    keep = tmp_path / "files"
    assert cq(*_hours("--start", "2023-01", "--keep-files", str(keep))).code == 0
    assert (keep / JANUARY).exists()
    assert len(cq.rows("bar", KEY)) == 31 * 24


def test_content_imported_under_another_name_is_said(
    cq: Cq, archive: Archive, tmp_path: Path
) -> None:
    """The very same bytes, which the catalog has under another instrument."""
    content = archive.files[_month(archive, 2023, 1)]
    copy = tmp_path / "mine.zip"
    copy.write_bytes(content)
    cq("data", "import", copy, "--as", "venue=BINANCE,symbol=X,kind=bar,volume=base")
    done = cq(*_hours("--start", "2023-01"))
    assert done.code == 0
    assert "already in the catalog: 1 files" in done.out


def test_file_that_cannot_be_read_imports_nothing(cq: Cq, archive: Archive) -> None:
    _month(archive, 2023, 1)
    archive.add(FEBRUARY, zipped("BTCUSDT-1h-2023-02.zip", "what,is,this\n1,2,3\n"))
    done = cq(*_hours("--start", "2023-01", "--end", "2023-02"))
    assert done.code == 2
    assert "BTCUSDT-1h-2023-02.zip: no known layout" in done.err
    assert done.err.count("\n") == 1
    assert not (cq.catalog / "manifest.json").exists()


def test_json_tells_every_file(cq: Cq, archive: Archive) -> None:
    _month(archive, 2023, 1)
    done = cq(*_hours("--start", "2023-01", "--json"))
    told = json.loads(done.out)
    (file,) = told["files"]
    assert (file["path"], file["state"]) == (JANUARY, "fetched")
    assert told["parts"][0]["source"]["sha256"] == file["sha256"]
    assert told["parts"][0]["rows"] == 31 * 24


@pytest.mark.parametrize(
    ("kind", "rows_kind", "key", "count"),
    [
        ("trades", "trade", "BTCUSDT-PERP.BINANCE", 2 * 1_440),
        ("aggTrades", "agg_trade", "BTCUSDT-PERP.BINANCE", 2 * 1_440),
        ("bookTicker", "quote", "BTCUSDT-PERP.BINANCE", 2 * 1_440),
        ("bookDepth", "depth_band", "BTCUSDT-PERP.BINANCE", 2 * 96),
        ("metrics", "metrics", "BTCUSDT-PERP.BINANCE/5m", 2 * 288),
    ],
)
def test_days_of_the_other_kinds_are_imported_one_after_the_other(
    cq: Cq, archive: Archive, kind: str, rows_kind: str, key: str, count: int
) -> None:
    make = {
        "trades": lambda name, day: rows.trades(name, day, "trades"),
        "aggTrades": lambda name, day: rows.trades(name, day, "aggTrades"),
        "bookTicker": rows.book_ticker,
        "bookDepth": rows.book_depth,
        "metrics": rows.metrics,
    }[kind]
    for day in (date(2024, 1, 1), date(2024, 1, 2)):
        name = f"BTCUSDT-{kind}-{day}.zip"
        archive.add(f"{UM}/daily/{kind}/BTCUSDT/{name}", make(name, day))
    words = ["data", "download", "--kind", kind, "--symbol", "BTCUSDT", "--start"]
    for start in ("2024-01-01", "2024-01-02"):
        done = cq(*words, start)
        assert (done.code, done.err) == (0, "")
    assert len(cq.rows(rows_kind, key)) == count
    again = cq(*words, "2024-01-01", "--end", "2024-01-02")
    assert "0 files fetched, 0 were there, 2 imported before" in again.out


@pytest.mark.parametrize(
    ("kind", "rows_kind"),
    [
        ("markPriceKlines", "mark_bar"),
        ("indexPriceKlines", "index_bar"),
        ("premiumIndexKlines", "premium_bar"),
    ],
)
def test_price_candles_keep_their_kind(cq: Cq, archive: Archive, kind: str, rows_kind: str) -> None:
    first, last = date(2024, 2, 1), date(2024, 2, 29)
    name = "BTCUSDT-8h-2024-02.zip"
    archive.add(f"{UM}/monthly/{kind}/BTCUSDT/8h/{name}", rows.klines(name, "8h", first, last))
    words = ["--kind", kind, "--symbol", "BTCUSDT", "--interval", "8h", "--start", "2024-02"]
    assert cq("data", "download", *words).code == 0
    found = cq.rows(rows_kind, "BTCUSDT-PERP.BINANCE/8h")
    assert len(found) == 29 * 3
    assert {row["volume"] for row in found} == {None}


def test_spot_in_microseconds_without_header_and_coin_margined_contracts(
    cq: Cq, archive: Archive
) -> None:
    first, last = date(2025, 1, 1), date(2025, 1, 31)
    text = rows.kline_text("1d", first, last, header=False, unit=1_000_000)
    spot = "BTCUSDT-1d-2025-01.zip"
    archive.add(f"data/spot/monthly/klines/BTCUSDT/1d/{spot}", zipped(spot, text))
    coin = "ETHUSD_PERP-1d-2025-01.zip"
    archive.add(
        f"data/futures/cm/monthly/klines/ETHUSD_PERP/1d/{coin}",
        rows.klines(coin, "1d", first, last),
    )
    words = ["data", "download", "--kind", "klines", "--interval", "1d", "--start", "2025-01"]
    assert cq(*words, "--market", "spot", "--symbol", "BTCUSDT").code == 0
    assert cq(*words, "--market", "cm", "--symbol", "ETHUSD_PERP").code == 0
    found = cq.rows("bar", "BTCUSDT.BINANCE/1d")
    assert [row["ts_event"] for row in found] == list(
        range(_ns("2025-01-01"), _ns("2025-02-01"), 24 * HOUR)
    )
    assert len(cq.rows("bar", "ETHUSD-PERP.BINANCE/1d")) == 31


def test_funding_months_meet_though_rows_are_late(cq: Cq, archive: Archive) -> None:
    for month, days in ((1, 31), (2, 28)):
        name = f"BTCUSDT-fundingRate-2023-{month:02d}.zip"
        first = date(2023, month, 1)
        archive.add(
            f"{UM}/monthly/fundingRate/BTCUSDT/{name}",
            rows.funding(name, first, first.replace(day=days)),
        )
    words = ["data", "download", "--kind", "fundingRate", "--symbol", "BTCUSDT", "--start"]
    assert cq(*words, "2023-01").code == 0
    done = cq(*words, "2023-01", "--end", "2023-02")
    assert done.code == 0
    assert "1 files fetched, 0 were there, 1 imported before" in done.out
    assert len(cq.rows("funding", "BTCUSDT-PERP.BINANCE")) == 59 * 3


def test_ctrl_c_leaves_no_rows_and_the_same_command_goes_on(cq: Cq, archive: Archive) -> None:
    """In a process of its own, stalled in the middle of a transfer."""
    for month in (1, 2):
        _month(archive, 2023, month)
    archive.faults[FEBRUARY] = [Fault("stall", 700)]
    words = _hours("--start", "2023-01", "--end", "2023-02", "--catalog", str(cq.catalog))
    running = subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-c", "from crypto_quant.cli import main; main()", *words],
        env={**os.environ, "CQ_ARCHIVE": archive.base},
        stderr=subprocess.PIPE,
        text=True,
    )
    part = cq.catalog / ".downloads" / Path(FEBRUARY).parent
    while not [p for p in part.glob(".*.part") if p.stat().st_size == 700]:
        assert running.poll() is None
        time.sleep(0.01)
    while not (cq.catalog / ".downloads" / JANUARY).exists():
        assert running.poll() is None
        time.sleep(0.01)
    began = monotonic_s()
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=20)
    assert running.returncode == 2
    assert monotonic_s() - began < 5
    assert said == (
        "cq: interrupted; nothing was imported, what was downloaded is kept: the same command "
        "goes on\n"
    )
    assert not (cq.catalog / "manifest.json").exists()
    done = cq(*words)
    assert done.code == 0
    assert archive.bodies(JANUARY) == [None]
    assert archive.bodies(FEBRUARY) == [None, "bytes=700-"]
    assert len(cq.rows("bar", KEY)) == 59 * 24


@pytest.mark.data
def test_real_rows_come_back_as_they_are(cq: Cq, archive: Archive, data_dir: Path) -> None:
    """Real hourly candles, served as the archive would, equal the recording they are from."""
    paths = sorted((data_dir / "binance_perp").glob("BTCUSDT-perp-1h_*.parquet"))
    if not paths:
        pytest.skip("no hourly perpetual bars in this data")
    table = pq.read_table(
        paths[-1], columns=["timestamp", "open", "high", "low", "close", "volume"]
    )
    begin = table.column("timestamp")[0].as_py()
    month = (begin.replace(day=1) + timedelta(days=32)).replace(day=1, hour=0)
    after = (month + timedelta(days=32)).replace(day=1)
    recorded = [r for r in table.to_pylist() if month <= r["timestamp"] < after]
    if not recorded:
        pytest.skip("no whole month of hourly bars in this data")
    lines = [rows.KLINE_HEADER]
    for row in recorded:
        at = int(row["timestamp"].replace(tzinfo=UTC).timestamp()) * 1_000
        prices = ",".join(repr(row[name]) for name in ("open", "high", "low", "close", "volume"))
        turnover = repr(round(row["volume"] * row["close"], 4))
        lines.append(f"{at},{prices},{at + 3_599_999},{turnover},1,0,0,0\n")
    name = f"BTCUSDT-1h-{month:%Y-%m}.zip"
    archive.add(f"{UM}/monthly/klines/BTCUSDT/1h/{name}", zipped(name, "".join(lines)))
    assert cq(*_hours("--start", f"{month:%Y-%m}")).code == 0
    found = cq.rows("bar", KEY)
    assert len(found) == len(recorded)
    for got, row in zip(found, recorded, strict=True):
        assert got["ts_event"] == int(row["timestamp"].replace(tzinfo=UTC).timestamp()) * 10**9
        for column in ("open", "high", "low", "close", "volume"):
            assert got[column] == Decimal(repr(row[column]))


def test_small_real_set_fills_a_catalog_with_what_a_run_needs(cq: Cq, archive: Archive) -> None:
    """Three requests in one call; the spot months hold their first day only."""
    for number in range(8, 16):
        first = date(2023 + number // 12, number % 12 + 1, 1)
        _month(archive, first.year, first.month)
        spot = f"BTCUSDT-1m-{first:%Y-%m}.zip"
        archive.add(
            f"data/spot/monthly/klines/BTCUSDT/1m/{spot}", rows.klines(spot, "1m", first, first)
        )
        rates = f"BTCUSDT-fundingRate-{first:%Y-%m}.zip"
        archive.add(f"{UM}/monthly/fundingRate/BTCUSDT/{rates}", rows.funding(rates, first, first))
    collector = Collector(cq.catalog, load_instruments(), date(2025, 6, 1))
    told: list[Done] = []
    made = collector.collect(small_real_set(), Fetcher(archive.base), told.append)
    assert told[-1].files == told[-1].of == 24
    assert [len(collected.parts) for collected in made] == [8, 8, 8]
    assert len(cq.rows("bar", KEY)) == (30 + 31 + 30 + 31 + 31 + 29 + 31 + 30) * 24
    assert len(cq.rows("bar", "BTCUSDT.BINANCE/1m")) == 8 * 1_440
    assert len(cq.rows("funding", "BTCUSDT-PERP.BINANCE")) == 8 * 3
    again = collector.collect(small_real_set(), Fetcher(archive.base))
    assert [len(collected.of("imported")) for collected in again] == [8, 8, 8]
