"""Tables of any container: what they look like, and their rows in bounded pieces."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

from crypto_quant.core.errors import DataError
from crypto_quant.data_pipeline.collectors.file import File
from crypto_quant.data_pipeline.collectors.table import pieces

NAMES = ("date", "open", "high", "low", "close", "volume")
MIB = 1 << 20


def _table(rows: int) -> pa.Table:
    date = np.arange(rows) * 60_000
    return pa.table({name: date if name == "date" else np.full(rows, 5.5) for name in NAMES})


def _peak(code: str, path: Path) -> int:
    """Return by how many bytes ``code`` raised the memory of a process of its own."""
    program = f"""
import re, sys
from collections.abc import Callable
from pathlib import Path
from crypto_quant.core.errors import DataError
from crypto_quant.data_pipeline.collectors.file import File
from crypto_quant.data_pipeline.collectors.table import pieces

def most():
    return int(re.search(r"VmHWM:\\s*(\\d+) kB", Path("/proc/self/status").read_text())[1])

path = Path(sys.argv[1])
before = most()
{code}
print(1024 * (most() - before))
"""
    words = [sys.executable, "-c", program, str(path)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)  # noqa: S603 - our own
    return int(done.stdout)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file of 240 KiB whose rows take 183 MiB."""
    path = tmp_path_factory.mktemp("large") / "bars.feather"
    table = pa.table(dict.fromkeys(NAMES, np.zeros(4_000_000)))
    pa.feather.write_feather(table, path, compression="zstd")
    return path


def test_feather_is_recognised_by_its_schema_alone(large: Path) -> None:
    assert large.stat().st_size < MIB
    assert File.open(large).columns == NAMES
    assert _peak("File.open(path)", large) < 16 * MIB


def test_feather_is_held_a_batch_at_a_time(large: Path) -> None:
    assert _peak("assert sum(map(len, pieces(File.open(path)))) == 4_000_000", large) < 48 * MIB


@pytest.mark.parametrize("compression", ["zstd", "lz4", "uncompressed"])
@pytest.mark.parametrize("columns", [NAMES, ("date", "close")])
def test_feather_gives_the_columns_that_are_asked_for(
    tmp_path: Path, compression: str, columns: tuple[str, ...]
) -> None:
    path = tmp_path / "bars.feather"
    table = _table(150_000)
    pa.feather.write_feather(table, path, compression=compression)
    made = list(pieces(File.open(path), columns))
    assert len(made) == 3
    assert pa.concat_tables(made).equals(table.select(list(columns)))


def test_feather_of_one_batch_is_handed_on_in_pieces(tmp_path: Path) -> None:
    path = tmp_path / "one.feather"
    pa.feather.write_feather(_table(200_000), path, chunksize=200_000)
    sizes = [piece.num_rows for piece in pieces(File.open(path))]
    assert sum(sizes) == 200_000
    assert max(sizes) <= 1 << 16


@pytest.mark.filterwarnings("ignore:Feather V1:DeprecationWarning")
def test_feather_of_the_first_version_is_read(tmp_path: Path) -> None:
    path = tmp_path / "old.feather"
    pa.feather.write_feather(_table(70_000), path, version=1)
    file = File.open(path)
    assert (file.container, file.columns) == ("feather", NAMES)
    assert pa.concat_tables(pieces(file)).equals(_table(70_000))
    (first, _) = pieces(file, ["date", "close"])
    assert first.column_names == ["date", "close"]


def _parquet(table: pa.Table, path: Path) -> None:
    pq.write_table(table, path)


def _feather(table: pa.Table, path: Path) -> None:
    with pa.ipc.new_file(path, table.schema) as out:
        out.write_table(table)


@pytest.mark.parametrize("write", [_parquet, _feather, pa.csv.write_csv])
def test_a_column_that_is_there_twice_is_refused_where_it_is_asked_for(
    tmp_path: Path, write: Callable[[pa.Table, Path], None]
) -> None:
    path = tmp_path / "twice"
    write(pa.table([[1], [2], [3]], names=["date", "close", "close"]), path)
    file = File.open(path)
    with pytest.raises(DataError, match="twice: has the column close twice"):
        list(pieces(file, ["date", "close"]))
    with pytest.raises(DataError, match="twice: has the column close twice"):
        list(pieces(file))
    (only,) = pieces(file, ["date"])
    assert only.column_names == ["date"]
