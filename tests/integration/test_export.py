"""``cq data export`` to Parquet and back: an empty catalog becomes the one it came from."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray

from crypto_quant.cli.data import GENERATED_LINE
from crypto_quant.data_pipeline.cleaners import rebase
from crypto_quant.data_pipeline.generated.market import generate_market
from crypto_quant.data_pipeline.storage import KINDS, Batch, Catalog, Exps, Part, SourceInfo
from crypto_quant.data_pipeline.storage.flags import REBASED_RECV, REPAIRED
from tests.integration.importing import Cq, Result

HOUR = 3_600 * 10**9
T0 = 1_709_251_200 * 10**9  # 2024-03-01 00:00 UTC
EXPS = (Exps(price=1, qty=3, rate=8, quote=2), Exps(price=4, qty=0, rate=6, quote=5))


def _there_and_back(cq: Cq, kind: str, key: str, out: Path, *interval: str) -> Result:
    """Export a key and import the file, under whatever name, into a catalog beside."""
    done = cq("data", "export", kind, key, out, *interval)
    assert done.code == 0, done.err
    own = out.with_name(f"{len(list(out.parent.iterdir()))}.mine")
    out.rename(own)
    done = cq("data", "import", own, "--catalog", cq.catalog.with_name("other"))
    assert done.code == 0, done.err
    return done


def _said(parts: Iterable[Part]) -> list[tuple[Any, ...]]:
    """Return what the manifest says of parts, apart from files and their sources."""
    return [
        (p.kind, p.key, p.start, p.end, p.rows, p.interval, p.recv, p.findings, p.exps)
        for p in parts
    ]


def _made(kind: str, name: str, first: int, rows: int, seed: int) -> pa.Table:
    """Return rows of a kind with whatever its columns may hold, also nothing."""
    random = np.random.default_rng(seed)
    values: NDArray[Any]
    columns: dict[str, pa.Array] = {}
    for field in KINDS[kind].schema((name, "both") if KINDS[kind].open else ()):
        if field.name == "ts_event":
            values = T0 + HOUR * np.arange(first, first + rows)
        elif field.name == "ts_recv":
            values = T0 + HOUR * np.arange(first, first + rows) + 123_456_789
        elif field.name == "side":
            values = random.integers(-1, 2, rows)
        elif field.name == "flags":
            values = random.integers(0, 512, rows)
        elif field.name == "interval_h":
            values = random.integers(1, 9, rows)
        elif pa.types.is_floating(field.type):
            values = random.standard_normal(rows)
        else:
            values = random.integers(-(10**9), 10**12, rows)
        gone = random.random(rows) < 0.3 if field.nullable else np.zeros(rows, dtype=bool)
        columns[field.name] = pa.array(values, field.type, mask=gone)
    return pa.table(columns)


def _fill(cq: Cq, kind: str) -> str:
    """Write two parts of a kind on different grids, with a hole between them."""
    key, interval = "X-PERP.BINANCE", None if KINDS[kind].ticks else HOUR
    if kind == "series":
        key = "my_series"
    elif kind.endswith("bar") or kind == "metrics":
        key = f"{key}/1h"
    with Catalog(cq.catalog).transaction() as change:
        for number, (first, rows) in enumerate(((0, 70_000), (70_100, 50))):
            change.begin(SourceInfo(f"{number}", f"hash {number}", 1, "test"))
            table = _made(kind, f"own_{number}", first, rows, number)
            for batch in table.combine_chunks().to_batches(max_chunksize=30_000):
                found = {"off_tick_rows": number + 1}
                recv = f"way {number}"
                exps = EXPS[number]
                change.append(Batch(kind, key, batch, exps, recv, interval, found))
    return key


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_comes_back_as_it_was(cq: Cq, tmp_path: Path, kind: str) -> None:
    key = _fill(cq, kind)
    _there_and_back(cq, kind, key, tmp_path / "x.parquet")
    had, got = Catalog(cq.catalog), Catalog(tmp_path / "other")
    before, after = had.scan(kind, key), got.scan(kind, key)
    assert after.equals(before, check_metadata=True)
    assert got.coverage(kind, key) == had.coverage(kind, key)
    grid = had.exps(kind, key)
    assert _said(got.parts) == [(*said[:-1], grid) for said in _said(had.parts)]


def test_some_rows_of_a_part_come_back_without_the_counts_of_all(cq: Cq, tmp_path: Path) -> None:
    key = _fill(cq, "bar")
    last = ["--start", "2024-03-01T10:00", "--end", "2032-02-29T06:00"]
    _there_and_back(cq, "bar", key, tmp_path / "x.parquet", *last)
    had, got = Catalog(cq.catalog), Catalog(tmp_path / "other")
    span = (T0 + 10 * HOUR, T0 + 70_110 * HOUR)
    assert got.scan("bar", key).equals(had.scan("bar", key, *span), check_metadata=True)
    assert [part.rows for part in got.parts] == [69_990, 10]
    assert [part.findings for part in got.parts] == [{}, {}]


def test_metadata_says_what_the_rows_are(cq: Cq, tmp_path: Path) -> None:
    out = tmp_path / "x.parquet"
    assert cq("data", "export", "bar", _fill(cq, "bar"), out).code == 0
    said = json.loads(pq.read_schema(out).metadata[b"cq_export"])
    names = ("kind", "venue", "symbol", "interval", "stamp")
    assert [said[name] for name in names] == ["bar", "BINANCE", "X-PERP", "1h", "open"]
    assert said["decimals"] == {"price": 4, "qty": 3, "rate": 8, "quote": 5}
    assert said["units"]["volume"] == "coins, or contracts where the instrument has them"
    assert [part["rows"] for part in said["parts"]] == [70_000, 50]


def test_metadata_gone_is_asked_for(cq: Cq, tmp_path: Path) -> None:
    out = tmp_path / "x.parquet"
    assert cq("data", "export", "bar", _fill(cq, "bar"), out).code == 0
    pq.write_table(pq.read_table(out).replace_schema_metadata(None), out)
    done = cq("data", "import", out, "--catalog", tmp_path / "other")
    assert done.code == 2
    assert "table of OHLC bars; give venue, symbol, interval, stamp, volume" in done.err
    assert not (tmp_path / "other").exists()


def _edited(path: Path, change: dict[str, Any] | str) -> None:
    table = pq.read_table(path)
    plain: Any = change
    if isinstance(change, dict):
        plain = {**json.loads(table.schema.metadata[b"cq_export"]), **change}
    pq.write_table(table.replace_schema_metadata({"cq_export": json.dumps(plain)}), path)


DAMAGED: dict[str, tuple[dict[str, Any] | str, str]] = {
    "newer": ({"version": 2}, "an export of version 2, this program reads 1"),
    "no object": ("x", "cq_export of its metadata is damaged"),
    "another symbol": ({"symbol": "Y-PERP"}, "symbol is 'Y-PERP', the key says 'X-PERP'"),
    "another kind": ({"kind": "funding"}, "is damaged"),
    "unknown kind": ({"kind": "rumour"}, "is damaged"),
    "a negative count": (
        {"parts": [{"rows": -1, "interval": HOUR, "recv": "", "findings": {}}]},
        "no counts",
    ),
    "other parts": (
        {"parts": [{"rows": 9, "interval": HOUR, "recv": "", "findings": {}}]},
        "holds 70,050 rows, 9 were exported",
    ),
    "coarser": (
        {"decimals": {"price": 1, "qty": 3, "rate": 8, "quote": 5}},
        "decimals, exported were 1",
    ),
    "a key outside": (
        {"key": "../X-PERP.BINANCE/1h"},
        "is damaged",
    ),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_damaged_metadata_is_one_line(cq: Cq, tmp_path: Path, case: str) -> None:
    change, message = DAMAGED[case]
    out = tmp_path / "x.parquet"
    assert cq("data", "export", "bar", _fill(cq, "bar"), out).code == 0
    _edited(out, change)
    done = cq("data", "import", out, "--catalog", tmp_path / "other")
    assert (done.code, done.err.count("\n")) == (2, 1), done.err
    assert message in done.err
    assert not (tmp_path / "other").exists()


def _rows_left_out(table: pa.Table) -> pa.Table:
    return table.slice(1)


def _price_gone(table: pa.Table) -> pa.Table:
    at = table.schema.get_field_index("open")
    gone = pa.nulls(table.num_rows, table.schema.field(at).type)
    return table.set_column(at, "open", gone)


def _backwards(table: pa.Table) -> pa.Table:
    return table.take(pa.array(np.arange(table.num_rows)[::-1]))


def _whole_times(table: pa.Table) -> pa.Table:
    return table.set_column(0, "ts_event", table.column(0).cast(pa.int64()))


def _one_more(table: pa.Table) -> pa.Table:
    return table.append_column("mine", table.column("flags"))


CHANGED = {
    "rows left out": (_rows_left_out, "holds 70,049 rows, 70,050 were exported; export what you"),
    "price gone": (_price_gone, "open: a value is missing; no export leaves one out"),
    "backwards": (_backwards, "ts_event: the rows are not in the order of the export"),
    "times are numbers": (_whole_times, "the columns are not those of exported bar rows"),
    "a column more": (_one_more, "the columns are not those of exported bar rows"),
    "a column less": (lambda table: table.drop_columns("low"), "the columns are not those"),
    "no rows": (lambda table: table.slice(0, 0), "the file has no rows"),
}


@pytest.mark.parametrize("case", CHANGED)
def test_an_export_that_was_changed_is_one_line(cq: Cq, tmp_path: Path, case: str) -> None:
    change, message = CHANGED[case]
    out = tmp_path / "x.parquet"
    assert cq("data", "export", "bar", _fill(cq, "bar"), out).code == 0
    table = pq.read_table(out)
    pq.write_table(change(table).replace_schema_metadata(table.schema.metadata), out)
    done = cq("data", "import", out, "--catalog", tmp_path / "other")
    assert (done.code, done.err.count("\n")) == (2, 1), done.err
    assert message in done.err
    assert not (tmp_path / "other").exists()


def test_what_is_said_of_an_export_must_be_so(cq: Cq, tmp_path: Path) -> None:
    out = tmp_path / "x.parquet"
    assert cq("data", "export", "bar", _fill(cq, "bar"), out).code == 0
    words: list[str | Path] = ["data", "import", out, "--catalog", tmp_path / "other", "--as"]
    for said, message in (
        ("stamp=close", "an export with stamp=open, not close"),
        ("symbol=Y-PERP", "an export with symbol=X-PERP, not Y-PERP"),
        ("kind=funding", "an export with kind=bar, not funding"),
        ("drop=volume", "an export is imported whole, without drop"),
    ):
        done = cq(*words, said)
        assert (done.code, done.err) == (2, f"cq: {out}: {message}\n")
    assert cq(*words, "venue=BINANCE,symbol=X-PERP,kind=bar,interval=1h,stamp=open").code == 0


def test_a_file_out_of_a_catalog_is_not_taken_for_prices(cq: Cq, tmp_path: Path) -> None:
    _fill(cq, "bar")
    part = cq.catalog / Catalog(cq.catalog).parts[0].path
    done = cq("data", "import", part, "--catalog", tmp_path / "other")
    assert (done.code, done.err) == (
        2,
        f"cq: {part}: file out of a catalog: name its folder with --catalog, or export it\n",
    )


def test_generated_rows_are_labelled_after_export_and_import(cq: Cq, tmp_path: Path) -> None:
    market = generate_market(tmp_path / "m", days=2)
    assert cq("data", "import", market).code == 0
    for kind, key in sorted({(p.kind, p.key) for p in Catalog(cq.catalog).parts}):
        out = tmp_path / "x.parquet"
        done = cq("data", "export", kind, key, out)
        assert done.out.endswith(f"{GENERATED_LINE}\n")
        own = tmp_path / f"{kind}-{key.replace('/', '-')}.mine"
        out.rename(own)
        done = cq("data", "import", own, "--catalog", tmp_path / "other")
        assert done.out.endswith(f"{GENERATED_LINE}\n")
        scanned = Catalog(tmp_path / "other").scan(kind, key)
        assert scanned.equals(Catalog(cq.catalog).scan(kind, key), check_metadata=True)
    assert all(part.source.is_generated for part in Catalog(tmp_path / "other").parts)


@pytest.mark.data
def test_real_captures_keep_stamps_flags_and_the_shift_of_their_session(
    cq: Cq, tmp_path: Path, data_dir: Path
) -> None:
    """Each key alone, though the constant of its session comes from another key's file."""
    if not (data_dir / "hftbacktest").is_dir():
        pytest.skip("no captures in this data")
    assert cq("data", "import", data_dir / "hftbacktest").code == 0
    had = Catalog(cq.catalog)
    sessions = rebase.sessions(had.parts)
    own = {part.recv for part in had.parts_of("delta", "BTCUSDT-PERP.BINANCE")}
    assert not any(f"={sessions[-1].least_latency}" in text for text in own)
    for number, (kind, key) in enumerate(had.keys()):
        cq.catalog = tmp_path / str(number) / "catalog"
        cq.catalog.parent.mkdir()
        out = tmp_path / f"{number}.parquet"
        done = cq("data", "export", kind, key, out, "--catalog", had.root)
        assert done.code == 0, done.err
        done = cq("data", "import", out, "--catalog", cq.catalog)
        assert done.code == 0, done.err
        got = Catalog(cq.catalog)
        assert got.scan(kind, key).equals(had.scan(kind, key))
        assert got.coverage(kind, key) == had.coverage(kind, key)
        assert [p.findings for p in got.parts] == [p.findings for p in had.parts_of(kind, key)]
        want = rebase.rebase(had.scan(kind, key), had.parts_of(kind, key), sessions)
        made = rebase.rebase(got.scan(kind, key), got.parts, rebase.sessions(got.parts))
        assert made.equals(want)
        if key == "BTCUSDT-PERP.BINANCE":
            assert (made.column("flags").to_numpy() & REBASED_RECV != 0).any()


@pytest.mark.data
@pytest.mark.parametrize(
    ("folder", "kind", "key"),
    [
        ("binance_perp", "bar", "BTCUSDT-PERP.BINANCE/1h"),
        ("binance_perp", "funding", "BTCUSDT-PERP.BINANCE"),
        ("lean_minute_quotes", "quote_bar", "BTCUSDT-PERP.BYBIT/1m"),
        ("onchain", "series", "glassnode_btc_1d"),
    ],
)
def test_real_tables_come_back_with_what_was_noticed(
    cq: Cq, tmp_path: Path, data_dir: Path, folder: str, kind: str, key: str
) -> None:
    if not (data_dir / folder).is_dir():
        pytest.skip("not in this data")
    assert cq("data", "import", data_dir / folder).code == 0
    _there_and_back(cq, kind, key, tmp_path / "x.parquet")
    had, got = Catalog(cq.catalog), Catalog(tmp_path / "other")
    assert got.scan(kind, key).equals(had.scan(kind, key), check_metadata=True)
    assert got.coverage(kind, key) == had.coverage(kind, key)
    grid = had.exps(kind, key)
    wanted = _said(had.parts_of(kind, key))
    assert _said(got.parts) == [(*said[:-1], grid) for said in wanted]


def test_repaired_rows_stay_marked(cq: Cq, tmp_path: Path) -> None:
    prices = "".join(f"{(T0 + n * HOUR) // 10**9},1,1,1,1,5\n" for n in (0, 1, 2, 2, 3, 4))
    (tmp_path / "x.csv").write_text("epoch,open,high,low,close,volume\n" + prices)
    said = "venue=BINANCE,symbol=X-PERP,kind=bar,interval=1h,stamp=open,volume=base"
    assert cq("data", "import", tmp_path / "x.csv", "--as", said).code == 0
    assert "repaired" in cq("data", "validate", "--repair").out
    key = "X-PERP.BINANCE/1h"
    _there_and_back(cq, "bar", key, tmp_path / "x.parquet")
    after = Catalog(tmp_path / "other").scan("bar", key)
    assert after.equals(Catalog(cq.catalog).scan("bar", key), check_metadata=True)
    assert (after.column("flags").to_numpy() & REPAIRED != 0).any()
