"""The unit that a bar's volume is in: said, shown by its column, or by the instrument."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

from tests.integration.importing import Cq
from tests.integration.layouts import (
    PERP,
    T0,
    D,
    csv_text,
    imported,
)


@pytest.mark.parametrize(
    ("instrument", "unit", "volume", "turnover"),
    [
        ("venue=OKX,symbol=BTC-USDT-SWAP", "base", D("1234"), None),  # contracts of 0.01 BTC
        ("venue=OKX,symbol=BTC-USDT-SWAP", "contracts", D("12.34"), None),
        ("venue=FTX,symbol=BTC-PERP", "quote", None, D("12.34")),
        ("venue=BINANCE,symbol=BTCUSD-PERP", "quote", D("0.1234"), None),  # contracts of 100 USD
        ("venue=BINANCE,symbol=BTCUSD-PERP", "base", None, D("12.34")),
        ("venue=NOWHERE,symbol=DOGE", "base", D("12.34"), None),
    ],
)
def test_bars_hold_volume_in_the_unit_that_orders_have(
    cq: Cq, tmp_path: Path, instrument: str, unit: str, volume: D | None, turnover: D | None
) -> None:
    path = tmp_path / "x.parquet"
    prices = {name: [60000.0] for name in ("open", "high", "low", "close")}
    table = {"date": pa.array([T0], pa.timestamp("ns", "UTC")), **prices, "volume": [12.34]}
    pq.write_table(pa.table(table), path)
    part = imported(cq, path, f"{instrument},interval=1h,stamp=open,volume={unit}")
    (row,) = cq.rows("bar", str(part["key"]))
    assert (row["volume"], row["quote_volume"]) == (volume, turnover)


@pytest.mark.parametrize("volume", ["12", "12.5", "12.34"])
def test_coins_become_contracts_whatever_decimals_they_have(
    cq: Cq, tmp_path: Path, volume: str
) -> None:
    path = tmp_path / "x.csv"
    header = ["date", "open", "high", "low", "close", "volume"]
    path.write_text(csv_text([header, ["2024-03-01 00:00", *["60000"] * 4, volume]]))
    imported(cq, path, "venue=OKX,symbol=BTC-USDT-SWAP,interval=1h,stamp=open,volume=base")
    (row,) = cq.rows("bar", "BTC-USDT-SWAP.OKX/1h")
    assert row["volume"] == D(volume) * 100  # a contract is 0.01 BTC


def _vendor(path: Path, *names: str) -> Path:
    header = ["Date", "Symbol", "Open", "High", "Low", "Close", *names, "tradecount"]
    cells = ["2024-03-01 00:00:00", "", "60000", "60000", "60000", "60000"]
    volumes = ["12.5", "750000"][: len(names)]
    path.write_text(csv_text([header, [*cells, *volumes, "7"]]))
    return path


@pytest.mark.parametrize(
    ("instrument", "names", "said", "volume", "turnover"),
    [
        (PERP, ("Volume BTC", "Volume USDT"), "base", D("12.5"), D(750000)),
        (PERP, ("Volume BTC", "Volume USDT"), "", D("12.5"), D(750000)),
        (PERP, ("Volume USDT",), "", None, D("12.5")),
        (PERP, ("Volume_(XBT)", "Volume_(Currency)"), "base", D("12.5"), None),
        ("venue=OKX,symbol=BTC-USDT-SWAP", ("Volume BTC",), "", D(1250), None),  # of 0.01 BTC
        ("venue=KRAKEN,symbol=ADA-USD", ("Volume ADA", "Volume USD"), "", D("12.5"), D(750000)),
        # Contracts of 100 USD; their turnover is in coins.
        (
            "venue=BINANCE,symbol=BTCUSD-PERP",
            ("Volume BTC", "Volume USD"),
            "",
            D(7500),
            D("12.5"),
        ),
    ],
)
def test_volumes_named_after_a_coin_are_told_by_the_instrument(
    cq: Cq,
    tmp_path: Path,
    instrument: str,
    names: tuple[str, ...],
    said: str,
    volume: D | None,
    turnover: D | None,
) -> None:
    path = _vendor(tmp_path / "x.csv", *names)
    unit = f",volume={said}" if said else ""
    part = imported(cq, path, f"{instrument},interval=1h,stamp=open{unit}")
    (row,) = cq.rows("bar", str(part["key"]))
    assert (row["volume"], row["quote_volume"], row["count"]) == (volume, turnover, 7)


@pytest.mark.parametrize(
    ("names", "said", "words"),
    [
        (("Volume ETH", "Volume USDT"), "base", "Volume ETH, Volume USDT: not in the coins of"),
        (("Volume EUR",), "quote", "Volume EUR: not in the coins of symbol=BTCUSDT-PERP"),
        (("Volume USDT",), "base", "holds Volume USDT (quote), not volume=base; leave volume out"),
        (
            ("Volume BTC", "Volume USDT"),
            "contracts",
            "holds Volume BTC (base) and Volume USDT (quote), not volume=contracts",
        ),
        (
            ("Traded",),
            "base",
            "volume=base, but none of its columns is a volume "
            "(Date, Symbol, Open, High, Low, Close, Traded, tradecount)",
        ),
    ],
)
def test_volume_that_is_said_and_not_there_is_refused(
    cq: Cq, tmp_path: Path, names: tuple[str, ...], said: str, words: str
) -> None:
    path = _vendor(tmp_path / "x.csv", *names)
    said = f"{PERP},kind=bar,interval=1h,stamp=open,volume={said}"
    done = cq("data", "import", path, "--as", said)
    assert (done.code, done.out) == (2, "")
    assert words in done.err
