"""The data sets that the repository knows: every folder of them, and no file beside theirs."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import pytest

from crypto_quant.core.errors import DataError
from crypto_quant.data_pipeline.collectors import dataset
from crypto_quant.data_pipeline.collectors.facts import Facts
from crypto_quant.data_pipeline.collectors.recognise import Notice, recognise

STRANGE = dataset.Known(Facts())


@pytest.mark.data
def test_every_folder_of_the_data_has_its_own_dataset_file(data_dir: Path) -> None:
    """And that file, by itself, knows something of every file in the folder."""
    known = resources.files("crypto_quant.data_pipeline.collectors") / "datasets"
    folders = [folder for folder in sorted(data_dir.iterdir()) if folder.is_dir()]
    assert folders
    for folder in folders:
        toml = known / f"{folder.name}.toml"
        assert toml.is_file(), f"no dataset file for {folder.name}/"
        entries = dataset.parse(toml.read_text("utf-8"), toml.name)
        files = [path for path in folder.rglob("*") if path.is_file()]
        strange = [path for path in files if all(e.match(path) is None for e in entries)]
        assert not strange, f"{toml.name} does not know {strange}"


@pytest.mark.parametrize(
    "path",
    [
        "nautilus_fixtures/binance-futures_incremental_book_L2_2020-09-01_BTCUSDT.csv.gz",
        "nautilus_fixtures/tests/tardis/binance-futures_trades_2020-09-01_BTCUSDT.csv.gz",
        "nautilus_fixtures/tardis/csv/deltas_2.csv",
        "nautilus_fixtures/tests/binance/btcusdt-trades-2021.parquet",
        "cryptofeed_wire/BTCUSDT-1h.csv",
        "options/deribit_trades_2024-05-23.csv.gz",
        "hyperliquid_perp/part_000000.parquet",
    ],
)
def test_a_file_of_ones_own_beside_the_known_ones_is_not_taken_for_them(path: str) -> None:
    assert dataset.look_up(Path("/anywhere") / path) == STRANGE


def test_a_tardis_file_in_the_folder_of_fixtures_is_asked_about(tmp_path: Path) -> None:
    """It is not passed over, and its content says what it is."""
    folder = tmp_path / "nautilus_fixtures" / "tests" / "tardis"
    folder.mkdir(parents=True)
    path = folder / "binance-futures_trades_2020-09-01_BTCUSDT.csv"
    path.write_text(
        "exchange,symbol,timestamp,local_timestamp,id,side,price,amount\n"
        "binance-futures,BTCUSDT,1598918403696000,1598918403810979,1,buy,11657.08,1.714\n"
    )
    with pytest.raises(DataError, match=r"Tardis.*give venue, symbol"):
        recognise(path, Facts())


@pytest.mark.data
def test_fixtures_say_what_they_are_one_line_a_kind(data_dir: Path) -> None:
    folder = data_dir / "nautilus_fixtures"
    reasons = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        found = recognise(path, Facts())
        assert isinstance(found, Notice), path
        reasons[path.relative_to(folder).as_posix()] = found.reason
    assert "message" in reasons["okx/ws_books_snapshot.json"]
    excerpt = reasons["tests/tardis/binance-futures_book_snapshot_5_BTCUSDT.csv"]
    assert "rows of a Tardis file" in excerpt
    assert "--as" in excerpt
    assert "option chain" in reasons["tardis/options_chain.csv"]
