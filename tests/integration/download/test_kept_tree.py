"""The files that a download kept, imported as a folder: named as the download names them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest

from crypto_quant.data_pipeline.collectors.archive import Request, holdings
from crypto_quant.data_pipeline.storage import Catalog
from tests.integration.importing import Cq
from tests.unit.data_pipeline.archive import rows
from tests.unit.data_pipeline.archive.server import Archive

DAY = date(2024, 2, 1)
LAST = date(2024, 2, 29)
SYMBOLS = {
    "spot": ("BTCUSDT", "ETHBTC"),
    "um": ("BTCUSDT", "BTCUSDC", "1000SHIBUSDT", "BTCUSDT_240628"),
    "cm": ("BTCUSD_PERP", "LINKUSD_PERP", "BTCUSD_240628"),
}
MAKE: dict[str, Callable[[str], bytes]] = {
    "trades": lambda name: rows.trades(name, DAY, "trades"),
    "aggTrades": lambda name: rows.trades(name, DAY, "aggTrades"),
    "bookTicker": lambda name: rows.book_ticker(name, DAY),
    "bookDepth": lambda name: rows.book_depth(name, DAY),
    "metrics": lambda name: rows.metrics(name, DAY),
    "fundingRate": lambda name: rows.funding(name, DAY, LAST),
}


def everything() -> Iterator[tuple[str, str, str]]:
    """Yield kind, market and symbol of all that the archive holds."""
    for held in holdings().holding:
        for symbol in SYMBOLS[held.market]:
            # an index is of the pair: the archive has none of a dated contract
            if (held.market, held.kind, "_2" in symbol) != ("cm", "indexPriceKlines", True):
                yield held.kind, held.market, symbol


def publish(archive: Archive, request: Request) -> None:
    """Serve the month or the day that answers a request."""
    length, of = ("monthly", "2024-02") if request.first != request.last else ("daily", str(DAY))
    path = request.path(length, of)
    name = path.rpartition("/")[2]
    make = MAKE.get(request.kind)
    content = make(name) if make else rows.klines(name, "1d", DAY, LAST)
    archive.add(path, _own(content, path))


def _own(content: bytes, path: str) -> bytes:
    """Make a zip like no other: the seeded rows of two markets are the same."""
    buffer = io.BytesIO(content)
    with zipfile.ZipFile(buffer, "a") as box:
        box.comment = path.encode()
    return buffer.getvalue()


def test_the_kept_files_of_every_kind_get_the_keys_that_the_download_gives(
    cq: Cq, archive: Archive, tmp_path: Path
) -> None:
    keep, fetched = tmp_path / "keep", tmp_path / "fetched"
    for kind, market, symbol in everything():
        is_candle = holdings().kinds[kind].is_candle
        time = "2024-02" if is_candle or kind == "fundingRate" else str(DAY)
        interval = "1d" if is_candle else None
        publish(archive, Request.of(kind, market, symbol, time, time, interval))
        words = ["--kind", kind, "--market", market, "--symbol", symbol, "--start", time]
        words += ["--interval", interval] if interval else []
        words += ["--keep-files", str(keep), "--catalog", str(fetched)]
        done = cq("data", "download", *words)
        assert done.code == 0, (words, done.err)
    done = cq("data", "import", keep)
    assert done.code == 0, done.err
    one, other = Catalog(fetched), Catalog(cq.catalog)
    keys = one.keys()
    assert len(keys) == len(list(everything()))
    assert other.keys() == keys
    for kind, key in keys:
        assert other.scan(kind, key).equals(one.scan(kind, key)), (kind, key)


def test_a_coin_margined_contract_without_rules_says_what_its_volume_counts(
    cq: Cq, tmp_path: Path
) -> None:
    """A first bar without volume does not show its unit; the folder does."""
    request = Request.of("klines", "cm", "NEWUSD_PERP", "2024-02", "2024-02", "1d")
    path = tmp_path / "keep" / request.path("monthly", "2024-02").replace(".zip", ".csv")
    path.parent.mkdir(parents=True)
    lines = rows.kline_text("1d", DAY, LAST).splitlines()
    cells = lines[1].split(",")
    cells[5] = cells[7] = cells[9] = cells[10] = "0"
    path.write_text("\n".join([lines[0], ",".join(cells), *lines[2:]]) + "\n")
    done = cq("data", "import", tmp_path / "keep")
    assert done.code == 0, done.err
    assert len(cq.rows("bar", "NEWUSD-PERP.BINANCE/1d")) == 29


@pytest.mark.parametrize("symbol", ["BTCUSDT", "BTCUSDT_240628"])
def test_known_kept_files_are_passed_over(
    cq: Cq, archive: Archive, tmp_path: Path, symbol: str
) -> None:
    """The session of the how-to: keep, fetch a later file without importing it, import."""
    keep = tmp_path / "keep"
    words = ["data", "download", "--kind", "klines", "--symbol", symbol, "--interval", "1d"]
    words += ["--keep-files", str(keep), "--start"]
    for day in (DAY, LAST):
        request = Request.of("klines", "um", symbol, str(day), str(day), "1d")
        path = request.path("daily", str(day))
        archive.add(path, rows.klines(path.rpartition("/")[2], "1d", day, day))
    assert cq(*words, str(DAY)).code == 0
    assert cq(*words, str(LAST), "--no-import").code == 0
    done = cq("data", "import", keep, "--skip-known")
    assert done.code == 0, done.err
    assert "already in the catalog: 1 files" in done.out
    assert "imported 1 rows of 1 files" in done.out
