"""Repairs leave rows out, say so beside the data, and are undone to the byte."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pytest

from crypto_quant.core.errors import DataError
from crypto_quant.core.files import claim
from crypto_quant.data_pipeline.cleaners import repair
from crypto_quant.data_pipeline.cleaners.findings import Finding
from crypto_quant.data_pipeline.cleaners.rows import Rows, Tables
from crypto_quant.data_pipeline.cleaners.validator import DataValidator
from crypto_quant.data_pipeline.storage import (
    Catalog,
    SourceInfo,
    Transaction,
    flags,
    journal,
    manifest,
)
from tests.unit.data_pipeline.cleaners.made import HOUR, Columns, Spoil, bars, spoilt

NOW = 1_700_000_000 * 10**9


def _bad_bars(columns: Columns) -> None:
    columns["high"][[50, 51, 90]] = 1
    for name, values in columns.items():
        columns[name] = np.insert(values, 70, values[69])


def _disorder(columns: Columns) -> None:
    for values in columns.values():
        values[[40, 41]] = values[[41, 40]]


def _catalog(root: Path, spoil: Spoil = _bad_bars) -> Catalog:
    """Two parts of one key; the first is spoilt."""
    catalog = Catalog(root)
    whole = bars(400)
    first, second = spoilt(_slice(whole, 0, 200), spoil), _slice(whole, 200, 400)
    for number, rows in enumerate((first, second)):
        source = SourceInfo(f"{number}.csv", f"{number:064d}", 1, "made")
        catalog.write("bar", "TEST/1h", rows.table, source, rows.exps, "open + interval", HOUR)
    return Catalog(root)


def _slice(rows: Rows, first: int, end: int) -> Rows:
    table = rows.table.slice(first, end - first)
    return Rows(rows.kind, rows.key, rows.interval, rows.exps, table)


def _findings(catalog: Catalog) -> list[Finding]:
    return DataValidator(Tables(catalog, {}), table=()).validate()


def _hashes(root: Path) -> dict[str, str]:
    """Hash what the manifest names, and the manifest."""
    names = ["manifest.json", *(part.path for part in Catalog(root).parts)]
    return {name: hashlib.sha256((root / name).read_bytes()).hexdigest() for name in names}


def test_a_repair_leaves_rows_out_and_undo_restores_every_byte(tmp_path: Path) -> None:
    catalog = _catalog(tmp_path)
    before = _hashes(tmp_path)
    rows = catalog.scan("bar", "TEST/1h")
    (entry,) = repair.apply(catalog, _findings(catalog), NOW)
    repaired = Catalog(tmp_path).scan("bar", "TEST/1h")
    gone = {row["row"] for row in entry.before}
    assert {50, 51, 91} <= gone
    assert gone & {69, 70}
    kept = [i for i in range(rows.num_rows) if i not in gone]
    assert repaired.drop(["flags"]).equals(rows.take(kept).drop(["flags"]))
    marked = repaired.column("flags").to_numpy() & flags.REPAIRED != 0
    assert marked[[49, 50]].all()
    assert marked.sum() <= 2 * len(gone)
    assert _hashes(tmp_path) != before
    repair.undo(Catalog(tmp_path), entry.id, NOW + 1)
    assert _hashes(tmp_path) == before
    assert Catalog(tmp_path).scan("bar", "TEST/1h").equals(rows)


def test_a_repair_is_logged_with_rows_source_check_and_time(tmp_path: Path) -> None:
    catalog = _catalog(tmp_path)
    repair.apply(catalog, _findings(catalog), NOW)
    (line,) = (tmp_path / repair.NAME).read_text().splitlines()
    plain = json.loads(line)
    assert plain["at"] == NOW
    assert plain["source"] == f"{0:064d}"
    assert "impossible: high too low" in plain["checks"]
    row = next(row for row in plain["before"] if row["row"] == 50)
    assert row["high"] == 1
    assert row["ts_event"] == 50 * HOUR
    assert plain["after"] == []
    assert json.loads(json.dumps(repair.log(tmp_path)[0].to_json())) == plain


def test_a_repaired_catalog_has_nothing_left_to_repair(tmp_path: Path) -> None:
    catalog = _catalog(tmp_path)
    repair.apply(catalog, _findings(catalog), NOW)
    again = Catalog(tmp_path)
    assert [f for f in _findings(again) if f.mend is not None] == []
    assert repair.apply(again, _findings(again), NOW) == []
    assert len(repair.log(tmp_path)) == 1


def test_rows_out_of_order_are_sorted_and_where_they_went_is_logged(tmp_path: Path) -> None:
    catalog = _catalog(tmp_path, _disorder)
    (entry,) = repair.apply(catalog, _findings(catalog), NOW)
    ts = Catalog(tmp_path).scan("bar", "TEST/1h").column("ts_event").to_numpy()
    assert (np.diff(ts) > 0).all()
    assert [(row["row"], row["ts_event"]) for row in entry.before] == [
        (40, 41 * HOUR),
        (41, 40 * HOUR),
    ]
    assert [(row["row"], row["ts_event"]) for row in entry.after] == [
        (41, 41 * HOUR),
        (40, 40 * HOUR),
    ]


def test_undo_goes_backwards_and_once(tmp_path: Path) -> None:
    catalog = _catalog(tmp_path)
    findings = [f for f in _findings(catalog) if f.check == "impossible"]
    (first,) = repair.apply(catalog, findings, NOW)
    middle = _hashes(tmp_path)
    again = Catalog(tmp_path)
    (second,) = repair.apply(again, _findings(again), NOW)
    with pytest.raises(DataError, match=f"{second.id} came after it"):
        repair.undo(Catalog(tmp_path), first.id, NOW)
    repair.undo(Catalog(tmp_path), second.id, NOW)
    assert _hashes(tmp_path) == middle
    with pytest.raises(DataError, match="undone already"):
        repair.undo(Catalog(tmp_path), second.id, NOW)
    repair.undo(Catalog(tmp_path), first.id, NOW)
    with pytest.raises(DataError, match="no repair 'x'"):
        repair.undo(Catalog(tmp_path), "x", NOW)


def test_a_whole_part_may_go_and_come_back(tmp_path: Path) -> None:
    def nothing_left(columns: Columns) -> None:
        columns["high"][:] = 1

    catalog = _catalog(tmp_path, nothing_left)
    before = _hashes(tmp_path)
    (entry,) = repair.apply(catalog, _findings(catalog), NOW)
    assert len(Catalog(tmp_path).parts) == 1
    repair.undo(Catalog(tmp_path), entry.id, NOW)
    assert _hashes(tmp_path) == before


def test_a_catalog_that_changed_is_not_repaired(tmp_path: Path) -> None:
    catalog = _catalog(tmp_path)
    findings = _findings(catalog)
    repair.apply(catalog, findings, NOW)
    state = _hashes(tmp_path), (tmp_path / repair.NAME).read_bytes()
    with pytest.raises(DataError, match="changed since it was read"):
        repair.apply(catalog, findings, NOW)
    assert (_hashes(tmp_path), (tmp_path / repair.NAME).read_bytes()) == state


def test_a_repair_that_another_process_keeps_out_leaves_its_log_alone(tmp_path: Path) -> None:
    catalog = _catalog(tmp_path)
    findings = _findings(catalog)
    (entry,) = repair.apply(catalog, findings, NOW)
    state = _hashes(tmp_path), (tmp_path / repair.NAME).read_bytes()
    with Catalog(tmp_path).transaction():
        with pytest.raises(DataError, match="another import is writing"):
            repair.apply(catalog, findings, NOW)
        with pytest.raises(DataError, match="another import is writing"):
            repair.undo(catalog, entry.id, NOW)
    assert (_hashes(tmp_path), (tmp_path / repair.NAME).read_bytes()) == state


def test_the_log_is_read_when_nobody_else_can_repair(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog = _catalog(tmp_path)
    read, held = repair.log, []

    def log(root: Path) -> list[repair.Repair]:
        held.append(claim(root))
        return read(root)

    monkeypatch.setattr(repair, "log", log)
    (entry,) = repair.apply(catalog, _findings(catalog), NOW)
    repair.undo(Catalog(tmp_path), entry.id, NOW)
    assert held == [-1, -1]


def test_a_repair_whose_manifest_cannot_be_written_is_not_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog = _catalog(tmp_path)
    findings = _findings(catalog)
    (entry,) = repair.apply(catalog, findings, NOW)
    repair.undo(Catalog(tmp_path), entry.id, NOW)
    state = _hashes(tmp_path), (tmp_path / repair.NAME).read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(manifest, "save", full)
    with pytest.raises(OSError, match="No space left"):
        repair.apply(Catalog(tmp_path), findings, NOW)
    monkeypatch.undo()
    assert (_hashes(tmp_path), (tmp_path / repair.NAME).read_bytes()) == state


@pytest.mark.parametrize("step", ["before the manifest", "after the manifest"])
@pytest.mark.parametrize("work", ["repair", "undo"])
def test_a_repair_that_is_killed_is_done_and_logged_or_neither(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, work: str, step: str
) -> None:
    catalog = _catalog(tmp_path)
    findings, root = _findings(catalog), catalog.root
    act: Callable[[], object] = partial(repair.apply, catalog, findings, NOW)
    if work == "undo":
        (entry,) = repair.apply(catalog, findings, NOW)
        act = partial(repair.undo, Catalog(root), entry.id, NOW)
    rows = Catalog(root).scan("bar", "TEST/1h").num_rows
    entries = repair.log(root)

    def die(*_: object) -> None:
        raise SystemError("power cut")

    with monkeypatch.context() as broken:
        broken.setattr(Transaction, "_roll_back", lambda _: None)
        at = (manifest, "save") if step == "before the manifest" else (journal, "end")
        broken.setattr(*at, die)
        with pytest.raises(SystemError):
            act()
    with Transaction(root):
        pass
    is_as_before = step == "before the manifest"
    assert (repair.log(root) == entries) is is_as_before
    assert (Catalog(root).scan("bar", "TEST/1h").num_rows == rows) is is_as_before
    for left in repair.log(root):
        if left.undone_at is None:
            repair.undo(Catalog(root), left.id, NOW)


def test_a_file_that_is_not_what_it_was_is_not_restored(tmp_path: Path) -> None:
    catalog = _catalog(tmp_path)
    (entry,) = repair.apply(catalog, _findings(catalog), NOW)
    (tmp_path / entry.part.path).write_bytes(b"other")
    state = _hashes(tmp_path)
    with pytest.raises(DataError, match="not what it was"):
        repair.undo(Catalog(tmp_path), entry.id, NOW)
    assert _hashes(tmp_path) == state


def test_undo_replaces_rows_that_came_again_under_another_name(tmp_path: Path) -> None:
    catalog = _catalog(tmp_path)
    whole = Catalog(tmp_path).scan("bar", "TEST/1h")
    (entry,) = repair.apply(catalog, _findings(catalog), NOW)
    damaged = next(p for p in Catalog(tmp_path).parts if p.source == entry.part.source)
    (tmp_path / damaged.path).write_bytes(b"cut")
    source = entry.part.source._replace(name="renamed.csv")
    rows = whole.filter(pc.less_equal(whole["ts_event"], entry.part.end))
    Catalog(tmp_path).write("bar", "TEST/1h", rows, source, damaged.exps, damaged.recv, HOUR)
    repair.undo(Catalog(tmp_path), entry.id, NOW)
    assert Catalog(tmp_path).scan("bar", "TEST/1h").equals(whole)


def test_a_damaged_log_is_one_clear_error(tmp_path: Path) -> None:
    catalog = _catalog(tmp_path)
    (tmp_path / repair.NAME).write_text("{")
    with pytest.raises(DataError, match="damaged"):
        repair.apply(catalog, _findings(catalog), NOW)
    assert (tmp_path / repair.NAME).read_text() == "{"


def test_a_log_that_names_a_file_outside_the_catalog_is_refused(tmp_path: Path) -> None:
    catalog = _catalog(tmp_path / "catalog")
    (entry,) = repair.apply(catalog, _findings(catalog), NOW)
    path = tmp_path / "catalog" / repair.NAME
    path.write_text(path.read_text().replace(entry.part.path, "../a/b.parquet"))
    with pytest.raises(DataError, match=r"'\.\./a/b\.parquet' is no part of a catalog"):
        repair.undo(Catalog(catalog.root), entry.id, NOW)
