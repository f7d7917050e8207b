"""LEAN's hour and daily files.

No such file is in the shared data: they are made here of its real minute files, taken
together to hours and days by plain decimals, in the layout that LEAN documents.
"""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from crypto_quant.data_pipeline.storage import Catalog
from crypto_quant.data_pipeline.storage.flags import SYNTHETIC_RECV
from tests.integration.importing import Cq

D = Decimal
HOUR = 3_600 * 10**9
T0 = 1_670_889_600 * 10**9  # 2022-12-13 00:00 UTC, the day of the samples
BYBIT = "venue=BYBIT,symbol=BTCUSDT-PERP,volume=base"
SAMPLES = "lean_minute_quotes/cryptofuture_bybit_minute_btcusdt_20221213"


def _zip(path: Path, lines: Sequence[str]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("btcusdt.csv", "".join(f"{line}\n" for line in lines))
    return path


def _minutes(path: Path) -> list[list[D | None]]:
    with zipfile.ZipFile(path) as archive:
        text = archive.read(archive.namelist()[0]).decode()
    rows = [line.split(",") for line in text.splitlines()]
    return [[D(cell) if cell else None for cell in row] for row in rows]


def _bars(prices: Sequence[Sequence[D | None]]) -> list[D | None]:
    """Take OHLC rows together; rows of a side without a quote count for nothing."""
    known = [row for row in prices if None not in row]
    if not known:
        return [None] * 4
    first, highs, lows, last = (list(column) for column in zip(*known, strict=True))
    return [first[0], max(filter(None, highs)), min(filter(None, lows)), last[-1]]


def _taken_together(rows: list[list[D | None]], hours: int) -> list[list[D | None]]:
    """Return rows of ``hours`` each; the first cell is the hour at which one begins."""
    groups: dict[int, list[list[D | None]]] = {}
    for row in rows:
        begin = int(row[0] or 0) // (3_600_000 * hours) * hours
        groups.setdefault(begin, []).append(row[1:])
    made = []
    for begin, group in groups.items():
        sides = [[row[at : at + 5] for row in group] for at in range(0, len(group[0]), 5)]
        cells: list[D | None] = []
        for side in sides:
            sizes = [row[4] for row in side if row[4] is not None]
            size = sum(sizes, D()) if len(sides) == 1 else (sizes[-1] if sizes else None)
            cells += [*_bars([row[:4] for row in side]), size]
        made.append([D(begin), *cells])
    return made


def _lines(rows: list[list[D | None]]) -> list[str]:
    day = datetime(2022, 12, 13, tzinfo=UTC)
    return [
        ",".join(
            [
                f"{day + timedelta(hours=int(row[0] or 0)):%Y%m%d %H:%M}",
                *("" if cell is None else f"{cell}" for cell in row[1:]),
            ]
        )
        for row in rows
    ]


@pytest.mark.data
@pytest.mark.parametrize(("hours", "interval"), [(1, "1h"), (24, "1d")])
@pytest.mark.parametrize("side", ["trade", "quote"])
def test_real_minutes_as_hours_and_days(
    cq: Cq, tmp_path: Path, data_dir: Path, side: str, hours: int, interval: str
) -> None:
    sample = data_dir / f"{SAMPLES}_{side}.zip"
    if not sample.exists():
        pytest.skip("no LEAN sample in this data")
    wanted = _taken_together(_minutes(sample), hours)
    assert len(wanted) == -(-13 // hours), "the sample is of thirteen hours"
    path = _zip(tmp_path / f"btcusdt_{side}.zip", _lines(wanted))
    done = cq("data", "import", path, "--as", f"{BYBIT},interval={interval}")
    assert done.code == 0, done.err
    kind = "bar" if side == "trade" else "quote_bar"
    found = cq.rows(kind, f"BTCUSDT-PERP.BYBIT/{interval}")
    for row, want in zip(found, wanted, strict=True):
        assert row["ts_event"] == T0 + int(want[0] or 0) * HOUR
        assert row["ts_recv"] == T0 + (int(want[0] or 0) + hours) * HOUR
        assert row["flags"] == SYNTHETIC_RECV
        names = [name for name in row if name not in ("ts_event", "ts_recv", "flags")]
        if kind == "quote_bar":
            names = [
                f"{side}_{name}"
                for side in ("bid", "ask")
                for name in ("open", "high", "low", "close", "qty")
            ]
        assert [row[name] for name in names[: len(want) - 1]] == want[1:]
    coverage = Catalog(cq.catalog).coverage(kind, f"BTCUSDT-PERP.BYBIT/{interval}")
    assert (coverage.share, coverage.holes) == (1.0, ())


def test_length_of_a_bar_is_asked_for(cq: Cq, tmp_path: Path) -> None:
    path = _zip(tmp_path / "btcusdt_trade.zip", ["20180101 08:00,40.10,45.99,40.05,45.50,209342"])
    done = cq("data", "import", path, "--as", BYBIT)
    assert (done.code, done.err) == (
        2,
        f'cq: {path}: LEAN hour or daily file; give interval, for instance --as "interval=1h"\n',
    )
    assert cq("data", "import", path, "--as", f"{BYBIT},interval=1h").code == 0
    (row,) = cq.rows("bar", "BTCUSDT-PERP.BYBIT/1h")
    assert (row["open"], row["low"], row["volume"]) == (D("40.1"), D("40.05"), D(209342))
    assert row["ts_event"] == 1_514_793_600 * 10**9  # 2018-01-01 08:00 UTC


def test_hours_of_contracts_and_a_side_without_quotes(cq: Cq, tmp_path: Path) -> None:
    lines = ["20221213 00:00,1,1,1,1,5,,,,,", "20221213 02:00,,,,,,1.5,1.5,1.5,1.5,7"]
    path = _zip(tmp_path / "btcusd_quote.zip", lines)
    said = "venue=BINANCE,symbol=BTCUSD-PERP,volume=contracts,interval=1h"
    assert cq("data", "import", path, "--as", said).code == 0
    first, second = cq.rows("quote_bar", "BTCUSD-PERP.BINANCE/1h")
    assert (first["bid_close"], first["bid_qty"], first["ask_close"]) == (D(1), D(5), None)
    assert (second["ts_event"], second["ask_qty"]) == (T0 + 2 * HOUR, D(7))


_OK = "20221213 01:00,1,1,1,1,9"
_DAYS = ("20221212 00:00,1,1,1,1,9", "20221213 00:00,1,1,1,1,9")
BAD: dict[str, tuple[Sequence[str], str, str]] = {
    "days said to be hours": (_DAYS, "interval=1h", "every row begins a day: these are days"),
    "hours said to be days": (
        (_DAYS[1], _OK),
        "interval=1d",
        "2022-12-13T01:00:00.000000000 is no start of a 1d bar; hour files hold 1h bars",
    ),
    "another length": ((_OK,), "interval=4h", "holds hours or days (1h, 1d), not 4h"),
    "half past": (
        (_OK, "20221213 02:30,1,1,1,1,9"),
        "interval=1h",
        "2022-12-13T02:30:00.000000000 is no start of a 1h bar",
    ),
    "no such month": (
        (_OK, "20221313 02:00,1,1,1,1,9"),
        "interval=1h",
        "time: Failed to parse string: '2022-13-13 02:00'",
    ),
    "a date only": (
        (_OK, "20221213 02:00,1,1,1,1,9", "20221214,1,1,1,1,9"),
        "interval=1h",
        "time: row 2: '20221214' is not a time",
    ),
    "no time": (
        (_OK, "20221213 02:00,1,1,1,1,9", ",1,1,1,1,9"),
        "interval=1h",
        "time: row 2: the time is missing",
    ),
    "twice": ((_OK, _OK), "interval=1h", "row 1: 2022-12-13T01:00:00.000000000 is not later"),
    "backwards": (
        ("20221213 02:00,1,1,1,1,9", _OK),
        "interval=1h",
        "row 1: 2022-12-13T01:00:00.000000000 is not later than the row before",
    ),
    "a price gone": (
        (_OK, "20221213 02:00,1,,1,1,9"),
        "interval=1h",
        "high: the price at 2022-12-13T02:00:00.000000000 is missing or NaN",
    ),
    "a price NaN": ((_OK, "20221213 02:00,1,1,NaN,1,9"), "interval=1h", "low: the price at"),
    "a price of letters": (
        (_OK, "20221213 02:00,1,1,1,x,9"),
        "interval=1h",
        "close: row 1: 'x' is not a number",
    ),
    "cut in a row": ((_OK, "20221213 02:00,1,1,1,1,9", "20221213 03:00,1,1"), "interval=1h", "cor"),
    "trades said to be quotes": (
        (_OK,),
        "interval=1h,kind=quote_bar",
        "holds bar rows, not quote_bar",
    ),
    "stamped at its close": ((_OK,), "interval=1h,stamp=close", "LEAN stamps a bar at its open"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_rows_are_one_line(cq: Cq, tmp_path: Path, case: str) -> None:
    lines, said, message = BAD[case]
    path = _zip(tmp_path / "btcusdt_trade.zip", lines)
    done = cq("data", "import", path, "--as", f"{BYBIT},{said}")
    assert (done.code, done.err.count("\n"), done.out) == (2, 1, ""), done.err
    assert message in done.err
    assert not cq.catalog.exists()
