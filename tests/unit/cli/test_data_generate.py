"""The generated market from the command line, and how the catalog that holds it is listed."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.csv
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from crypto_quant.backtesting.engine.sources import find_data
from crypto_quant.cli.data import data
from crypto_quant.cli.data_generate import generate
from crypto_quant.cli.data_validate import validate
from crypto_quant.core.errors import ConfigError, DataError
from crypto_quant.data_pipeline.storage import Catalog
from crypto_quant.runtime.config import RunConfig
from crypto_quant.venues.rules import load_instruments

HOUR_MS = 3_600_000
SAID = "GENERATED DATA: not a real market.\n"
BARS = "venue=BINANCE,symbol=BTCUSDT-PERP,kind=bar,interval=1h,stamp=open,volume=base"


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


@pytest.mark.parametrize(
    "words", [["--minutes", "3"], ["--frames", "--minutes", "3", "--days", "1"]]
)
def test_minutes_are_a_length_of_frames_only(tmp_path: Path, words: list[str]) -> None:
    with pytest.raises(ConfigError, match="--minutes is the length of --frames"):
        generate.main([str(tmp_path / "m"), *words], standalone_mode=False)
    assert not (tmp_path / "m").exists()


def test_frames_of_years_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--frames: at most 90 days"):
        generate.main([str(tmp_path / "m"), "--frames", "--days", "91"], standalone_mode=False)
    assert not (tmp_path / "m").exists()


def test_json_names_the_files(tmp_path: Path) -> None:
    words = [str(tmp_path / "m"), "--days", "1", "--json"]
    said = json.loads(CliRunner().invoke(generate, words, catch_exceptions=False).output)
    assert said["is_generated"]
    assert all(Path(file).is_file() for file in said["files"])


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("mine")
    with pytest.raises(DataError, match="is there already"):
        generate.main([str(tmp_path)], standalone_mode=False)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.csv"]


def test_an_imported_generated_market_is_known_as_such_without_its_folder(tmp_path: Path) -> None:
    catalog = tmp_path / "catalog"
    assert not Catalog(catalog).is_generated
    market = made(tmp_path / "m", "--days", "2")
    words = ["import", str(market), "--catalog", str(catalog)]
    result = CliRunner().invoke(data, words, catch_exceptions=False)
    assert "not imported" not in result.output
    assert result.output.endswith(SAID)
    assert Catalog(catalog).is_generated


def renamed(folder: Path) -> Path:
    """Return a folder with the files of a generated market, named as recordings are."""
    own = folder.parent / "own"
    for path in sorted(folder.rglob("*.parquet")):
        to = own / path.relative_to(folder).parent / path.name.replace("generated", "2023")
        to.parent.mkdir(parents=True, exist_ok=True)
        path.rename(to)
    assert len(list(own.rglob("*.parquet"))) == 3
    return own


def test_the_label_is_in_the_files_and_outlives_their_names(tmp_path: Path) -> None:
    root = ["--catalog", str(tmp_path / "catalog")]
    words = ["import", str(renamed(made(tmp_path / "m", "--days", "2"))), *root]
    assert CliRunner().invoke(data, words, catch_exceptions=False).output.endswith(SAID)
    parts = Catalog(tmp_path / "catalog").parts
    assert not any("generated" in part.source.name for part in parts)
    assert [part.source.is_generated for part in parts] == [True, True, True]
    for command, words in ((data, ["list", *root]), (validate, root)):
        assert CliRunner().invoke(command, words, catch_exceptions=False).output.endswith(SAID)
    listed = json.loads(CliRunner().invoke(data, ["list", "--json", *root]).output)
    assert [entry["is_generated"] for entry in listed] == [True, True, True]


def test_a_run_on_renamed_files_knows_that_they_were_generated(tmp_path: Path) -> None:
    folder = renamed(made(tmp_path / "m", "--days", "2"))
    env = {"CQ_DATA": str(folder)}
    found = find_data(RunConfig(), tmp_path / "c", env, load_instruments(), lambda _: None)
    assert found.is_generated


@pytest.mark.parametrize("way", ["csv", "feather", "pandas"])
def test_the_label_outlives_a_conversion(tmp_path: Path, way: str) -> None:
    hours = made(tmp_path / "m", "--days", "2") / "binance_perp/BTCUSDT-perp-1h_generated.parquet"
    own = tmp_path / "own.data"
    if way == "csv":
        pyarrow.csv.write_csv(pq.read_table(hours), own)
    elif way == "feather":
        pyarrow.feather.write_feather(pq.read_table(hours), own, compression="lz4")
    else:
        pq.write_table(pq.read_table(hours).replace_schema_metadata(None), own)
    words = ["import", str(own), "--as", BARS, "--catalog", str(tmp_path / "catalog")]
    assert CliRunner().invoke(data, words, catch_exceptions=False).output.endswith(SAID)


def test_real_data_is_not_labelled_whatever_its_name(tmp_path: Path) -> None:
    own = tmp_path / "hours-generated.parquet"
    hours = made(tmp_path / "m", "--days", "2") / "binance_perp/BTCUSDT-perp-1h_generated.parquet"
    bare = pq.read_table(hours, columns=["timestamp", "open", "high", "low", "close", "volume"])
    pq.write_table(bare.replace_schema_metadata(None), own)
    words = ["import", str(own), "--as", BARS, "--catalog", str(tmp_path / "catalog")]
    CliRunner().invoke(data, words, catch_exceptions=False)
    assert not Catalog(tmp_path / "catalog").is_generated


def test_a_catalog_of_before_the_label_is_known_by_the_names_in_it(tmp_path: Path) -> None:
    catalog = tmp_path / "catalog"
    words = ["import", str(made(tmp_path / "m", "--days", "2")), "--catalog", str(catalog)]
    CliRunner().invoke(data, words, catch_exceptions=False)
    plain = json.loads((catalog / "manifest.json").read_text())
    for part in plain["parts"]:
        del part["source"]["is_generated"]
    (catalog / "manifest.json").write_text(json.dumps(plain))
    assert Catalog(catalog).is_generated
    for part in plain["parts"]:
        part["source"]["name"] = "hours.parquet"
    (catalog / "manifest.json").write_text(json.dumps(plain))
    assert not Catalog(catalog).is_generated


def test_the_list_fits_80_columns_and_names_a_hole(tmp_path: Path) -> None:
    text = "time,open,high,low,close,volume\n" + "".join(
        f"{1_672_531_200_000 + hour * HOUR_MS},10,12,9,11,1\n"
        for hour in range(2000)
        if not 100 <= hour < 130
    )
    (tmp_path / "hours.csv").write_text(text)
    catalog = ["--catalog", str(tmp_path / "catalog")]
    words = ["import", str(tmp_path / "hours.csv"), "--as", BARS, *catalog]
    CliRunner().invoke(data, words, catch_exceptions=False)
    lines = CliRunner().invoke(data, ["list", *catalog]).output.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[1:] == [
        "bar",
        "  BTCUSDT-PERP.BINANCE/1h       1,970  2023-01-01  2023-03-25   98.50%",
        "    1 hole: 30.0 h from 2023-01-05 04:00",
    ]
