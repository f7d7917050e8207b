"""The run folder: written and read back the same, refused when it is not what it should be."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from crypto_quant.backtesting.metrics.result import RunResult
from crypto_quant.core.errors import DataError


def test_write_then_read_is_the_same_run(run: RunResult, tmp_path: Path) -> None:
    run.write(tmp_path / "a")
    back = RunResult.read(tmp_path / "a")
    assert back.description == run.description
    assert back.config == run.config
    assert back.manifest == run.manifest
    for name in ("equity", "fills", "orders", "trips", "variants", "folds", "market"):
        assert getattr(back, name).equals(getattr(run, name)), name


def test_write_twice_same_bytes(run: RunResult, tmp_path: Path) -> None:
    run.write(tmp_path / "a")
    run.write(tmp_path / "b")
    files = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert len(files) == 10
    for name in files:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_write_column_missing_is_refused(run: RunResult, tmp_path: Path) -> None:
    broken = replace(run, equity=run.equity.drop_columns(["carry/funding"]))
    with pytest.raises(DataError, match=r"equity\.parquet: missing columns carry/funding"):
        broken.write(tmp_path)
    assert not list(tmp_path.iterdir())


def test_write_float_money_is_refused(run: RunResult, tmp_path: Path) -> None:
    at = run.equity.column_names.index("carry/funding")
    values = run.equity["carry/funding"].cast(pa.float64())
    broken = replace(run, equity=run.equity.set_column(at, "carry/funding", values))
    with pytest.raises(DataError, match="must be a decimal, was double"):
        broken.write(tmp_path)


def test_write_time_going_back_is_refused(run: RunResult, tmp_path: Path) -> None:
    broken = replace(run, equity=pa.concat_tables([run.equity, run.equity.slice(0, 1)]))
    with pytest.raises(DataError, match="ts must ascend strictly"):
        broken.write(tmp_path)


def test_write_variant_without_equity_is_refused(run: RunResult, tmp_path: Path) -> None:
    broken = replace(run, variants=run.variants.slice(0, 0))
    with pytest.raises(DataError, match="no equity for row 'carry_alone'"):
        broken.write(tmp_path)


def test_write_wrong_column_type_is_refused(run: RunResult, tmp_path: Path) -> None:
    fills = run.fills.set_column(0, "ts_event", run.fills["ts_event"].cast(pa.string()))
    with pytest.raises(DataError, match=r"fills\.parquet: column 'ts_event' should be int64"):
        replace(run, fills=fills).write(tmp_path)


@pytest.mark.parametrize(
    ("name", "content"),
    [("extra.json", '{"title": 3}'), ("equity.parquet", "not parquet"), ("manifest.json", "{")],
)
def test_read_broken_file_is_one_clear_error(
    run: RunResult, tmp_path: Path, name: str, content: str
) -> None:
    run.write(tmp_path)
    (tmp_path / name).write_text(content)
    with pytest.raises(DataError, match=r"cannot be read|description"):
        RunResult.read(tmp_path)


def test_read_other_folder_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"not a run folder \(no equity.parquet in it\)"):
        RunResult.read(tmp_path)
