"""The real data folder through ``cq data import``, checked against its files read otherwise.

Nothing here knows the periods of the files: later ones may be swapped in, and optional
series may be missing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from crypto_quant.cli.root import cq
from crypto_quant.core.errors import CryptoQuantError
from crypto_quant.data_pipeline.storage import Catalog

pytestmark = pytest.mark.data

FOLDERS = (
    "binance_perp",
    "binance_spot_1m",
    "binance_spot_1h",
    "bybit_perp",
    "okx_perp",
    "ftx_perp",
    "hyperliquid_perp",
    "coinglass",
    "options",
    "onchain",
    "alternative",
    "lean_minute_quotes",
    "cryptofeed_wire",
    "nautilus_fixtures",
)


@pytest.fixture(scope="module")
def output(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Catalog, str]:
    """Import every folder without ticks once; return the catalog and what was printed."""
    root = tmp_path_factory.mktemp("real") / "catalog"
    folders = [str(data_dir / name) for name in FOLDERS if (data_dir / name).is_dir()]
    done = CliRunner().invoke(cq, ["data", "import", *folders, "--catalog", str(root)])
    if isinstance(done.exception, CryptoQuantError):
        raise done.exception
    assert done.exit_code == 0, done.output
    return Catalog(root), done.output


def _tables(folder: Path, pattern: str) -> Iterator[Path]:
    yield from sorted(folder.glob(pattern))


def test_every_file_is_imported_or_named(output: tuple[Catalog, str], data_dir: Path) -> None:
    catalog, printed = output
    imported = {part.source.name for part in catalog.parts}
    for folder in ("coinglass", "onchain", "alternative", "binance_spot_1m", "binance_perp"):
        for path in (data_dir / folder).rglob("*.*"):
            assert path.name in imported, path
    assert "no known layout" not in printed
    if (data_dir / "cryptofeed_wire").is_dir():
        assert "recording of venue connections: its decoder comes with the feeds" in printed
    if any((data_dir / "options").glob("*chain*")):
        assert "snapshot of an option chain" in printed


@pytest.mark.parametrize(
    ("folder", "pattern", "key", "time"),
    [
        ("binance_spot_1m", "BTCUSDT-spot-1m-*.parquet", "BTCUSDT.BINANCE/1m", "open_time"),
        ("binance_perp", "BTCUSDT-perp-1h_*.parquet", "BTCUSDT-PERP.BINANCE/1h", ""),
        ("binance_perp", "ETHUSDT-perp-1h_*.parquet", "ETHUSDT-PERP.BINANCE/1h", ""),
        ("binance_perp", "BTCUSDT-perp-15m*.parquet", "BTCUSDT-PERP.BINANCE/15m", ""),
        ("bybit_perp", "BTCUSDT-perp-1h*.parquet", "BTCUSDT-PERP.BYBIT/1h", ""),
    ],
)
def test_bars_are_the_files_numbers_exactly(
    output: tuple[Catalog, str], data_dir: Path, folder: str, pattern: str, key: str, time: str
) -> None:
    """Grid integers over a power of ten are, as floats, the very floats of the files."""
    catalog, _ = output
    paths = list(_tables(data_dir / folder, pattern))
    if not paths:
        pytest.skip(f"no {folder}/{pattern}")
    table = catalog.scan("bar", key)
    exps = catalog.exps("bar", key)
    frames = [pq.read_table(path) for path in paths]
    frames.sort(key=lambda frame: str(frame.column(time or frame.column_names[0])[0]))
    for name in ("open", "high", "low", "close", "volume"):
        exp = exps.qty if name == "volume" else exps.price
        ours = table.column(name).to_numpy() / 10.0**exp
        theirs = np.concatenate([frame.column(name).to_numpy() for frame in frames])
        assert ours.tolist() == theirs.tolist(), name
    times = table.column("ts_event").to_numpy()
    assert (np.diff(times) > 0).all()
    step = catalog.parts_of("bar", key)[0].interval or 0
    assert (table.column("ts_recv").to_numpy() - times == step).all()
    if time:
        assert (times // 10**6 == np.concatenate([f.column(time).to_numpy() for f in frames])).all()


def test_off_tick_bars_of_the_perpetual_are_counted(
    output: tuple[Catalog, str], data_dir: Path
) -> None:
    """Counted again in decimals: tick 0.01 until 2022-02-15 03:00 UTC, then 0.10."""
    catalog, _ = output
    changed = int(dt.datetime(2022, 2, 15, 3, tzinfo=dt.UTC).timestamp())
    checked = 0
    for path in _tables(data_dir / "binance_perp", "BTCUSDT-perp-1h_*.parquet"):
        frame = pq.read_table(path)
        if "epoch" not in frame.column_names:
            continue
        off = 0
        for row in frame.select(["epoch", "open", "high", "low", "close"]).to_pylist():
            tick = Decimal("0.01") if row.pop("epoch") < changed else Decimal("0.1")
            off += any(Decimal(repr(price)) % tick != 0 for price in row.values())
        (part,) = (p for p in catalog.parts if p.source.name == path.name)
        assert part.findings.get("off_tick_rows", 0) == off
        checked += 1
    if not checked:
        pytest.skip("no hourly file with epochs")


def test_funding_rates_are_exact_and_keep_their_jitter(
    output: tuple[Catalog, str], data_dir: Path
) -> None:
    catalog, _ = output
    key = "BTCUSDT-PERP.BINANCE"
    table = catalog.scan("funding", key)
    exp = catalog.exps("funding", key).rate
    expected: dict[int, Decimal] = {}
    for path in _tables(data_dir / "binance_perp", "BTCUSDT-perp-funding-*.parquet"):
        for row in pq.read_table(path).to_pylist():
            rate = row.get("rate", row.get("funding_rate"))
            if "epoch" in row:
                ts = row["epoch"] * 10**9
            else:
                since = row["timestamp"] - dt.datetime(1970, 1, 1)  # noqa: DTZ001 - naive like it
                ts = since // dt.timedelta(microseconds=1) * 1000
            expected[ts] = Decimal(repr(rate))
    found = {row["ts_event"]: Decimal(row["rate"]).scaleb(-exp) for row in table.to_pylist()}
    assert found == expected


def test_holes_are_those_of_the_rows(output: tuple[Catalog, str], data_dir: Path) -> None:
    """Spot minutes missing by coverage are those missing by counting distinct minutes."""
    catalog, _ = output
    if "BTCUSDT.BINANCE/1m" not in {key.key for key in catalog.keys("bar")}:
        pytest.skip("no spot minutes")
    cover = catalog.coverage("bar", "BTCUSDT.BINANCE/1m")
    times = np.concatenate(
        [
            pq.read_table(path, columns=["open_time"]).column("open_time").to_numpy()
            for path in _tables(data_dir / "binance_spot_1m", "*.parquet")
        ]
    )
    times.sort()
    minutes = (times[-1] - times[0]) // 60_000 + 1
    assert sum(hole.missing for hole in cover.holes) == minutes - np.unique(times).size
    assert len(cover.holes) == int((np.diff(times) > 60_000).sum())


def test_no_series_is_known_before_its_period_ends(output: tuple[Catalog, str]) -> None:
    catalog, _ = output
    noon, midnight = 12 * 3_600 * 10**9, 0
    delays = {"fear_greed_1d": midnight, "deribit_dvol_1d": midnight, "coinglass_oi_1d": noon}
    delays |= {"btc_hashrate_1d": noon, "glassnode_btc_1d": noon, "cryptoquant_btc_1d": noon}
    keys = {key.key for key in catalog.keys("series")}
    for key, delay in delays.items():
        if key not in keys:
            continue
        table = catalog.scan("series", key, columns=["ts_event", "ts_recv"])
        apart = table.column("ts_recv").to_numpy() - table.column("ts_event").to_numpy()
        assert (apart == 86_400 * 10**9 + delay).all(), key


def test_ftx_minutes_agree_with_spot_of_the_same_minute(output: tuple[Catalog, str]) -> None:
    """The stamps of that file are closes: moved to opens, its returns line up with spot's."""
    catalog, _ = output
    keys = {key.key for key in catalog.keys("bar")}
    if not {"BTC-PERP.FTX/1m", "BTCUSDT.BINANCE/1m"} <= keys:
        pytest.skip("needs FTX and spot minutes")
    ftx = catalog.scan("bar", "BTC-PERP.FTX/1m", columns=["ts_event", "close"])
    times = ftx.column("ts_event").to_numpy()
    spot = catalog.scan(
        "bar", "BTCUSDT.BINANCE/1m", int(times[0]), int(times[-1]) + 1, ["ts_event", "close"]
    )
    _, left, right = np.intersect1d(times, spot.column("ts_event").to_numpy(), return_indices=True)
    ours = np.diff(np.log(ftx.column("close").to_numpy()[left]))
    theirs = np.diff(np.log(spot.column("close").to_numpy()[right]))
    assert np.corrcoef(ours, theirs)[0, 1] > 0.9
    assert np.corrcoef(ours[1:], theirs[:-1])[0, 1] < 0.2


def test_lean_contracts_and_coins(output: tuple[Catalog, str]) -> None:
    """Coin-margined volume is whole contracts near the bar prices of that day."""
    catalog, _ = output
    key = "BTCUSD-PERP.BINANCE/1m"
    if key not in {k.key for k in catalog.keys("bar")}:
        pytest.skip("no LEAN sample")
    exps = catalog.exps("bar", key)
    assert exps.qty == 0
    close = catalog.scan("bar", key, columns=["close"]).column("close").to_numpy()
    day = 10.0**exps.price
    assert 1_000 < close.min() / day < close.max() / day < 1_000_000
