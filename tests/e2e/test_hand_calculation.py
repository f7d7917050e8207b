"""One week of the real run, calculated again by hand from raw rows.

Nothing of the package is imported: prices and funding rates come from the raw files, fee
rates from the venue's schedule, quantities from the run's fills. P&L, fees, funding and
equity must agree to the last digit.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.e2e.conftest import run_cq, run_folder

pytestmark = [pytest.mark.data, pytest.mark.xdist_group("real")]

PERP, SPOT = "BTCUSDT-PERP.BINANCE", "BTCUSDT.BINANCE"
HOUR = 3_600 * 10**9
WEEK = 7 * 24 * HOUR
CENT8 = Decimal("0.00000001")
# Taker fees of the lowest tier: USD-M 0.04 % until 2024-04-28, then 0.05 %; spot 0.10 %.
PERP_FEE_CHANGE = int(datetime(2024, 4, 28, tzinfo=UTC).timestamp()) * 10**9
Row = dict[str, Any]


def fee_rate(instrument: str, ts: int) -> Decimal:
    if instrument == SPOT:
        return Decimal("0.001")
    return Decimal("0.0004") if ts < PERP_FEE_CHANGE else Decimal("0.0005")


def booked(amount: Decimal) -> Decimal:
    return amount.quantize(CENT8, ROUND_HALF_EVEN)


def ns(value: object) -> int:
    """Return the nanoseconds of a raw stamp: epoch seconds or ms, text, or a naive time."""
    if isinstance(value, int):
        return value * (10**9 if value < 10**11 else 10**6)
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    assert isinstance(value, datetime)
    span = value.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return span // timedelta(microseconds=1) * 1000


def raw_rows(folder: Path, pattern: str, stamps: tuple[str, ...]) -> Iterator[tuple[int, Row]]:
    for path in sorted(folder.glob(pattern)):
        for row in pq.read_table(path).to_pylist():
            stamp = next(name for name in stamps if name in row)
            yield ns(row[stamp]), row


def opens(folder: Path, pattern: str, start: int, end: int) -> dict[int, Decimal]:
    """Return the opening prices of the bars that begin on the hour."""
    stamps = ("epoch", "open_time", "timestamp", "date")
    rows = raw_rows(folder, pattern, stamps)
    return {
        ts: Decimal(repr(row["open"]))
        for ts, row in rows
        if start - HOUR <= ts <= end + HOUR and ts % HOUR == 0
    }


@pytest.fixture(scope="module")
def run(real: Path) -> Path:
    return run_folder(real)


@pytest.fixture(scope="module")
def meeting(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Path:
    """Return a run in which the sleeves meet in one order: its pair is larger, without a gap."""
    folder = tmp_path_factory.mktemp("meeting")
    done = run_cq(folder, "demo", CQ_DATA=str(data_dir), CQ__BESIDE="false", CQ__RISK__GAP="0")
    assert done.returncode == 0, done.stderr
    return run_folder(folder)


@pytest.fixture(scope="module")
def week(run: Path) -> tuple[int, int]:
    """Return the Monday-to-Monday week with the most fills, all of it inside the run."""
    fills = pq.read_table(run / "fills.parquet")["ts_event"].to_pylist()
    monday = 4 * 24 * HOUR
    counts: dict[int, int] = defaultdict(int)
    for ts in fills:
        counts[(ts - monday) // WEEK] += 1
    hours = pq.read_table(run / "equity.parquet", columns=["ts", "hole"]).to_pylist()
    whole: dict[int, int] = defaultdict(int)
    for row in hours:
        if not row["hole"]:
            whole[(row["ts"] - monday) // WEEK] += 1
    best = max((w for w in counts if whole[w] == 168 and whole[w + 1]), key=lambda w: counts[w])
    return monday + best * WEEK, monday + (best + 1) * WEEK


def settled(folder: Path) -> dict[int, Decimal]:
    """Return all funding rates by the hour at which they were settled."""
    pattern = "binance_perp/BTCUSDT-perp-funding-8h*.parquet"
    rows = raw_rows(folder, pattern, ("epoch", "timestamp"))
    return {
        (ts + HOUR // 2) // HOUR * HOUR: Decimal(repr(row.get("funding_rate", row.get("rate"))))
        for ts, row in rows
    }


class Book:
    """One sleeve's book, kept by hand from its fills and the raw rates."""

    def __init__(self) -> None:
        self.position: dict[str, Decimal] = defaultdict(Decimal)
        self.cash = self.fees = self.funding = Decimal(0)

    def keep(self, fills: list[Row], rates: dict[int, Decimal], marks: dict[int, Decimal]) -> None:
        """Book trades and settlements in the order of time; a settlement comes first."""
        events: list[tuple[int, int, Row]] = [(f["ts_event"], 1, f) for f in fills]
        events += [(ts, 0, {"rate": rate}) for ts, rate in rates.items()]
        for ts, kind, row in sorted(events, key=lambda e: (e[0], e[1])):
            if kind == 0:
                if held := self.position[PERP]:
                    self.funding -= booked(held * marks[ts] * row["rate"])
                continue
            quantity = row["quantity"]
            self.position[row["instrument"]] += quantity
            self.cash -= quantity * row["reference_price"] + row["spread"] + row["impact"]
            self.fees += row["fee"]


def test_what_a_fill_cost_is_split_over_its_sleeves_by_size(meeting: Path) -> None:
    shared: dict[tuple[int, int, Decimal], list[Row]] = defaultdict(list)
    for fill in pq.read_table(meeting / "fills.parquet").to_pylist():
        shared[fill["order_id"], fill["ts_event"], fill["price"]].append(fill)
    opposed = 0
    for (_, ts, price), parts in shared.items():
        name, reference = parts[0]["instrument"], parts[0]["reference_price"]
        net, size = sum(p["quantity"] for p in parts), sum(abs(p["quantity"]) for p in parts)
        opposed += abs(net) != size
        fee = booked(abs(net) * price * fee_rate(name, ts))
        slippage = sum(booked(p["quantity"] * reference) for p in parts) - booked(net * price)
        assert sum(p["fee"] for p in parts) == fee
        assert sum(p["spread"] + p["impact"] for p in parts) == -slippage
        for part in parts:
            share = abs(part["quantity"]) / size
            assert abs(part["fee"] - fee * share) <= CENT8
            assert abs(part["spread"] + part["impact"] + slippage * share) <= 2 * CENT8
    assert opposed, "no fill in which one sleeve bought what another sold"


def test_a_week_by_hand_agrees_to_the_last_digit(
    run: Path, week: tuple[int, int], data_dir: Path
) -> None:
    start, end = week
    fills = pq.read_table(run / "fills.parquet").to_pylist()
    equity = {row["ts"]: row for row in pq.read_table(run / "equity.parquet").to_pylist()}
    prices = {
        PERP: opens(data_dir, "binance_perp/BTCUSDT-perp-1h*.parquet", start, end),
        SPOT: opens(data_dir, "binance_spot_1m/*.parquet", start, end),
    }
    rates = {ts: rate for ts, rate in settled(data_dir).items() if start < ts <= end}
    for sleeve in ("carry", "model"):
        own = [f for f in fills if f["sleeve"] == sleeve]
        book = Book()
        book.keep([f for f in own if f["ts_event"] < start], {}, {})
        before = sum(q * prices[name][start] for name, q in book.position.items())
        book.cash = book.fees = Decimal(0)
        book.keep([f for f in own if start <= f["ts_event"] < end], rates, prices[PERP])
        after = sum(q * prices[name][end] for name, q in book.position.items())
        pnl = book.cash + after - before - book.fees + book.funding
        first, last = equity[start], equity[end]
        assert last[f"{sleeve}/equity"] - first[f"{sleeve}/equity"] == pnl
        assert last[f"{sleeve}/funding"] - first[f"{sleeve}/funding"] == book.funding
        assert first[f"{sleeve}/fees"] - last[f"{sleeve}/fees"] == book.fees


def test_the_whole_run_by_hand_ends_flat_and_agrees_to_the_last_digit(
    run: Path, data_dir: Path
) -> None:
    equity = pq.read_table(run / "equity.parquet").to_pylist()
    first, last = equity[0], equity[-1]
    fills = pq.read_table(run / "fills.parquet").to_pylist()
    assert max(f["ts_event"] for f in fills if f["reason"] == "data_end") == last["ts"]
    marks = opens(data_dir, "binance_perp/BTCUSDT-perp-1h*.parquet", first["ts"], last["ts"])
    rates = {ts: r for ts, r in settled(data_dir).items() if first["ts"] < ts <= last["ts"]}
    for sleeve in ("carry", "model"):
        book = Book()
        book.keep([f for f in fills if f["sleeve"] == sleeve], rates, marks)
        assert not any(book.position.values())
        assert last[f"{sleeve}/notional/{PERP}"] == last[f"{sleeve}/notional/{SPOT}"] == 0
        pnl = book.cash - book.fees + book.funding
        assert last[f"{sleeve}/equity"] - first[f"{sleeve}/equity"] == pnl
        assert last[f"{sleeve}/fees"] == -book.fees
        assert last[f"{sleeve}/funding"] == book.funding


def test_the_week_holds_trades_and_funding(run: Path, week: tuple[int, int]) -> None:
    start, end = week
    equity = {row["ts"]: row for row in pq.read_table(run / "equity.parquet").to_pylist()}
    fills = pq.read_table(run / "fills.parquet")["ts_event"].to_pylist()
    assert sum(start <= ts < end for ts in fills) >= 5
    assert equity[start]["portfolio/funding"] != equity[end]["portfolio/funding"]


def test_market_fills_are_the_raw_open_made_worse_by_at_least_one_basis_point(
    run: Path, week: tuple[int, int], data_dir: Path
) -> None:
    start, end = week
    prices = opens(data_dir, "binance_perp/BTCUSDT-perp-1h*.parquet", start, end)
    seen = 0
    for fill in pq.read_table(run / "fills.parquet").to_pylist():
        ts = fill["ts_event"]
        on_the_hour = ts % HOUR == 50_000_000
        if not (start <= ts < end and fill["instrument"] == PERP and on_the_hour):
            continue
        reference = prices[ts - 50_000_000]
        assert fill["reference_price"] == reference
        side = 1 if fill["quantity"] > 0 else -1
        assert (fill["price"] - reference) * side >= reference * Decimal("0.0001")
        seen += 1
    assert seen
