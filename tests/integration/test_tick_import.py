"""Real captures through the importer: every row, against a plain reading with json."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from crypto_quant.core.errors import DataError
from crypto_quant.data_pipeline.cleaners import rebase
from crypto_quant.data_pipeline.collectors.facts import Facts
from crypto_quant.data_pipeline.collectors.importer import import_files
from crypto_quant.data_pipeline.collectors.ticks.chain import book_rows
from crypto_quant.data_pipeline.storage import Catalog, Part
from crypto_quant.data_pipeline.storage.flags import LAST, NOT_MARKET, REBASED_RECV, SNAPSHOT
from crypto_quant.venues.rules import load_instruments

pytestmark = pytest.mark.data

KEYS = {
    "usdm/btcusdt": "BTCUSDT-PERP.BINANCE",
    "usdm/ethusdt": "ETHUSDT-PERP.BINANCE",
    "cm/btcusd_perp": "BTCUSD-PERP.BINANCE",
    "spot/btcusdt": "BTCUSDT.BINANCE",
}
COUNTS = {
    "usdm/btcusdt_20230404.dat.gz": (4_322, 6_765, 2_197, 99, 1),
    "usdm/btcusdt_20230405.dat.gz": (11_788, 37_440, 10_738, 415, 0),
    "usdm/btcusdt_20240808.gz": (6_551, 66_089, 21_313, 0, 1),
    "usdm/ethusdt_20240808.gz": (6_586, 53_992, 14_076, 0, 1),
    "cm/btcusd_perp_20240808.gz": (26_847, 19_136, 2_286, 0, 1),
    "spot/btcusdt_20230405.dat.gz": (3_929, 8_015, 3_144, 0, 0),
    "spot/btcusdt_20240808.gz": (3_451, 28_040, 9_757, 0, 1),
}
"""Depth, quote, trade and mark frames and snapshots, as the data's own README counts them."""

MATCHED = {"BTCUSDT-PERP.BINANCE": 126, "ETHUSDT-PERP.BINANCE": 80}
"""Quotes of the 2024 captures that come right behind the depth frame of the same update."""

YEAR_2024 = 1_704_067_200 * 10**9


class Captures:
    """The captures that are there, imported once, with what a plain reading gives."""

    def __init__(self, folder: Path, root: Path) -> None:
        self.folder = folder
        self.files = sorted(
            p for name in ("usdm", "cm", "spot") for p in folder.glob(f"{name}/*.gz")
        )
        self.report = import_files(Catalog(root), self.files, Facts(), load_instruments())
        self.catalog = Catalog(root)
        self.sessions = rebase.sessions(self.catalog.parts)

    def name(self, path: Path) -> str:
        return path.relative_to(self.folder).as_posix()

    def key(self, path: Path) -> str:
        return next(key for start, key in KEYS.items() if self.name(path).startswith(start))

    def parts(self, path: Path) -> dict[str, Part]:
        return {
            part.kind: part
            for part in self.report.parts
            if part.source.name == path.name and part.key == self.key(path)
        }

    def rows(self, part: Part) -> pa.Table:
        return self.catalog.scan(part.kind, part.key, part.start, part.end + 1)

    def replayed(self, kind: str, key: str) -> pa.Table:
        table = self.catalog.scan(kind, key)
        return rebase.rebase(table, self.catalog.parts_of(kind, key), self.sessions)


@pytest.fixture(scope="module")
def captures(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Captures:
    folder = data_dir / "hftbacktest"
    if not any(folder.glob("*/*.gz")):
        pytest.skip("no tick captures in this data folder")
    return Captures(folder, tmp_path_factory.mktemp("ticks") / "catalog")


def lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield local stamp in ns and frame, read with the standard library."""
    with gzip.open(path, "rt") as stream:
        for line in stream:
            stamp, _, frame = line.partition(" ")
            local = int(stamp) * (1_000 if len(stamp) == 16 else 1)
            yield local, json.loads(frame)


def plain(path: Path, price: int, qty: int) -> dict[str, list[tuple[Any, ...]]]:
    """Decode a capture without any of our code: rows by kind, in the catalog's columns."""
    out: dict[str, list[tuple[Any, ...]]] = {"trade": [], "delta": [], "quote": [], "mark": []}

    def grid(text: str, exp: int) -> int:
        value = Decimal(text).scaleb(exp)
        assert value == int(value)
        return int(value)

    seen = 0
    for local, frame in lines(path):
        d = frame.get("data", frame)
        times = [d[k] * 10**6 for k in ("E", "T") if k in d and d.get("e") != "markPriceUpdate"]
        if d.get("e") == "markPriceUpdate":
            times = [d["E"] * 10**6]
        seen = max([seen, *times])
        at = d["T"] * 10**6 if "T" in d else d["E"] * 10**6 if "E" in d else seen
        if "stream" not in frame or d.get("e") == "depthUpdate":
            is_snapshot = "stream" not in frame
            ids = (
                (d["lastUpdateId"],) * 2 + (None,) if is_snapshot else (d["U"], d["u"], d.get("pu"))
            )
            bids, asks = (d["bids"], d["asks"]) if is_snapshot else (d["b"], d["a"])
            levels = [(1, *level) for level in bids] + [(-1, *level) for level in asks]
            for n, (side, px, size) in enumerate(levels, 1):
                marks = SNAPSHOT * is_snapshot + LAST * (n == len(levels))
                marks |= 0 if times else 1 << 8
                row = (at, local, *ids, side, grid(px, price), grid(size, qty), marks)
                out["delta"].append(row)
        elif d.get("e") == "trade":
            marks = 0 if d.get("X", "MARKET") == "MARKET" else NOT_MARKET
            side = -1 if d["m"] else 1
            out["trade"].append(
                (at, local, d["t"], grid(d["p"], price), grid(d["q"], qty), side, marks)
            )
        elif d.get("e") == "markPriceUpdate":
            values = [grid(d[k], 8) for k in ("p", "i", "r")]
            out["mark"].append((d["E"] * 10**6, local, *values, d["T"] * 10**6, 0))
        else:
            marks = 0 if times else 1 << 8
            values = [
                grid(d[k], e) for k, e in (("b", price), ("B", qty), ("a", price), ("A", qty))
            ]
            out["quote"].append((at, local, d["u"], *values, marks))
    return out


@pytest.mark.parametrize("name", sorted(COUNTS))
def test_every_column_equals_a_plain_reading(captures: Captures, name: str) -> None:
    path = captures.folder / name
    if path not in captures.files:
        pytest.skip(f"{name} is not in this data folder")
    parts = captures.parts(path)
    exps = captures.catalog.exps("delta", captures.key(path))
    for kind, want in plain(path, exps.price, exps.qty).items():
        assert (kind in parts) == bool(want)
        if not want:
            continue
        held = captures.catalog.exps(kind, captures.key(path))
        table = captures.rows(parts[kind])
        have = list(zip(*(table.column(c).to_pylist() for c in table.column_names), strict=True))
        finer = 0 if kind == "mark" else exps.qty - held.qty
        assert len(have) == len(want)
        if not finer:
            assert have == want
        else:
            quantities = [n for n, c in enumerate(table.column_names) if c.endswith("qty")]
            for a, b in zip(have, want, strict=True):
                scaled = [v * 10**finer if n in quantities else v for n, v in enumerate(a)]
                assert tuple(scaled) == b


def test_frames_are_counted_as_the_data_says(captures: Captures) -> None:
    for path in captures.files:
        parts = captures.parts(path)
        found = {kind: captures.rows(part) for kind, part in parts.items()}
        marks = found["delta"].column("flags").to_numpy()
        frames = marks[marks & LAST != 0] & SNAPSHOT
        counted = (
            int((frames == 0).sum()),
            found["quote"].num_rows,
            found["trade"].num_rows,
            found["mark"].num_rows if "mark" in found else 0,
            int((frames != 0).sum()),
        )
        if captures.name(path) in COUNTS:
            assert counted == COUNTS[captures.name(path)]
        assert ("without_snapshot" in parts["delta"].findings) == (counted[4] == 0)


def test_clocks_and_trade_ids_go_forward_and_odd_trades_are_flagged(captures: Captures) -> None:
    not_market: Counter[str] = Counter()
    for part in captures.report.parts:
        table = captures.rows(part)
        assert (np.diff(table.column("ts_recv").to_numpy()) >= 0).all()
        assert (np.diff(table.column("ts_event").to_numpy()) >= 0).all() or part.kind == "delta"
        if part.kind == "trade":
            assert (np.diff(table.column("id").to_numpy()) == 1).all()
            odd = table.column("flags").to_numpy() & NOT_MARKET != 0
            not_market[part.source.name] += int(odd.sum())
            assert part.findings.get("not_market", 0) == odd.sum()
    if "btcusdt_20230405.dat.gz" in not_market:
        assert +not_market == {"btcusdt_20230405.dat.gz": 1}


def test_sessions_share_one_constant_and_nothing_is_known_before_it_happens(
    captures: Captures,
) -> None:
    for kind, key in list(captures.catalog.keys()):
        table = captures.replayed(kind, key)
        event, recv = (table.column(name).to_numpy() for name in ("ts_event", "ts_recv"))
        assert (recv - event >= rebase.ASSUMED_LEAST_NS).all()
        raw = captures.catalog.scan(kind, key).column("ts_recv").to_numpy()
        flagged = table.column("flags").to_numpy() & REBASED_RECV != 0
        assert (flagged == (recv != raw)).all()
        for session in captures.sessions:
            rows = (event >= session.start) & (event <= session.end)
            assert (recv[rows] - raw[rows] == session.shift).all()
    if {captures.name(path) for path in captures.files} >= set(COUNTS):
        shifts = [session.shift for session in captures.sessions]
        assert shifts == [32_152_000, 1_276_018_265]


def rebuild(book: pa.Table) -> Iterator[tuple[int, int, dict[int, dict[int, int]]]]:
    """Yield time, update id and sides after each frame, with plain dictionaries."""
    names = ("ts_recv", "last_id", "side", "px", "qty", "flags")
    sides: dict[int, dict[int, int]] = {1: {}, -1: {}}
    loading = False
    for recv, last, side, px, qty, marks in zip(
        *(book.column(name).to_pylist() for name in names), strict=True
    ):
        if marks & SNAPSHOT and not loading:
            sides = {1: {}, -1: {}}
        loading = bool(marks & SNAPSHOT) and not marks & LAST
        if qty:
            sides[side][px] = qty
        else:
            sides[side].pop(px, None)
        if marks & LAST:
            yield recv, last, sides


@pytest.mark.parametrize("key", sorted(set(KEYS.values())))
def test_books_never_cross_and_agree_with_quotes_of_the_same_update(
    captures: Captures, key: str
) -> None:
    if key not in {k.key for k in captures.catalog.keys("delta")}:
        pytest.skip(f"no capture of {key}")
    built = book_rows(captures.replayed("delta", key))
    quotes = captures.replayed("quote", key)
    finer = captures.catalog.exps("delta", key).qty - captures.catalog.exps("quote", key).qty
    names = ("ts_recv", "bid", "bid_qty", "ask", "ask_qty")
    columns = zip(*(quotes.column(name).to_pylist() for name in names), strict=True)
    quoted = dict(zip(quotes.column("update_id").to_pylist(), columns, strict=True))
    waiting, behind = None, 0
    for recv, last, sides in rebuild(built.rows):
        behind += waiting is not None and waiting[0] <= waiting[1] < recv
        bid, ask = max(sides[1]), min(sides[-1])
        assert bid < ask
        waiting = None
        if last in quoted:
            known, *best = quoted[last]
            best[1::2] = [size * 10**finer for size in best[1::2]]
            assert [bid, sides[1][bid], ask, sides[-1][ask]] == best
            waiting = (recv, known) if known > YEAR_2024 else None
    if key in MATCHED and captures.folder.joinpath("usdm/btcusdt_20240808.gz").exists():
        assert behind == MATCHED[key]


def test_a_capture_without_snapshot_goes_on_with_the_book_of_the_file_before(
    captures: Captures,
) -> None:
    first, second = (captures.folder / f"usdm/btcusdt_2023040{day}.dat.gz" for day in (4, 5))
    spot = captures.folder / "spot/btcusdt_20230405.dat.gz"
    if not {first, second, spot} <= set(captures.files):
        pytest.skip("these captures are not in this data folder")
    one, two = (captures.rows(captures.parts(path)["delta"]) for path in (first, second))
    assert book_rows(two).rows.num_rows == 0
    both = book_rows(pa.concat_tables([one, two]))
    assert both.gaps.size == 0
    assert both.rows.num_rows > two.num_rows
    assert book_rows(captures.rows(captures.parts(spot)["delta"])).rows.num_rows == 0


def test_a_spoiled_capture_leaves_the_catalog_as_it_was(captures: Captures, tmp_path: Path) -> None:
    source = min(captures.files, key=lambda path: path.stat().st_size)
    text = gzip.decompress(source.read_bytes()).splitlines(keepends=True)
    text, start = text[1_000:], text[:1_000]
    broken = [*text[:2_000], text[2_000][:40] + b"\n", *text[2_001:]]
    root = tmp_path / "catalog"
    instruments = load_instruments()
    venue, symbol = "BINANCE", captures.key(source).removesuffix(".BINANCE")
    given = Facts(venue=venue, symbol=symbol, dataset="x")
    good = tmp_path / "good.gz"
    good.write_bytes(gzip.compress(b"".join(start)))
    import_files(Catalog(root), [good], given, instruments)
    before = {p: p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}
    for content, message in (
        (gzip.compress(b"".join(broken)), r"bad\.gz: line 2001: "),
        (gzip.compress(b"".join(text))[:-2_000], r"bad\.gz: .*(corrupt|truncated)"),
        (b"", r"bad\.gz: the file is empty"),
        (gzip.compress(b""), r"bad\.gz: "),
    ):
        bad = tmp_path / "bad.gz"
        bad.write_bytes(content)
        with pytest.raises(DataError, match=message):
            import_files(Catalog(root), [bad], given, instruments)
        assert {p: p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()} == before
