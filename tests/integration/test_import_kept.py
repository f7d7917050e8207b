"""What was imported: exported again, listed, and a folder of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq

from crypto_quant.data_pipeline.storage import Catalog
from tests.integration.importing import Cq
from tests.integration.layouts import (
    BARS,
    HEADER,
    HOUR,
    PERP,
    T0,
    D,
    csv_text,
    imported,
    kline,
)


def test_exported_parquet_imports_again_to_the_same_rows(cq: Cq, tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text(HEADER + csv_text([kline(T0 + n * HOUR, 10**6) for n in range(3)]))
    imported(cq, path, f"{PERP},kind=bar")
    key, out = "BTCUSDT-PERP.BINANCE/1h", tmp_path / "out.parquet"
    done = cq("data", "export", "bar", key, out, "--start", "2024-03-01T01:00")
    assert done.code == 0, done.err
    table = pq.read_table(out)
    assert table.column("open").to_pylist() == [D("61000.1")] * 2
    assert table.column("ts_event")[0].as_py() == datetime(2024, 3, 1, 1, tzinfo=UTC)
    expected = cq.rows("bar", key)[1:]
    again = cq("data", "import", out, "--as", BARS, "--catalog", tmp_path / "other")
    assert again.code == 0, again.err
    cq.catalog, first = tmp_path / "other", cq.catalog
    assert cq.rows("bar", key) == expected
    cq.catalog = first
    nothing = cq("data", "export", "bar", key, out, "--start", "2031-01-01")
    assert nothing.code == 2
    assert "no rows in this interval" in nothing.err
    assert pq.read_table(out).num_rows == 2, "a failed export replaced the file"
    assert cq("data", "export", "bar", key, tmp_path / "x.xls").code == 2


def test_list_shows_coverage_and_holes(cq: Cq, tmp_path: Path) -> None:
    assert "holds nothing yet" in cq("data", "list").out
    path = tmp_path / "x.csv"
    path.write_text(csv_text([kline(T0 + n * HOUR, 10**6) for n in (0, 1, 4, 5)]))
    imported(cq, path, f"{PERP},kind=bar")
    text = cq("data", "list")
    assert "66.66%" in text.out  # rounded down: only what is whole is 100 %
    (entry,) = json.loads(cq("data", "list", "--json").out)
    assert entry["rows"] == 4
    assert entry["holes"] == [{"start": T0 + 2 * HOUR, "end": T0 + 4 * HOUR, "missing": 2}]
    assert entry["sources"] == ["x.csv"]


def test_folder_is_imported_and_the_rest_named(cq: Cq, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "README.md").write_text("words\n")
    (folder / "chain.csv").write_text("strike,mark_iv,x\n1,2,3\n")
    (folder / "wire.jsonl").write_text('{"t":"header","v":1}\n{"t":"recv"}\n')
    (folder / ".hidden").write_text("")
    (folder / "bars.csv").write_text(csv_text([kline(T0, 10**6)]))
    done = cq("data", "import", folder, "--as", f"{PERP},kind=bar")
    assert done.code == 0, done.err
    assert "not imported: README.md: no known layout (plain file)" in done.out
    assert "chain.csv: snapshot of an option chain: its decoder comes with the options" in done.out
    assert "wire.jsonl: recording of venue connections: its decoder comes" in done.out
    assert "imported 1 rows of 1 files" in done.out
    again = cq("data", "import", folder, "--as", f"{PERP},kind=bar", "--skip-known")
    assert again.code == 0
    assert "already in the catalog: 1 files" in again.out
    assert len(Catalog(cq.catalog).parts) == 1
