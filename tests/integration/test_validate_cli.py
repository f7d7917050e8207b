"""``cq data validate``: what it prints, how it exits, repair and undo."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from crypto_quant.data_pipeline.storage import Catalog, SourceInfo
from tests.integration.importing import Cq
from tests.unit.data_pipeline.cleaners.made import HOUR, Columns, bars, spoilt


@pytest.fixture
def cq(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cq:
    def bad(columns: Columns) -> None:
        columns["high"][[50, 51]] = 1

    rows = spoilt(bars(), bad)
    source = SourceInfo("made.csv", "0" * 64, 1, "made")
    root = tmp_path / "catalog"
    Catalog(root).write("bar", "TEST/1h", rows.table, source, rows.exps, "open + interval", HOUR)
    return Cq(root, monkeypatch, capsys)


def test_findings_are_printed_with_counts_and_exit_0(cq: Cq) -> None:
    result = cq("data", "validate")
    assert result.code == 0
    line = next(line for line in result.out.splitlines() if line.startswith("impossible"))
    assert line.split()[1:5] == ["error", "bar/TEST/1h", "1", "2"]
    assert "open: impossible bar/TEST/1h: the high is below open or close" in result.out
    assert "errors and warnings are not explained" in result.out.splitlines()[-1]


def test_strict_exits_2_while_something_is_unexplained(cq: Cq) -> None:
    assert cq("data", "validate", "TEST/1h", "--strict").code == 2
    assert cq("data", "validate", "--repair").code == 0
    assert cq("data", "validate", "--strict").code == 2  # the rows left out are a hole now
    found = json.loads(cq("data", "validate", "--json").out)
    assert {f["check"] for f in found if f["severity"] != "note"} == {"gaps"}


@pytest.mark.data
def test_one_volume_missing_in_a_real_file_is_counted_and_noted(
    cq: Cq, tmp_path: Path, data_dir: Path
) -> None:
    (real,) = (data_dir / "bybit_perp").glob("BTCUSDT-perp-1h*.parquet")
    table = pq.read_table(real)
    volume = table.column("volume").to_numpy().copy()
    volume[5_000] = float("nan")
    at = table.column_names.index("volume")
    path = tmp_path / "hollow.parquet"
    pq.write_table(table.set_column(at, "volume", pa.array(volume)), path)
    said = "venue=BYBIT,symbol=BTCUSDT-PERP,interval=1h,stamp=open,volume=base"
    done = cq("data", "import", path, "--as", said, "--json")
    assert json.loads(done.out)["parts"][0]["findings"]["missing_volume_rows"] == 1
    found = json.loads(cq("data", "validate", "BTCUSDT-PERP.BYBIT/1h", "--json").out)
    (note,) = [f for f in found if f["what"] == "volume missing" and f["check"] == "zero"]
    assert (note["row"], note["rows"], note["severity"]) == (5_000, 1, "note")


def test_json_has_every_field_of_a_finding(cq: Cq) -> None:
    found = json.loads(cq("data", "validate", "bar", "--json").out)
    bad = next(f for f in found if f["check"] == "impossible")
    assert (bad["row"], bad["rows"], bad["ts"]) == (50, 2, 50 * HOUR)
    assert (bad["severity"], bad["mend"], bad["explained"]) == ("error", "remove as missing", "")


def test_repair_and_undo_leave_every_file_but_the_log_as_it_was(cq: Cq) -> None:
    before = cq.files()
    (done,) = json.loads(cq("data", "validate", "--repair", "--json").out)
    assert done["rows"] == 2
    assert len(Catalog(cq.catalog).scan("bar", "TEST/1h")) == 598
    result = cq("data", "validate", "--undo", done["id"])
    assert result.code == 0
    assert result.out.startswith(f"undone {done['id']}: bar/TEST/1h")
    after = cq.files()
    assert {name: after[name] for name in before} == before
    assert set(after) - set(before) == {"repairs.jsonl"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["NOPE/1h"], "no key 'NOPE/1h'"),
        (["--undo", "x"], "no repair 'x'"),
        (["TEST/1h", "--undo", "x"], "--undo takes one repair back"),
    ],
)
def test_a_mistake_is_one_line_and_exit_2(cq: Cq, words: list[str], message: str) -> None:
    result = cq("data", "validate", *words)
    assert result.code == 2
    assert message in result.err
    assert len(result.err.splitlines()) == 1


def test_a_catalog_that_holds_nothing_is_no_clean_bill(cq: Cq, tmp_path: Path) -> None:
    result = cq("data", "validate", "--catalog", tmp_path / "none")
    assert result.code == 2
    assert result.err.endswith("holds nothing to check: cq data import PATH\n")


MINUTE = 60 * 10**9


@pytest.mark.data
@pytest.mark.parametrize("late_ms", [0, 8, -3])
def test_a_settlement_that_is_there_twice_is_found_and_repaired(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    data_dir: Path,
    late_ms: int,
) -> None:
    """Stamps of one scheduled settlement jitter by milliseconds; it is paid once."""
    cq = Cq(tmp_path / "catalog", monkeypatch, capsys)
    real = pq.read_table(
        data_dir / "binance_perp" / "BTCUSDT-perp-funding-8h_2023-01_2026-04.parquet"
    )
    rows = real.slice(0, 300).to_pylist()
    again = rows[100]["timestamp"] + timedelta(milliseconds=late_ms)
    rows = sorted([*rows, {**rows[100], "timestamp": again}], key=lambda row: row["timestamp"])
    path = tmp_path / "funding.parquet"
    pq.write_table(pa.Table.from_pylist(rows, schema=real.schema), path)
    said = "venue=BINANCE,symbol=BTCUSDT-PERP,kind=funding,interval=8h,rate=fraction"
    assert cq("data", "import", path, "--as", said).code == 0
    assert len(cq.rows("funding", "BTCUSDT-PERP.BINANCE")) == 301
    assert cq("data", "validate", "--strict").code == 2
    found = json.loads(cq("data", "validate", "--json").out)
    (twice,) = [f for f in found if f["severity"] != "note"]
    assert (twice["check"], twice["what"], twice["row"], twice["rows"]) == (
        "duplicates",
        "repeated",
        101,
        1,
    )
    (done,) = json.loads(cq("data", "validate", "--repair", "--json").out)
    assert (done["kind"], done["rows"]) == ("funding", 1)
    assert cq("data", "validate", "--strict").code == 0
    due = Catalog(cq.catalog).scan("funding", "BTCUSDT-PERP.BINANCE").column("ts_event").to_numpy()
    assert len(due) == 300
    assert len({int(ts + MINUTE // 2) // MINUTE for ts in due}) == 300
