"""A capture of a combined stream: each symbol goes to its own instrument, in one pass."""

from __future__ import annotations

import gzip
import heapq
import json
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from crypto_quant.data_pipeline.storage import Catalog
from tests.integration.importing import Cq

T0 = 1_709_251_200_000
PERP = "venue=BINANCE,symbol=BTCUSDT-PERP"
D = Decimal
IDS = ("BTCUSDT-PERP.BINANCE", "ETHUSDT-PERP.BINANCE")


def frame(ms: int, name: str, **data: object) -> str:
    text = json.dumps({"stream": name, "data": data}, separators=(",", ":"))
    return f"{(T0 + ms) * 10**6} {text}\n"


def depth(ms: int, symbol: str, last: int, before: int, px: str) -> str:
    ids = {"U": before + 1, "u": last, "pu": before}
    levels = {"b": [[px, "1.5"]], "a": []}
    about = {"e": "depthUpdate", "E": T0 + ms, "T": T0 + ms, "s": symbol}
    return frame(ms, f"{symbol.lower()}@depth", **about, **ids, **levels)


def trade(ms: int, symbol: str, number: int, px: str) -> str:
    about = {"e": "trade", "E": T0 + ms, "T": T0 + ms, "s": symbol, "t": number}
    more = {"p": px, "q": "0.5", "X": "MARKET", "m": False}
    return frame(ms, f"{symbol.lower()}@trade", **about, **more)


def capture(path: Path, lines: Iterable[str]) -> Path:
    path.write_bytes(gzip.compress("".join(lines).encode()))
    return path


MIXED = [
    depth(0, "BTCUSDT", 10, 9, "61000.1"),
    depth(1, "ETHUSDT", 710, 709, "3000.01"),
    trade(2, "ETHUSDT", 5, "3000.02"),
    depth(3, "BTCUSDT", 11, 10, "61000.2"),
    f'{(T0 + 4) * 10**6} {{"result":null,"id":1}}\n',
    depth(5, "ETHUSDT", 720, 715, "3000.03"),  # five of its updates are missing
    trade(6, "BTCUSDT", 40, "61000.1"),
    trade(7, "ETHUSDT", 8, "3000.02"),  # and two of its trades
]


def test_each_symbol_has_its_rows_and_its_breaks(cq: Cq, tmp_path: Path) -> None:
    done = cq("data", "import", capture(tmp_path / "x.gz", MIXED), "--as", PERP, "--json")
    assert done.code == 0, done.err
    parts = {(p["kind"], p["key"]): p for p in json.loads(done.out)["parts"]}
    assert set(parts) == {(kind, key) for kind in ("delta", "trade") for key in IDS}
    bitcoin, ether = (parts["delta", key]["findings"] for key in IDS)
    assert "update_id_gaps" not in bitcoin
    assert ether["update_id_gaps"] == 1
    assert "trade_id_gaps" not in parts["trade", IDS[0]]["findings"]
    assert parts["trade", IDS[1]]["findings"]["trade_id_gaps"] == 1
    prices = [[row["px"] for row in cq.rows("delta", key)] for key in IDS]
    assert prices == [[D("61000.1"), D("61000.2")], [D("3000.01"), D("3000.03")]]
    assert [row["id"] for row in cq.rows("trade", IDS[1])] == [5, 8]
    assert Catalog(cq.catalog).exps("delta", IDS[1]).price == 2  # its own grid


@pytest.mark.parametrize("other", ["BTCUSDT_240628", "BTCUSD_PERP", "ethusdt"])
def test_a_contract_of_another_kind_is_one_line(cq: Cq, tmp_path: Path, other: str) -> None:
    lines = [*MIXED, depth(8, other, 5, 4, "62000.1")]
    done = cq("data", "import", capture(tmp_path / "x.gz", lines), "--as", PERP)
    assert done.code == 2
    assert f"{other} is no contract of the kind of BTCUSDT" in done.err
    assert len(done.err.strip().splitlines()) == 1


@pytest.mark.parametrize("said", ["ETHUSDT-PERP", "BTCUSDT-PERP"])
def test_whichever_of_them_is_said_the_rows_are_the_same(cq: Cq, tmp_path: Path, said: str) -> None:
    path = capture(tmp_path / "x.gz", MIXED)
    assert cq("data", "import", path, "--as", f"venue=BINANCE,symbol={said}").code == 0
    assert [len(cq.rows(kind, key)) for kind in ("delta", "trade") for key in IDS] == [2, 2, 1, 2]
    again = cq("data", "import", path, "--as", f"venue=BINANCE,symbol={said}", "--skip-known")
    assert again.code == 0
    assert "already in the catalog: 1 files" in again.out


def test_a_symbol_without_rules_has_the_finest_grid(cq: Cq, tmp_path: Path) -> None:
    lines = [*MIXED[:2], depth(9, "NEWUSDT", 3, 2, "0.00000123")]
    assert cq("data", "import", capture(tmp_path / "x.gz", lines), "--as", PERP).code == 0
    (row,) = cq.rows("delta", "NEWUSDT-PERP.BINANCE")
    assert f"{row['px']:f}" == "0.00000123"


@pytest.mark.parametrize(
    ("lines", "said", "words"),
    [
        (MIXED, "SOLUSDT-PERP", "frames say BTCUSDT, ETHUSDT, not symbol=SOLUSDT-PERP; give"),
        (MIXED, "BTCUSDT", "holds futures frames, but BTCUSDT.BINANCE is spot"),
        (
            [*MIXED, f'{(T0 + 9) * 10**6} {{"lastUpdateId":4,"bids":[["1","1"]],"asks":[]}}\n'],
            "BTCUSDT-PERP",
            'line 9: a frame in a capture of several symbols without "s"',
        ),
    ],
)
def test_what_belongs_to_none_of_them_is_one_line(
    cq: Cq, tmp_path: Path, lines: list[str], said: str, words: str
) -> None:
    path = capture(tmp_path / "x.gz", lines)
    done = cq("data", "import", path, "--as", f"venue=BINANCE,symbol={said}")
    assert done.code == 2
    assert words in done.err
    assert len(done.err.strip().splitlines()) == 1
    assert not cq.files()


def named(path: Path, most: int) -> Iterator[str]:
    """Yield the first frames of a real capture that name their symbol."""
    with gzip.open(path, "rt") as text:
        left = most
        for line in text:
            if '"s":' in line and left:
                left -= 1
                yield line


@pytest.mark.data
def test_real_captures_in_one_file_are_what_they_are_alone(
    cq: Cq, tmp_path: Path, data_dir: Path
) -> None:
    names = ("btcusdt", "ethusdt")
    own = {n: list(named(data_dir / f"hftbacktest/usdm/{n}_20240808.gz", 4_000)) for n in names}
    merged = heapq.merge(*own.values(), key=lambda line: int(line.split(" ", 1)[0]))
    done = cq("data", "import", capture(tmp_path / "all.gz", merged), "--as", PERP)
    assert done.code == 0, done.err
    together = Catalog(cq.catalog)
    apart = tmp_path / "alone"
    for name, key in zip(names, IDS, strict=True):
        path = capture(tmp_path / f"{name}.gz", own[name])
        said = f"venue=BINANCE,symbol={key.partition('.')[0]}"
        done = cq("data", "import", path, "--as", said, "--catalog", apart)
        assert done.code == 0, done.err
    alone, keys = Catalog(apart), together.keys()
    assert set(keys) == set(alone.keys())
    for kind, key in keys:
        assert together.scan(kind, key).equals(alone.scan(kind, key)), (kind, key)
        (one,), (other,) = (c.parts_of(kind, key) for c in (together, alone))
        assert (one.findings, one.exps) == (other.findings, other.exps)
