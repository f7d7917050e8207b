"""Every kind of file of the archive, into the rows it holds."""

from __future__ import annotations

from datetime import date

import pytest

from tests.integration.download.served import HOUR, UM, ns
from tests.integration.importing import Cq
from tests.unit.data_pipeline.archive import rows
from tests.unit.data_pipeline.archive.server import Archive, zipped


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
        range(ns("2025-01-01"), ns("2025-02-01"), 24 * HOUR)
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
