"""What a demo does with a folder in which files are spoilt."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from crypto_quant.backtesting.engine.sources import find_data
from crypto_quant.core.errors import DataError
from crypto_quant.data_pipeline.generated.market import generate_market
from crypto_quant.data_pipeline.storage import Catalog
from crypto_quant.runtime.config import RunConfig
from crypto_quant.venues.rules import load_instruments


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a small market with two outside series and bars of a venue that is not traded."""
    made = tmp_path / "market"
    generate_market(made, days=3)
    hours = next((made / "binance_perp").glob("*1h*.parquet"))
    day = pq.read_table(hours).slice(0, 2).select(["timestamp", "close"])
    for name in ("onchain/btc_hashrate_1d", "onchain/btc_difficulty_1d"):
        path = made / f"{name}.parquet"
        path.parent.mkdir(exist_ok=True)
        column = name.split("_")[1]
        dated = day.rename_columns(["date", column])
        pq.write_table(dated.set_column(0, "date", dated["date"].cast("date32")), path)
    (made / "bybit_perp").mkdir()
    bybit = pq.read_table(hours).slice(0, 24)
    pq.write_table(bybit, made / "bybit_perp" / "BTCUSDT-perp-1h.parquet")
    return made


def found(folder: Path) -> tuple[Catalog, list[str]]:
    told: list[str] = []
    env = {"CQ_DATA": str(folder)}
    catalog = find_data(RunConfig(), folder.parent / "c", env, load_instruments(), told.append)
    return catalog.catalog, told


@pytest.mark.parametrize("spoilt", ["empty", "cut"])
@pytest.mark.parametrize(
    "name", ["onchain/btc_hashrate_1d.parquet", "bybit_perp/BTCUSDT-perp-1h.parquet"]
)
def test_a_spoilt_file_that_the_run_can_do_without_is_passed_over_and_said(
    folder: Path, name: str, spoilt: str
) -> None:
    path = folder / name
    if spoilt == "empty":
        pq.write_table(pq.read_table(path).slice(0, 0), path)
    else:
        path.write_bytes(path.read_bytes()[:-50])
    catalog, told = found(folder)
    (line,) = [text for text in told if text.startswith("passed over: ")]
    assert str(path) in line
    assert ("series", "btc_difficulty_1d") in set(catalog.keys())
    assert {"BTCUSDT-PERP.BINANCE/1h", "BTCUSDT.BINANCE/1m"} <= {k.key for k in catalog.keys("bar")}


def test_a_file_of_another_venue_that_is_a_copy_is_said(folder: Path) -> None:
    """The same bytes cannot be two markets: one of the two names is wrong."""
    copy = folder / "bybit_perp" / "BTCUSDT-perp-1h.parquet"
    shutil.copy(next((folder / "binance_perp").glob("*1h*.parquet")), copy)
    catalog, told = found(folder)
    (line,) = [text for text in told if text.startswith("passed over: ")]
    assert f"{copy}: its content is in the catalog as bar/BTCUSDT-PERP.BINANCE/1h" in line
    assert {k.key for k in catalog.keys("bar")} == {"BTCUSDT-PERP.BINANCE/1h", "BTCUSDT.BINANCE/1m"}


@pytest.mark.parametrize("pattern", ["binance_perp/*1h*.parquet", "binance_perp/*funding*.parquet"])
def test_a_spoilt_file_that_the_run_needs_ends_it(folder: Path, pattern: str) -> None:
    (path,) = folder.glob(pattern)
    pq.write_table(pq.read_table(path).slice(0, 0), path)
    with pytest.raises(DataError, match="the file has no rows"):
        found(folder)
