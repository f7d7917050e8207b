"""The generated market from the command line, and how the catalog that holds it is listed."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from crypto_quant.backtesting.engine.sources import holds_generated
from crypto_quant.cli.data import data
from crypto_quant.cli.data_generate import generate
from crypto_quant.core.errors import DataError
from crypto_quant.data_pipeline.storage import Catalog

HOUR_MS = 3_600_000


def made(folder: Path, *words: str) -> Path:
    result = CliRunner().invoke(generate, [str(folder), *words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return folder


def test_a_market_of_n_days_has_their_minutes_hours_and_settlements(tmp_path: Path) -> None:
    rows = {
        path.name.split("_")[0]: pq.read_metadata(path).num_rows
        for path in made(tmp_path / "m", "--days", "3").rglob("*.parquet")
    }
    assert rows == {
        "BTCUSDT-spot-1m-generated.parquet": 3 * 1440,
        "BTCUSDT-perp-1h": 3 * 24,
        "BTCUSDT-perp-funding-8h": 3 * 3,
    }


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(tmp_path: Path) -> None:
    one, two, other = (
        {
            path.name: path.read_bytes()
            for path in made(tmp_path / name, "--days", "2", "--seed", seed).rglob("*.parquet")
        }
        for name, seed in (("one", "5"), ("two", "5"), ("other", "6"))
    )
    assert one == two
    assert all(one[name] != other[name] for name in one)


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("mine")
    with pytest.raises(DataError, match="is there already"):
        generate.main([str(tmp_path)], standalone_mode=False)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.csv"]


def test_an_imported_generated_market_is_known_as_such_without_its_folder(tmp_path: Path) -> None:
    catalog = tmp_path / "catalog"
    assert not holds_generated(Catalog(catalog))
    market = made(tmp_path / "m", "--days", "2")
    words = ["import", str(market), "--catalog", str(catalog)]
    result = CliRunner().invoke(data, words, catch_exceptions=False)
    assert "not imported" not in result.output
    assert holds_generated(Catalog(catalog))


def test_the_list_fits_80_columns_and_names_a_hole(tmp_path: Path) -> None:
    text = "time,open,high,low,close,volume\n" + "".join(
        f"{1_672_531_200_000 + hour * HOUR_MS},10,12,9,11,1\n"
        for hour in range(2000)
        if not 100 <= hour < 130
    )
    (tmp_path / "hours.csv").write_text(text)
    said = "venue=BINANCE,symbol=BTCUSDT-PERP,kind=bar,interval=1h,stamp=open,volume=base"
    catalog = ["--catalog", str(tmp_path / "catalog")]
    words = ["import", str(tmp_path / "hours.csv"), "--as", said, *catalog]
    CliRunner().invoke(data, words, catch_exceptions=False)
    lines = CliRunner().invoke(data, ["list", *catalog]).output.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[1:] == [
        "bar",
        "  BTCUSDT-PERP.BINANCE/1h       1,970  2023-01-01  2023-03-25   98.50%",
        "    1 hole: 30.0 h from 2023-01-05 04:00",
    ]
