"""The catalog: what is written is read back, and nothing overlaps."""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from crypto_quant.core.errors import DataError
from crypto_quant.data_pipeline.storage import (
    KINDS,
    Batch,
    Catalog,
    Exps,
    Hole,
    Key,
    Part,
    SourceInfo,
    Transaction,
    manifest,
)
from tests.unit.data_pipeline.conftest import HOUR, BarMaker

KEY = "BTCUSDT-PERP.BINANCE/1h"


def _source(name: str) -> SourceInfo:
    return SourceInfo(name, f"hash of {name}", 1, "test")


def _write(catalog: Catalog, table: pa.Table, name: str, price_exp: int = 1) -> None:
    catalog.write("bar", KEY, table, _source(name), Exps(price=price_exp), "open + interval", HOUR)


def _files(root: Path) -> dict[str, bytes]:
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def test_scan_returns_one_grid_over_parts_of_different_grids(
    catalog: Catalog, hourly: BarMaker
) -> None:
    _write(catalog, hourly(0, 10, price=5), "a", price_exp=1)
    _write(catalog, hourly(10, 12, price=77), "b", price_exp=3)
    table = catalog.scan("bar", KEY, 9 * HOUR, 11 * HOUR, ["open", "ts_event"])
    assert table.column("open").to_pylist() == [500, 77]
    assert table.column("ts_event").to_pylist() == [9 * HOUR, 10 * HOUR]
    assert table.schema.metadata[b"price_exp"] == b"3"
    assert catalog.exps("bar", KEY) == Exps(price=3)


def test_scan_without_rows_has_the_columns(catalog: Catalog, hourly: BarMaker) -> None:
    _write(catalog, hourly(0, 2), "a")
    table = catalog.scan("bar", KEY, 50 * HOUR, 60 * HOUR, ["close"])
    assert table.column_names == ["close"]
    assert table.num_rows == 0


def test_write_puts_grids_and_origin_into_file_and_manifest(
    catalog: Catalog, hourly: BarMaker
) -> None:
    _write(catalog, hourly(0, 3), "a.csv", price_exp=2)
    (part,) = catalog.parts
    assert part.path == f"bar/{KEY}/1970-01-01T00-00-00_1970-01-01T02-00-00.parquet"
    assert (part.start, part.end, part.rows) == (0, 2 * HOUR, 3)
    metadata = pq.read_metadata(catalog.root / part.path).metadata
    assert metadata[b"price_exp"] == b"2"
    assert metadata[b"cq_kind"] == b"bar"
    assert metadata[b"ts_recv_method"] == b"open + interval"
    plain = json.loads((catalog.root / "manifest.json").read_text())
    assert plain["parts"][0]["source"]["name"] == "a.csv"
    assert Catalog(catalog.root).parts == catalog.parts


@pytest.mark.parametrize("name", ["ts_event", "close"])
def test_write_of_a_missing_value_is_the_datas_fault_and_names_the_row(
    catalog: Catalog, hourly: BarMaker, name: str
) -> None:
    table = hourly(0, 3)
    at = table.schema.get_field_index(name)
    second = pa.chunked_array([[7, None, None]], pa.int64())
    broken = table.set_column(at, pa.field(name, pa.int64()), second)

    def add() -> None:
        with catalog.transaction() as change:
            change.begin(_source("a"))
            for (batch,) in (table.to_batches(), broken.to_batches()):
                change.append(Batch("bar", KEY, batch, Exps(price=1), "open + interval", HOUR))

    with pytest.raises(DataError, match=f"bar: row 4 has no {name}"):
        add()
    assert not catalog.root.exists()


@pytest.mark.parametrize(("first", "last"), [(5, 12), (12, 40), (0, 10), (9, 10), (25, 26)])
def test_write_of_overlapping_rows_is_refused_and_names_both(
    catalog: Catalog, hourly: BarMaker, first: int, last: int
) -> None:
    _write(catalog, hourly(0, 10), "old")
    _write(catalog, hourly(20, 30), "older")
    before = _files(catalog.root)
    with pytest.raises(DataError, match=r"new: .*overlaps old(er)?, which holds"):
        _write(catalog, hourly(first, last), "new")
    assert _files(catalog.root) == before


def test_write_between_parts_is_accepted(catalog: Catalog, hourly: BarMaker) -> None:
    _write(catalog, hourly(0, 10), "a")
    _write(catalog, hourly(20, 30), "b")
    _write(catalog, hourly(10, 20), "c")
    assert catalog.coverage("bar", KEY).holes == ()


def test_write_of_the_same_content_is_refused(catalog: Catalog, hourly: BarMaker) -> None:
    _write(catalog, hourly(0, 10), "a")
    with pytest.raises(DataError, match="already in the catalog as bar/BTC"):
        _write(catalog, hourly(50, 60), "a")


def test_tick_files_may_meet_in_one_instant(catalog: Catalog) -> None:
    def trades(times: list[int]) -> pa.Table:
        n = len(times)
        columns = {"ts_event": times, "ts_recv": times, "id": times, "px": [1] * n, "qty": [1] * n}
        columns |= {"side": [1] * n, "flags": [0] * n}
        return pa.table(columns, schema=KINDS["trade"].schema())

    for name, times in (("a", [1, 5]), ("b", [5, 9])):
        catalog.write("trade", "X.Y", trades(times), _source(name), Exps(), "recorded")
    assert catalog.scan("trade", "X.Y").column("ts_event").to_pylist() == [1, 5, 5, 9]
    with pytest.raises(DataError, match="overlaps"):
        catalog.write("trade", "X.Y", trades([4, 5]), _source("c"), Exps(), "recorded")


def test_coverage_comes_from_rows_not_from_files(catalog: Catalog, hourly: BarMaker) -> None:
    _write(catalog, pa.concat_tables([hourly(0, 4), hourly(6, 8)]), "a")
    _write(catalog, hourly(8, 9), "b")
    cover = catalog.coverage("bar", KEY)
    assert cover.holes == (Hole(4 * HOUR, 6 * HOUR, 2),)
    assert [s.rows for s in cover.segments] == [4, 3]


def test_unknown_key_names_what_there_is(catalog: Catalog, hourly: BarMaker) -> None:
    _write(catalog, hourly(0, 1), "a")
    assert catalog.keys() == [Key("bar", KEY)]
    with pytest.raises(DataError, match=f"of kind bar it has: {KEY}"):
        catalog.scan("bar", "NO.ONE/1h")


@pytest.mark.parametrize("key", ["../out", "", "a//b", ".hidden", "a/../../b"])
def test_keys_that_leave_the_catalog_are_refused(
    catalog: Catalog, hourly: BarMaker, key: str
) -> None:
    with pytest.raises(DataError, match="cannot be a key"):
        catalog.write("bar", key, hourly(0, 1), _source("a"), Exps(), "x", HOUR)
    assert not catalog.root.exists()


def test_append_on_a_finer_grid_rewrites_the_rows_before_it(
    catalog: Catalog, hourly: BarMaker
) -> None:
    """Three grids in one source, each longer than a row group, all end on the finest."""
    with catalog.transaction() as change:
        change.begin(_source("a"))
        for step, exp in enumerate((0, 2, 1, 3)):
            first = step * 70_000
            for batch in hourly(first, first + 70_000, price=9).to_batches():
                change.append(Batch("bar", KEY, batch, Exps(price=exp), "x", HOUR))
    table = Catalog(catalog.root).scan("bar", KEY, columns=["ts_event", "close"])
    assert table.num_rows == 280_000
    assert table.column("ts_event").to_pylist() == [n * HOUR for n in range(280_000)]
    for step, worth in enumerate((9000, 90, 900, 9)):
        part = table.column("close").slice(step * 70_000, 70_000)
        assert part.unique().to_pylist() == [worth]


def test_transaction_that_fails_leaves_every_byte(catalog: Catalog, hourly: BarMaker) -> None:
    _write(catalog, hourly(0, 10), "a")
    before = _files(catalog.root)

    def fail() -> None:
        with catalog.transaction() as change:
            change.begin(_source("b"))
            for batch in hourly(20, 70_020).to_batches():
                change.append(Batch("bar", KEY, batch, Exps(price=1), "x", HOUR))
                change.append(Batch("bar", "OTHER.X/1h", batch, Exps(), "x", HOUR))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert _files(catalog.root) == before
    assert not (catalog.root / "bar" / "OTHER.X").exists()


def test_transaction_that_fails_first_leaves_no_folder(catalog: Catalog, hourly: BarMaker) -> None:
    with pytest.raises(DataError), catalog.transaction() as change:  # noqa: PT012 - as it happens
        change.begin(_source("b"))
        raise DataError("bad row")
    assert not catalog.root.exists()


@pytest.mark.parametrize("step", ["before renames", "amid renames", "before manifest"])
def test_the_import_after_a_crash_finds_the_catalog_as_it_was(
    catalog: Catalog, hourly: BarMaker, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """The process dies in the commit: nothing is rolled back, the files lie as they are."""
    _write(catalog, hourly(0, 10), "a")
    before = _files(catalog.root)
    renamed: list[Path] = []

    def die(*_: object) -> None:
        raise SystemError("power cut")

    def rename(self: Path, target: Path) -> None:
        if step == "before renames" or (step == "amid renames" and renamed):
            die()
        renamed.append(target)
        os.rename(self, target)

    with monkeypatch.context() as broken:
        broken.setattr(Transaction, "_roll_back", lambda _: None)
        broken.setattr(Path, "rename", rename)
        if step == "before manifest":
            broken.setattr(manifest, "save", die)
        with pytest.raises(SystemError), catalog.transaction() as change:  # noqa: PT012 - the commit
            change.begin(_source("b"))
            for batch in hourly(20, 30).to_batches():
                for key in (KEY, "OTHER.X/1h"):
                    change.append(Batch("bar", key, batch, Exps(price=1), "x", HOUR))
    assert _files(catalog.root) != before, "the crash left nothing to clean"
    left = _files(catalog.root)
    with monkeypatch.context() as watched:
        watched.setattr(fcntl, "flock", lambda *_: pytest.fail("a reader took the lock"))
        assert Catalog(catalog.root).scan("bar", KEY).num_rows == 10
    assert _files(catalog.root) == left, "a reader cleaned up"
    with catalog.transaction():
        assert _files(catalog.root) == before
    _write(catalog, hourly(20, 30), "b")
    assert len(catalog.parts) == 2


def test_open_while_another_imports_cleans_nothing(catalog: Catalog, hourly: BarMaker) -> None:
    with catalog.transaction() as change:
        change.begin(_source("a"))
        for batch in hourly(0, 70_000).to_batches():
            change.append(Batch("bar", KEY, batch, Exps(), "x", HOUR))
        assert Catalog(catalog.root).parts == ()
        with pytest.raises(DataError, match="another import is writing here"):
            _write(catalog, hourly(0, 1), "b")
    assert Catalog(catalog.root).parts[0].rows == 70_000


def test_broken_manifest_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{not json")
    with pytest.raises(DataError, match=r"manifest\.json: not a catalog manifest"):
        Catalog(tmp_path)
    (tmp_path / "manifest.json").write_text('{"version": 99, "parts": []}')
    with pytest.raises(DataError, match="version 99, this program reads 1"):
        Catalog(tmp_path)


def test_scan_of_a_damaged_part_names_the_file(catalog: Catalog, hourly: BarMaker) -> None:
    _write(catalog, hourly(0, 10), "a")
    part = catalog.root / catalog.parts[0].path
    part.write_bytes(part.read_bytes()[:100])
    with pytest.raises(DataError, match="damaged, its hash is not what it was; import a again"):
        catalog.scan("bar", KEY)


def test_the_same_writes_give_the_same_bytes(tmp_path: Path, hourly: BarMaker) -> None:
    for name in ("one", "two"):
        catalog = Catalog(tmp_path / name)
        _write(catalog, hourly(0, 10), "a")
        _write(catalog, hourly(20, 30), "b", price_exp=4)
    assert _files(tmp_path / "one") == _files(tmp_path / "two")


@pytest.mark.parametrize("name", ["/etc/victim.parquet", "../victim.parquet", "bar/victim.parquet"])
def test_a_journal_that_names_anything_but_a_part_removes_nothing(
    tmp_path: Path, name: str
) -> None:
    root = tmp_path / "catalog"
    (root / "bar").mkdir(parents=True)
    victims = [tmp_path / "victim.parquet", root / "bar" / "victim.parquet"]
    for victim in victims:
        victim.write_text("kept")
    _write_journal(root, parts=[name])
    with pytest.raises(DataError, match="is no part of a catalog"), Transaction(root):
        pass
    assert all(victim.exists() for victim in victims)


@pytest.mark.parametrize("is_file", [True, False])
def test_a_journal_does_not_reach_out_of_the_catalog_by_a_link(
    tmp_path: Path, is_file: bool
) -> None:
    root, outside = tmp_path / "catalog", tmp_path / "outside"
    outside.mkdir()
    victim = outside / "a.parquet"
    victim.write_text("kept")
    link = root / "bar" / "T" / ("a.parquet" if is_file else "1h")
    link.parent.mkdir(parents=True)
    link.symlink_to(victim if is_file else outside)
    _write_journal(root, parts=[f"bar/T/{'' if is_file else '1h/'}a.parquet"])
    with pytest.raises(DataError, match="is no part of a catalog"), Transaction(root):
        pass
    assert victim.read_text() == "kept"


@pytest.mark.parametrize("name", ["../victim.txt", "/etc/victim.txt"])
def test_a_journal_puts_nothing_back_elsewhere(tmp_path: Path, name: str) -> None:
    root = tmp_path / "catalog"
    root.mkdir()
    _write_journal(root, beside={name: "overwritten"})
    with pytest.raises(DataError, match="not beside the manifest"), Transaction(root):
        pass
    assert not (tmp_path / "victim.txt").exists()


def test_half_a_manifest_of_a_killed_import_goes(tmp_path: Path) -> None:
    (tmp_path / ".manifest.json.1-0.part").write_text("{")
    with Transaction(tmp_path):
        assert not os.listdir(tmp_path)


def test_hidden_files_of_others_in_the_folder_stay(catalog: Catalog, hourly: BarMaker) -> None:
    mine = [catalog.root / name for name in (".draft.part", "proj/.notes.tmp", "bar/.x.tmp")]
    for path in mine:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("kept")
    _write(catalog, hourly(0, 10), "a")
    assert [path.read_text() for path in mine] == ["kept"] * 3


@pytest.mark.parametrize("content", ["[", "5", "\x00"])
def test_a_damaged_journal_is_one_line_and_locks_nobody_out(tmp_path: Path, content: str) -> None:
    (tmp_path / ".pending.json").write_text(content)
    assert Catalog(tmp_path).parts == ()
    for _ in range(2):
        with (
            pytest.raises(DataError, match=r"pending\.json: damaged .*delete it"),
            Transaction(tmp_path),
        ):
            pass
    (tmp_path / ".pending.json").unlink()
    with Catalog(tmp_path).transaction():
        pass


def test_a_manifest_that_names_a_file_outside_the_catalog_is_refused(tmp_path: Path) -> None:
    plain = {"version": 1, "parts": [_manifest_part("/etc/passwd.parquet")]}
    (tmp_path / "manifest.json").write_text(json.dumps(plain))
    with pytest.raises(DataError, match=r"'/etc/passwd\.parquet' is no part of a catalog"):
        Catalog(tmp_path)


def _write_journal(root: Path, **changed: object) -> None:
    plain = {"parts": [], "beside": {}, "manifest": "", **changed}
    (root / ".pending.json").write_text(json.dumps(plain))


def _manifest_part(path: str) -> dict[str, object]:
    source = SourceInfo("a.csv", "0" * 64, 1, "made")
    part = Part("bar", "T/1h", path, 0, 0, 1, "0", 1, Exps(), 1, "", "0", source)
    return part.to_json()
