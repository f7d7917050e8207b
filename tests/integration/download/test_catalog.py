"""Which files are fetched, and what rows they become, beside those the catalog has."""

from __future__ import annotations

import json
from datetime import UTC, date, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from crypto_quant.data_pipeline.collectors.archive import Collector, Done, Fetcher, small_real_set
from crypto_quant.venues.rules import load_instruments
from tests.integration.download.served import (
    FEBRUARY,
    HOUR,
    JANUARY,
    KEY,
    UM,
    add_day,
    add_month,
    hours,
    ns,
)
from tests.integration.importing import Cq
from tests.unit.data_pipeline.archive import rows
from tests.unit.data_pipeline.archive.server import Archive, zipped


def test_months_and_days_become_rows_and_the_files_go(cq: Cq, archive: Archive) -> None:
    for month in (1, 2):
        add_month(archive, 2023, month)
    for day in (1, 2):
        add_day(archive, date(2023, 3, day))
    done = cq(*hours("--start", "2023-01", "--end", "2023-03-02"))
    assert (done.code, done.err) == (0, "")
    assert "4 files fetched, 0 were there, 0 imported before" in done.out
    assert "imported 1,464 rows of bar BTCUSDT-PERP.BINANCE/1h" in done.out
    found = cq.rows("bar", KEY)
    assert [row["ts_event"] for row in found] == list(
        range(ns("2023-01-01"), ns("2023-03-03"), HOUR)
    )
    text = rows.kline_text("1h", date(2023, 2, 28), date(2023, 2, 28)).splitlines()[24].split(",")
    assert int(text[0]) == ns("2023-02-28 23:00") // 10**6
    row = next(row for row in found if row["ts_event"] == ns("2023-02-28 23:00"))
    want = [Decimal(cell) for cell in (*text[1:6], text[7], text[9])]
    names = ("open", "high", "low", "close", "volume", "quote_volume", "taker_buy")
    assert [row[name] for name in names] == want
    assert row["count"] == int(text[8])
    assert not (cq.catalog / ".downloads").exists()


def test_same_command_again_fetches_nothing_and_is_no_error(cq: Cq, archive: Archive) -> None:
    add_month(archive, 2023, 1)
    cq(*hours("--start", "2023-01"))
    before = cq.files()
    again = cq(*hours("--start", "2023-01"))
    assert again.code == 0
    assert "already in the catalog, from BTCUSDT-1h-2023-01.zip" in again.out
    assert "0 files fetched, 0 were there, 1 imported before" in again.out
    assert archive.bodies(JANUARY) == [None]
    assert cq.files() == before


def test_month_after_some_of_its_days_brings_the_other_days(cq: Cq, archive: Archive) -> None:
    for day in range(1, 29):
        add_day(archive, date(2023, 2, day))
    add_month(archive, 2023, 2)
    cq(*hours("--start", "2023-02-01", "--end", "2023-02-10"))
    done = cq(*hours("--start", "2023-02"))
    assert done.code == 0
    assert archive.bodies(FEBRUARY) == []
    assert len(cq.rows("bar", KEY)) == 28 * 24


def test_data_of_another_source_is_left_alone(cq: Cq, archive: Archive, tmp_path: Path) -> None:
    own = tmp_path / "own.csv"
    own.write_text(rows.kline_text("1h", date(2023, 2, 1), date(2023, 2, 27)))
    cq("data", "import", own, "--as", "venue=BINANCE,symbol=BTCUSDT-PERP,kind=bar")
    add_month(archive, 2023, 2)
    add_day(archive, date(2023, 2, 28))
    done = cq(*hours("--start", "2023-02"))
    assert done.code == 0
    assert "2023-02-01 to 2023-02-27: already in the catalog, from own.csv" in done.out
    assert len(cq.rows("bar", KEY)) == 28 * 24


def test_file_replaced_after_its_import_is_reported_and_the_catalog_stays(
    cq: Cq, archive: Archive
) -> None:
    add_month(archive, 2023, 1)
    cq(*hours("--start", "2023-01"))
    before = cq.files()
    used = cq(*hours("--start", "2023-01", "--json"))
    digest = json.loads(used.out)["files"][0]["sha256"]
    text = rows.kline_text("1h", date(2023, 1, 1), date(2023, 1, 31)).replace(",0\n", ",1\n")
    now = archive.add(JANUARY, zipped("BTCUSDT-1h-2023-01.zip", text))
    done = cq(*hours("--start", "2023-01"))
    assert done.code == 0
    assert f"the catalog has {digest}, the archive now {now}" in done.out
    assert cq.files() == before


def test_days_that_the_archive_lacks_are_counted(cq: Cq, archive: Archive) -> None:
    for day in (5, 6, 9):
        add_day(archive, date(2023, 2, day))
    done = cq(*hours("--start", "2023-02-05", "--end", "2023-02-09"))
    assert done.code == 0
    assert (
        "not in the archive: 2 files: BTCUSDT-1h-2023-02-07.zip, BTCUSDT-1h-2023-02-08.zip\n"
    ) in done.out
    assert len(cq.rows("bar", KEY)) == 3 * 24


def test_month_that_the_archive_lacks_comes_by_day(cq: Cq, archive: Archive) -> None:
    add_month(archive, 2023, 1)
    for day in range(1, 29):
        add_day(archive, date(2023, 2, day))
    done = cq(*hours("--start", "2023-01", "--end", "2023-02"))
    assert done.code == 0
    assert "29 files fetched" in done.out
    assert "not in the archive" not in done.out
    assert len(cq.rows("bar", KEY)) == 59 * 24


def test_content_imported_under_another_name_is_not_fetched_twice(
    cq: Cq, archive: Archive, tmp_path: Path
) -> None:
    """The very same bytes, which the catalog has from a file of another name."""
    copy = tmp_path / "mine.zip"
    copy.write_bytes(archive.files[add_month(archive, 2023, 1)])
    cq("data", "import", copy, "--as", "venue=BINANCE,symbol=BTCUSDT-PERP,kind=bar,volume=base")
    done = cq(*hours("--start", "2023-01"))
    assert done.code == 0
    assert "0 files fetched" in done.out
    assert len(cq.rows("bar", KEY)) == 31 * 24


def test_content_imported_as_another_instrument_is_said(
    cq: Cq, archive: Archive, tmp_path: Path
) -> None:
    """What was asked for is not there, so nothing may look as if it were."""
    copy = tmp_path / "mine.zip"
    copy.write_bytes(archive.files[add_month(archive, 2023, 1)])
    cq("data", "import", copy, "--as", "venue=BINANCE,symbol=X,kind=bar,volume=base")
    done = cq(*hours("--start", "2023-01"))
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert "its content is in the catalog as bar/X.BINANCE/1h (from mine.zip), not as" in done.err


def test_json_tells_every_file(cq: Cq, archive: Archive) -> None:
    add_month(archive, 2023, 1)
    done = cq(*hours("--start", "2023-01", "--json"))
    told = json.loads(done.out)
    (file,) = told["files"]
    assert (file["path"], file["state"]) == (JANUARY, "fetched")
    assert told["parts"][0]["source"]["sha256"] == file["sha256"]
    assert told["parts"][0]["rows"] == 31 * 24


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
    assert cq(*hours("--start", f"{month:%Y-%m}")).code == 0
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
        add_month(archive, first.year, first.month)
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
