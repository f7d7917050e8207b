"""Bad input: one clear line, exit 2, the catalog as it was, byte for byte."""

from __future__ import annotations

import gzip
import os
import resource
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from crypto_quant.data_pipeline.collectors.ticks.npz import BUY, EVENT, LOCAL, TRADE, write_npz
from crypto_quant.data_pipeline.storage import Catalog
from tests.integration.importing import Cq

BARS = "venue=BINANCE,symbol=BTCUSDT-PERP,kind=bar,interval=1h,stamp=open,volume=base"
T0 = 1_709_251_200  # 2024-03-01 00:00 UTC
_HEADER = "epoch,open,high,low,close,volume\n"


def _bars(first: int, last: int, price: str = "1.5") -> str:
    rows = (f"{T0 + n * 3600},{price},{price},{price},{price},1\n" for n in range(first, last))
    return _HEADER + "".join(rows)


@pytest.fixture
def cq(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cq:
    """Return ``cq`` with a catalog that holds ten hours."""
    run = Cq(tmp_path / "catalog", monkeypatch, capsys)
    good = tmp_path / "good.csv"
    good.write_text(_bars(0, 10))
    assert run("data", "import", good, "--as", BARS).code == 0
    return run


def _truncated_parquet(path: Path) -> None:
    table = pa.table({"epoch": [T0], "open": [1.0], "high": [1.0], "low": [1.0], "close": [1.0]})
    pq.write_table(table, path)
    path.write_bytes(path.read_bytes()[:-20])


def _broken_page_parquet(path: Path) -> None:
    """Keep the footer, break the data: found only while the rows are read."""
    times = T0 + 3600 * np.arange(20, 5020)
    prices = {n: np.random.default_rng(1).random(5000).round(4) for n in ("open", "high", "low")}
    table = pa.table({"epoch": times, **prices, "close": prices["open"], "volume": prices["low"]})
    pq.write_table(table, path, use_dictionary=False)
    content = bytearray(path.read_bytes())
    content[20_000:60_000] = b"\xa5" * 40_000
    path.write_bytes(bytes(content))


def _large_floats(path: Path) -> None:
    prices = {name: [1.5, 1.5] for name in ("open", "high", "low", "close", "volume")}
    prices["high"] = [1.5, 1e300]
    pq.write_table(pa.table({"epoch": [T0 + 20 * 3600, T0 + 21 * 3600], **prices}), path)


def _nautilus(price: bytes | None, side: int) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        columns = {
            "price": pa.array([price], pa.binary(8)),
            "size": pa.array([(10**9).to_bytes(8, "little")], pa.binary(8)),
            "aggressor_side": pa.array([side], pa.uint8()),
            "trade_id": pa.array(["1"]),
            "ts_event": pa.array([T0 * 10**9], pa.uint64()),
            "ts_init": pa.array([T0 * 10**9], pa.uint64()),
        }
        precision = {"price_precision": "2", "size_precision": "3"}
        pq.write_table(pa.table(columns).replace_schema_metadata(precision), path)

    return write


def _npz(path: Path) -> None:
    event = (TRADE | LOCAL | BUY, T0 * 10**9, T0 * 10**9, np.nan, 1.0, 0, 0, 0.0)
    with path.open("wb") as stream:
        write_npz(stream, np.array([event], EVENT))


def _binary(path: Path) -> None:
    path.write_bytes(np.random.default_rng(3).bytes(999))


def _truncated_gzip(path: Path) -> None:
    path.write_bytes(gzip.compress(_bars(20, 50_000).encode())[:-5000])


def _flipped_gzip(path: Path) -> None:
    content = bytearray(gzip.compress(_bars(20, 100).encode()))
    content[-6] ^= 0xFF
    path.write_bytes(bytes(content))


def _truncated_zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.csv", _bars(20, 100))
    path.write_bytes(path.read_bytes()[:-30])


def _flipped_zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("x.csv", _bars(20, 20_000))
    content = bytearray(path.read_bytes())
    content[200_000] ^= 1
    path.write_bytes(bytes(content))


def _patched_zip(local: int, central: int, value: int) -> Callable[[Path], None]:
    """Change one byte of the last member's two headers."""

    def write(path: Path) -> None:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a.csv", _bars(20, 100))
            archive.writestr("b.csv", _bars(100, 200))
        content = bytearray(path.read_bytes())
        content[content.rfind(b"PK\x03\x04") + local] = value
        content[content.rfind(b"PK\x01\x02") + central] = value
        path.write_bytes(bytes(content))

    return write


def _packed_nothing(path: Path) -> None:
    path.write_bytes(gzip.compress(b""))


def _zip_of_nothing(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.csv", "")


def _text(content: str) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        path.write_text(content)

    return write


def _lean(*lines: str) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("20240301_btcusdt_minute_trade.csv", "\n".join(lines))

    return write


PERP = "venue=BINANCE,symbol=BTCUSDT-PERP"
LEAN = "venue=BINANCE,symbol=BTCUSDT,volume=base"
_HOURS = ("0,1,1,1,1,9", "3600000,1,1,1,1,9")
_TARDIS = (
    "exchange,symbol,timestamp,local_timestamp,id,side,price,amount\n"
    f"binance-futures,BTCUSDT,{T0}000000,{T0}001000,1,buy,61000.1,0.5\n"
)
_QUOTED = "1,1,1,1,5,2,2,2,2,6"
_ROW = f"{T0 + 20 * 3600},1,1,1,1,1\n"
BAD: dict[str, tuple[Callable[[Path], None], str, str]] = {
    "missing": (lambda _: None, BARS, "no such file or folder"),
    "empty": (_text(""), BARS, "the file is empty"),
    "gzip of nothing": (_packed_nothing, BARS, "the file is empty"),
    "zip of nothing": (_zip_of_nothing, BARS, "x.csv in it is empty"),
    "bars without a close": (
        _text(f"epoch,open,high,low,last,volume\n{_ROW}"),
        BARS,
        "bars need the column close; it has epoch, open, high, low, last, volume",
    ),
    "bars without a time": (
        _text("when,open,high,low,close\n1,1,1,1,1\n"),
        BARS,
        "bars need the column time; it has when, open, high, low, close",
    ),
    "key of another kind": (
        _text(f"{_HEADER}{_ROW}"),
        f"{BARS},rate=percent",
        "--as: rate says nothing of kind=bar; leave it out",
    ),
    "header only": (_text(_HEADER), BARS, "the file has no rows"),
    "unknown": (_text("hello\nworld\n"), BARS, "no known layout (plain file)"),
    "binary": (_binary, BARS, "no known layout (plain file)"),
    "parquet footer": (_truncated_parquet, BARS, "corrupt parquet file"),
    "parquet page": (_broken_page_parquet, BARS, "corrupt file"),
    "gzip cut": (_truncated_gzip, BARS, "corrupt"),
    "gzip flipped": (_flipped_gzip, BARS, "corrupt"),
    "zip cut": (_truncated_zip, BARS, "corrupt zip file"),
    "zip flipped": (_flipped_zip, BARS, "corrupt"),
    "zip encrypted": (_patched_zip(6, 8, 1), BARS, "b.csv is encrypted; unpack the archive first"),
    "zip of an odd method": (
        _patched_zip(8, 10, 97),
        BARS,
        "b.csv is packed by method 97, which is not read here; unpack the archive first",
    ),
    "NaN": (
        _text(_HEADER + _ROW + f"{T0 + 21 * 3600},1,1,NaN,1,1\n"),
        BARS,
        "low: the price at 2024-03-01T21:00:00.000000000 is missing or NaN",
    ),
    "infinite": (_text(_HEADER + _ROW.replace(",1\n", ",inf\n")), BARS, "is infinite"),
    "price of 301 digits": (
        _text(_bars(20, 21) + _bars(21, 22, "2e300").removeprefix(_HEADER)),
        BARS,
        "open: row 1: 2e300 does not fit 64 bits",
    ),
    "price of 301 written digits": (
        _text(_bars(20, 21, "1" + "0" * 300)),
        BARS,
        "open: row 0: 100000000000000000000000… does not fit 64 bits",
    ),
    "price just beyond 64 bits": (
        _text(_bars(20, 21, str(2**63))),
        BARS,
        "row 0: 9223372036854775808 does not fit 64 bits",
    ),
    "price beyond 64 bits on its grid": (
        _text(_bars(20, 21, f"{2**62}.5")),
        BARS,
        "does not fit 64 bits on this grid",
    ),
    "volume of 301 digits": (
        _text(_HEADER + _ROW.replace(",1\n", ",-1E+300\n")),
        BARS,
        "volume: row 0: -1E+300 does not fit 64 bits",
    ),
    "float price of 301 digits": (_large_floats, BARS, "high: row 1: 1e+300 does not fit 64 bits"),
    "no number": (_text(_HEADER + _ROW.replace(",1\n", ",many\n")), BARS, "'many' is not a number"),
    "no time": (_text(_HEADER + ",1,1,1,1,1\n"), BARS, "the time is missing"),
    "a column twice": (
        _text("epoch," + _HEADER + "1,1,1,1,1,1,1\n"),
        BARS,
        "column 'epoch' is there twice; leave one in",
    ),
    "a time out of range": (
        _text(_HEADER + "50000000000,1,1,1,1,1\n"),
        BARS,
        "epoch: row 0: 50000000000 is out of range (1840 to 2100)",
    ),
    "a pipe": (os.mkfifo, BARS, "neither a file nor a folder; write it to a file first"),
    "a key of two lines": (
        _text(_HEADER + _ROW),
        BARS.replace("BTCUSDT", "BTC\nUSDT"),
        "'BTC\\nUSDT-PERP.BINANCE/1h' cannot be a key",
    ),
    "no period": (_text(_bars(20, 30)), BARS.replace("1h", "0h"), "a period is longer than 0h"),
    "half rows": (_text(_HEADER + _ROW + "1709300000,1,1\n"), BARS, "corrupt file"),
    "off the hour": (
        _text(_HEADER + f"{T0 + 100_000},1,1,1,1,1\n"),
        BARS,
        "is no start of a 1h bar; check interval and stamp",
    ),
    "LEAN of hours": (_lean(*_HOURS), f"{LEAN},interval=1h", "holds minutes (interval=1m), not 1h"),
    "LEAN off the minute": (
        _lean("0,1,1,1,1,9", "60000,1,1,1,1,9", "90000,1,1,1,1,9"),
        LEAN,
        "2024-03-01T00:01:30.000000000 is no start of a 1m bar; second files of LEAN are not read",
    ),
    "LEAN quotes off the minute": (
        _lean(f"1000,{_QUOTED}", f"61000,{_QUOTED}"),
        f"{LEAN},interval=1m",
        "2024-03-01T00:00:01.000000000 is no start of a 1m bar",
    ),
    "Tardis kind unsaid": (
        _text(_TARDIS),
        "venue=BINANCE",
        'Tardis CSV; give symbol, kind, for instance --as "symbol=BTCUSDT-PERP,kind=trade"',
    ),
    "Tardis without a price": (
        _text(_TARDIS + _TARDIS.splitlines()[1].replace("61000.1", "") + "\n"),
        f"{PERP},kind=trade",
        "bad.file: trade: row 1 has no px",
    ),
    "Tardis kind of another file": (
        _text(_TARDIS),
        "venue=BINANCE,symbol=BTCUSDT-PERP,kind=delta",
        "holds trade or liquidation rows, not delta",
    ),
    "Nautilus price missing": (_nautilus(None, 1), PERP, "bad.file: price: row 0 has no value"),
    "Nautilus side": (
        _nautilus(bytes(8), 7),
        PERP,
        "bad.file: aggressor_side: row 0: expected 0, 1 or 2, was 7",
    ),
    "npz without a price": (_npz, PERP, "bad.file: px: row 0: expected a number of 64 bits"),
    "same again": (_text(_bars(0, 10)), BARS, "already in the catalog as bar/BTCUSDT-PERP"),
    "overlap": (_text(_bars(9, 30)), BARS, "overlaps good.csv, which holds"),
    "bad key": (_text(_bars(20, 30)), BARS.replace("venue", "vanue"), "unknown key 'vanue'"),
    "bad value": (
        _text(_bars(20, 30)),
        BARS.replace("=open", "=mid"),
        "stamp is one of open, close",
    ),
    "wrong kind": (_text(_bars(20, 30)), "kind=depth_band", "which does not hold depth_band"),
    "missing facts": (
        _text(_bars(20, 30)),
        "venue=BINANCE,interval=1h",
        'give symbol, stamp, volume, for instance --as "symbol=BTCUSDT-PERP,stamp=open',
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_file_is_one_line_and_changes_nothing(cq: Cq, tmp_path: Path, case: str) -> None:
    make, said, message = BAD[case]
    path = tmp_path / "bad.file"
    make(path)
    before = cq.files()
    done = cq("data", "import", path, "--as", said)
    assert done.code == 2
    assert message in done.err
    assert done.err.count("\n") == 1, done.err
    assert done.err.startswith("cq: ")
    assert done.out == ""
    assert cq.files() == before


def test_values_that_no_grid_holds_together_name_their_file(cq: Cq, tmp_path: Path) -> None:
    """Each piece of the file has a grid; the finer one is too fine for the other's prices."""
    path = tmp_path / "wide.csv"
    header, row = _TARDIS.splitlines()
    rows = [row.replace("001000,1", f"{n:06},{n}") for n in range(100_000)]
    coarse = [row.replace("61000.1", str(10**16)) for row in rows[:-1]]
    path.write_text("\n".join([header, *coarse, rows[-1].replace("61000.1", "0.0001")]) + "\n")
    before = cq.files()
    done = cq("data", "import", path, "--as", f"{PERP},kind=trade")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "wide.csv: trade: px: a value with" in done.err
    assert cq.files() == before


def test_one_bad_file_of_a_folder_keeps_all_out(cq: Cq, tmp_path: Path) -> None:
    folder = tmp_path / "both"
    folder.mkdir()
    (folder / "a.csv").write_text(_bars(20, 30))
    (folder / "b.csv").write_text(_bars(40, 50, price="NaN"))
    before = cq.files()
    done = cq("data", "import", folder, "--as", BARS)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "b.csv" in done.err
    assert cq.files() == before


def test_folder_without_a_readable_file_says_why(cq: Cq, tmp_path: Path) -> None:
    folder = tmp_path / "books"
    folder.mkdir()
    empty = cq("data", "import", folder)
    assert (empty.code, empty.err) == (2, f"cq: {folder}: no file that can be imported\n")
    for name in ("README", "a.txt", "b.txt"):
        (folder / name).write_text("words\n")
    (folder / "rows.csv").write_text("kind,bids_json,asks_json\nbook,[],[]\n")
    before = cq.files()
    done = cq("data", "import", folder)
    assert (done.code, done.err) == (
        2,
        f"cq: {folder}: no file that can be imported (rows.csv: books as JSON text, a row each: "
        "its decoder comes with the feeds; README: no known layout (plain file); "
        "a.txt: no known layout (plain file); and 1 more)\n",
    )
    assert cq.files() == before


def test_two_files_of_one_folder_that_overlap_are_both_named(cq: Cq, tmp_path: Path) -> None:
    folder = tmp_path / "both"
    folder.mkdir()
    (folder / "a.csv").write_text(_bars(20, 30))
    (folder / "b.csv").write_text(_bars(25, 50))
    before = cq.files()
    done = cq("data", "import", folder, "--as", BARS)
    assert done.code == 2
    assert "b.csv: bar/BTCUSDT-PERP.BINANCE/1h" in done.err
    assert "overlaps a.csv" in done.err
    assert cq.files() == before


def _command(cq: Cq, path: Path) -> list[str]:
    words = ["data", "import", str(path), "--as", BARS, "--catalog", str(cq.catalog)]
    return [sys.executable, "-c", "from crypto_quant.cli import main; main()", *words]


def _long_file(path: Path) -> None:
    """Half a million bars of random prices: megabytes out, a second of work."""
    rows = 500_000
    prices = np.random.default_rng(7).random(rows).round(6)
    names = ("open", "high", "low", "close", "volume")
    times = T0 + 3600 * np.arange(20, rows + 20)
    pq.write_table(pa.table({"epoch": times, **dict.fromkeys(names, prices)}), path)


def test_full_disk_is_one_line_and_changes_nothing(cq: Cq, tmp_path: Path) -> None:
    _long_file(tmp_path / "long.parquet")
    before = cq.files()

    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))

    done = subprocess.run(  # noqa: S603 - our own program
        _command(cq, tmp_path / "long.parquet"),
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=small_files,
    )
    assert done.returncode == 2, done.stderr
    assert done.stderr.strip().endswith("the disk is full; nothing was imported")
    assert done.stderr.count("\n") == 1, done.stderr
    assert cq.files() == before


@pytest.mark.skipif(os.geteuid() != 0, reason="a file system can only be mounted by root")
def test_full_file_system_is_one_line_and_changes_nothing(cq: Cq, tmp_path: Path) -> None:
    _long_file(tmp_path / "long.parquet")
    mount = tmp_path / "small"
    mount.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(mount)]
    if subprocess.run(words, capture_output=True, check=False).returncode:  # noqa: S603 - fixed
        pytest.skip("mounting is not allowed here")
    try:
        cq.catalog.rename(tmp_path / "moved")
        subprocess.run(["cp", "-r", tmp_path / "moved", mount / "c"], check=True)  # noqa: S603, S607 - fixed
        cq.catalog = mount / "c"
        before = cq.files()
        done = subprocess.run(  # noqa: S603 - our own program
            _command(cq, tmp_path / "long.parquet"), capture_output=True, text=True, check=False
        )
        assert done.returncode == 2, done.stderr
        assert done.stderr.strip().endswith("the disk is full; nothing was imported")
        assert done.stderr.count("\n") == 1, done.stderr
        assert cq.files() == before
    finally:
        subprocess.run(["umount", str(mount)], check=True)  # noqa: S603, S607 - fixed


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL])
def test_stopped_import_leaves_the_catalog_as_it_was(
    cq: Cq, tmp_path: Path, sent: signal.Signals
) -> None:
    _long_file(tmp_path / "long.parquet")
    before = cq.files()
    process = subprocess.Popen(  # noqa: S603 - our own program
        _command(cq, tmp_path / "long.parquet"), stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 60
    while not any(f.stat().st_size for f in cq.catalog.rglob("*.tmp")):
        assert process.poll() is None, "the import ended before it could be stopped"
        assert time.monotonic() < deadline
        time.sleep(0.001)
    process.send_signal(sent)
    _, err = process.communicate(timeout=60)
    if sent is signal.SIGINT:
        assert process.returncode == 2
        assert err.strip() == "cq: interrupted; nothing half-done was kept"
        assert cq.files() == before
    assert cq("data", "list").code == 0
    with Catalog(cq.catalog).transaction():
        assert cq.files() == before, "the next import did not clean up"


@pytest.mark.parametrize("words", [("",), (".", ""), (".", "--catalog", "")])
def test_an_empty_path_is_not_the_current_folder(
    cq: Cq, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    """It is what an unset variable in quotes becomes."""
    monkeypatch.chdir(tmp_path)
    before = cq.files()
    done = cq("data", "import", *words)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert "a path is empty" in done.err
    assert cq.files() == before
