"""Faults planted in copies of real rows, and how many of them the checks find.

``python -m tests.integration.planting CATALOG`` prints the table of docs/how-to/validate.md.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from crypto_quant.data_pipeline.cleaners.checks import CHECKS
from crypto_quant.data_pipeline.cleaners.findings import Finding, Severity
from crypto_quant.data_pipeline.cleaners.rows import Rows, Tables
from crypto_quant.data_pipeline.cleaners.validator import DataValidator
from crypto_quant.data_pipeline.storage import Catalog, Key
from crypto_quant.venues.rules import load_instruments

Ints = NDArray[np.int64]
Columns = dict[str, Ints]
Planting = Callable[[Columns, np.random.Generator, Ints], list[tuple[int, int]]]
"""Changes columns in place around the chosen rows; returns (first, count) of each fault."""

PRICES = ("open", "high", "low", "close")


class Case(NamedTuple):
    """One sort of fault: where it is planted, how, and which check must find it.

    ``precision`` and ``recall`` are the least the test accepts. ``wild`` plants only in the
    hundredth of rows with the widest range.
    """

    name: str
    kind: str
    key: str
    check: str
    plant: Planting
    recall: float = 0.95
    precision: float = 0.9
    faults: int = 50
    wild: bool = False
    apart: int = 60


class Score(NamedTuple):
    """What a check found of the faults planted, and what it raised besides.

    ``exact`` are those found at their very row; ``before`` are its alarms on the rows as they
    were; ``false`` are new ones that lie on no fault.
    """

    case: Case
    planted: int
    found: int
    exact: int
    false: int
    before: int

    @property
    def recall(self) -> float:
        """Share of the faults that were found."""
        return self.found / self.planted

    @property
    def precision(self) -> float:
        """Share of the new alarms that lie on a fault."""
        hits = self.found
        return hits / (hits + self.false) if hits + self.false else 0.0


def _moved(columns: Columns, row: int, name: str, factor: float) -> None:
    """Put one price elsewhere and let the bar's range include it, as a bad trade would."""
    columns[name][row] = round(columns[name][row] * factor)
    columns["high"][row] = max(columns["high"][row], columns[name][row])
    columns["low"][row] = min(columns["low"][row], columns[name][row])


def _signs(rng: np.random.Generator, at: Ints) -> NDArray[np.float64]:
    return np.asarray(1.0 + 0.01 * rng.choice((-1.0, 1.0), at.size))


def bad_price(name: str) -> Planting:
    """Return a planting of a close or open that is off by 1 %."""

    def plant(columns: Columns, rng: np.random.Generator, at: Ints) -> list[tuple[int, int]]:
        for row, factor in zip(at, _signs(rng, at), strict=True):
            _moved(columns, row, name, factor)
        return [(int(row), 1) for row in at]

    return plant


def carried(columns: Columns, rng: np.random.Generator, at: Ints) -> list[tuple[int, int]]:
    """Move a close by 1 %, and with it the open of the next bar."""
    for row, factor in zip(at, _signs(rng, at), strict=True):
        _moved(columns, row, "close", factor)
        columns["open"][row + 1] = columns["close"][row]
        for name, most in (("high", max), ("low", min)):
            columns[name][row + 1] = most(columns[name][row + 1], columns["open"][row + 1])
    return [(int(row), 2) for row in at]


def bad_bar(columns: Columns, rng: np.random.Generator, at: Ints) -> list[tuple[int, int]]:
    """Move whole bars by 1 %."""
    for row, factor in zip(at, _signs(rng, at), strict=True):
        for name in PRICES:
            columns[name][row] = round(columns[name][row] * factor)
    return [(int(row), 1) for row in at]


def bad_wick(columns: Columns, rng: np.random.Generator, at: Ints) -> list[tuple[int, int]]:
    """Let a high or low go 1 % beyond what it was."""
    for row, factor in zip(at, _signs(rng, at), strict=True):
        name = "high" if factor > 1 else "low"
        columns[name][row] = round(columns[name][row] * factor)
    return [(int(row), 1) for row in at]


def stale(columns: Columns, rng: np.random.Generator, at: Ints) -> list[tuple[int, int]]:
    """Make three bars in a row copies of the first of them."""
    for row in at:
        for name, values in columns.items():
            if name not in ("ts_event", "ts_recv"):
                values[row + 1 : row + 3] = values[row]
    return [(int(row) + 1, 2) for row in at]


def duplicated(with_others: bool) -> Planting:
    """Return a planting of rows that are there twice, the second time maybe 0.2 % off."""

    def plant(columns: Columns, rng: np.random.Generator, at: Ints) -> list[tuple[int, int]]:
        places = np.sort(at)
        for name, values in columns.items():
            again = values[places].copy()
            if with_others and name in PRICES:
                again = np.round(again * 1.002).astype(np.int64)
            columns[name] = np.insert(values, places + 1, again)
        return [(int(row) + 1 + i, 1) for i, row in enumerate(places)]

    return plant


def shifted(columns: Columns, rng: np.random.Generator, at: Ints) -> list[tuple[int, int]]:
    """Stamp stretches of 300 rows one row late or early."""
    faults = []
    for row in at:
        by = int(rng.choice((-1, 1)))
        end = min(row + 300, columns["ts_event"].size - 2)
        for name, values in columns.items():
            if name not in ("ts_event", "ts_recv"):
                values[row:end] = values[row - by : end - by].copy()
        faults.append((int(row), int(end - row)))
    return faults


def all_shifted(columns: Columns, rng: np.random.Generator, at: Ints) -> list[tuple[int, int]]:
    """Stamp every row one row late."""
    size = columns["ts_event"].size
    for name, values in columns.items():
        if name not in ("ts_event", "ts_recv"):
            columns[name] = np.roll(values, 1)
    return [(0, size)]


def scaled(names: tuple[str, ...], length: int) -> Planting:
    """Return a planting of a unit that is a thousand times too large or too small."""

    def plant(columns: Columns, rng: np.random.Generator, at: Ints) -> list[tuple[int, int]]:
        for row in at:
            up = bool(rng.integers(2))
            for name in names:
                part = columns[name][row : row + length]
                columns[name][row : row + length] = part * 1000 if up else part // 1000
        return [(int(row), length) for row in at]

    return plant


def swapped_stamps(columns: Columns, rng: np.random.Generator, at: Ints) -> list[tuple[int, int]]:
    """Exchange ``ts_event`` and ``ts_recv``."""
    event, recv = columns["ts_event"], columns["ts_recv"]
    event[at], recv[at] = recv[at].copy(), event[at].copy()
    return [(int(row), 1) for row in at]


def swapped_rows(columns: Columns, rng: np.random.Generator, at: Ints) -> list[tuple[int, int]]:
    """Exchange the times of two neighbours and sort."""
    for name, values in columns.items():
        if name not in ("ts_event", "ts_recv"):
            values[at], values[at + 1] = values[at + 1].copy(), values[at].copy()
    return [(int(row), 2) for row in at]


def disordered(columns: Columns, rng: np.random.Generator, at: Ints) -> list[tuple[int, int]]:
    """Exchange two neighbouring rows as a whole."""
    for values in columns.values():
        values[at], values[at + 1] = values[at + 1].copy(), values[at].copy()
    return [(int(row), 2) for row in at]


def known_early(columns: Columns, rng: np.random.Generator, at: Ints) -> list[tuple[int, int]]:
    """Stamp rows as known a minute before their period is over."""
    columns["ts_recv"][at] -= 60 * 10**9
    return [(int(row), 1) for row in at]


def removed(columns: Columns, rng: np.random.Generator, at: Ints) -> list[tuple[int, int]]:
    """Take out one to five rows."""
    counts = rng.integers(1, 6, at.size)
    gone = np.concatenate([np.arange(row, row + n) for row, n in zip(at, counts, strict=True)])
    for name, values in columns.items():
        columns[name] = np.delete(values, gone)
    before = np.r_[0, np.cumsum(counts)[:-1]]
    return [(int(row - lost), 1) for row, lost in zip(at, before, strict=True)]


def impossible(columns: Columns, rng: np.random.Generator, at: Ints) -> list[tuple[int, int]]:
    """Put highs below closes, lows above opens, prices at zero, volumes below zero."""
    for row in at:
        sort = int(rng.integers(4))
        if sort == 0:
            columns["high"][row] = max(columns["open"][row], columns["close"][row]) - 1
        elif sort == 1:
            columns["low"][row] = min(columns["open"][row], columns["close"][row]) + 1
        elif sort == 2:
            columns["low"][row] = 0
        else:
            columns["volume"][row] = -columns["volume"][row] - 1
    return [(int(row), 1) for row in at]


def filled(columns: Columns, rng: np.random.Generator, at: Ints) -> list[tuple[int, int]]:
    """Fill rows in: flat at the close before, without volume."""
    for row in at:
        for name in PRICES:
            columns[name][row] = columns["close"][row - 1]
        columns["volume"][row] = 0
    return [(int(row), 1) for row in at]


def crossed_quote(columns: Columns, rng: np.random.Generator, at: Ints) -> list[tuple[int, int]]:
    """Let bids reach the ask or go beyond."""
    columns["bid"][at] = columns["ask"][at] + rng.integers(0, 3, at.size)
    return [(int(row), 1) for row in at]


def crossed_book(columns: Columns, rng: np.random.Generator, at: Ints) -> list[tuple[int, int]]:
    """Put one bid into a message that is two per cent above the market."""
    around = [columns["px"][row - 300 : row + 300] for row in at]
    px = np.array([round(float(np.median(part)) * 1.02) for part in around], dtype=np.int64)
    for name, values in columns.items():
        columns[name] = np.insert(values, at, values[at])
    new = at + np.arange(at.size)
    columns["px"][new], columns["side"][new] = px, 1
    columns["qty"][new] = np.maximum(columns["qty"][new], 1)
    return [(int(row), 1000) for row in new]


def bad_tick(columns: Columns, rng: np.random.Generator, at: Ints) -> list[tuple[int, int]]:
    """Move the price of a trade by 1 %."""
    columns["px"][at] = np.round(columns["px"][at] * _signs(rng, at)).astype(np.int64)
    return [(int(row), 1) for row in at]


def lost(columns: Columns, rng: np.random.Generator, at: Ints) -> list[tuple[int, int]]:
    """Take out single rows."""
    for name, values in columns.items():
        columns[name] = np.delete(values, at)
    return [(int(row - i), 1) for i, row in enumerate(at)]


_HOURS, _QUARTERS, _SPOT = (
    "BTCUSDT-PERP.BINANCE/1h",
    "BTCUSDT-PERP.BINANCE/15m",
    "BTCUSDT.BINANCE/1m",
)

BARS: tuple[Case, ...] = (
    Case("close 1 % off", "bar", _HOURS, "prints", bad_price("close")),
    Case("open 1 % off", "bar", _HOURS, "prints", bad_price("open")),
    Case("whole bar 1 % off", "bar", _HOURS, "prints", bad_bar),
    Case("close 1 % off, wildest hours", "bar", _HOURS, "prints", bad_price("close"), wild=True),
    Case("close 1 % off", "bar", _QUARTERS, "prints", bad_price("close")),
    Case("close 1 % off", "bar", _SPOT, "prints", bad_price("close")),
    Case("close 1 % off, wildest minutes", "bar", _SPOT, "prints", bad_price("close"), wild=True),
    Case("whole bar 1 % off", "bar", _SPOT, "prints", bad_bar),
    Case("close 1 % off, next open too", "bar", _HOURS, "wicks", carried),
    Case("close 1 % off, next open too", "bar", "BTCUSDT-PERP.BYBIT/1h", "wicks", carried),
    Case("high or low 1 % out", "bar", _HOURS, "wicks", bad_wick, recall=0.9),
    Case("high or low 1 % out, wildest hours", "bar", _HOURS, "wicks", bad_wick, 0.0, 0.0,
         wild=True),
    Case("3-bar stale run", "bar", _HOURS, "stale", stale),
    Case("3-bar stale run", "bar", _SPOT, "stale", stale),
    Case("repeated row", "bar", _HOURS, "duplicates", duplicated(False)),
    Case("repeated hour, other values", "bar", _HOURS, "duplicates", duplicated(True)),
    Case("300 rows stamped one off", "bar", _HOURS, "shift", shifted, faults=20, apart=900),
    Case("300 rows stamped one off", "bar", _QUARTERS, "shift", shifted, faults=20, apart=900),
    Case("file stamped one off", "bar", _HOURS, "shift", all_shifted, faults=1),
    Case("price x 1000, a bar", "bar", _HOURS, "units", scaled(PRICES, 1)),
    Case("price x 1000, a close", "bar", _HOURS, "units", scaled(("close",), 1)),
    Case("price x 1000, 200 bars", "bar", _HOURS, "units", scaled(PRICES, 200),
         faults=10, apart=900),
    Case("volume x 1000, a bar", "bar", _HOURS, "units", scaled(("volume",), 1)),
    Case("volume x 1000, 200 bars", "bar", _HOURS, "units", scaled(("volume",), 200),
         faults=10, apart=900),
    Case("volume x 1000, a bar", "bar", _SPOT, "units", scaled(("volume", "taker_buy"), 1)),
    Case("ts_event and ts_recv swapped", "bar", _HOURS, "clock", swapped_stamps),
    Case("known a minute early", "bar", _HOURS, "clock", known_early),
    Case("times of neighbours swapped", "bar", _HOURS, "order", swapped_rows, recall=0.85),
    Case("times of neighbours swapped", "bar", _SPOT, "order", swapped_rows, recall=0.3),
    Case("rows out of order", "bar", _HOURS, "order", disordered),
    Case("1 to 5 rows removed", "bar", _HOURS, "gaps", removed),
    Case("impossible bar", "bar", _HOURS, "impossible", impossible),
    Case("bar filled in", "bar", _QUARTERS, "zero", filled),
)  # fmt: skip

TICKS: tuple[Case, ...] = (
    Case("bid at or above ask", "quote", "BTCUSDT-PERP.BINANCE", "crossed", crossed_quote),
    Case("bid 2 % above the market, in the book", "delta", "BTCUSDT-PERP.BINANCE", "crossed",
         crossed_book, faults=20, apart=5000),
    Case("trade 1 % off", "trade", "BTCUSDT-PERP.BINANCE", "prints", bad_tick),
    Case("trade lost", "trade", "BTCUSDT-PERP.BINANCE", "sequence", lost),
)  # fmt: skip


def measure(case: Case, tables: Tables, seed: int = 20) -> Score:
    """Plant one case and count."""
    rows = tables.rows(case.kind, case.key)
    rng = np.random.default_rng([seed, len(rows)])
    columns = {
        name: rows.ints(name).copy()
        for name in rows.table.column_names
        if pa.types.is_integer(rows.table.schema.field(name).type) and rows.has(name)
    }
    known = {f"known {name}": rows.known(name).astype(np.int64) for name in columns}
    columns.update(known)
    at = _places(rows, case, rng)
    faults = case.plant(columns, rng, at)
    copy = _copied(rows, columns)
    only: Mapping[str, object] = {case.check: CHECKS[case.check]}
    before = _alarms(tables, rows, only)
    after = _alarms(tables.replaced(copy), copy, only)
    old = {(f.ts, f.what) for f in before}
    new = [f for f in after if (f.ts, f.what) not in old]
    hit = [any(_meets(f, first, count) for f in after) for first, count in faults]
    false = sum(not any(_meets(f, first, count) for first, count in faults) for f in new)
    marked = {finding.row for finding in after}
    exact = sum(first in marked for first, _ in faults)
    return Score(case, len(faults), sum(hit), exact, false, len(before))


def _alarms(tables: Tables, rows: Rows, checks: Mapping[str, object]) -> list[Finding]:
    validator = DataValidator(tables, checks=checks, table=())  # type: ignore[arg-type]
    found = validator.validate([Key(rows.kind, rows.key)])
    return [finding for finding in found if finding.severity is not Severity.NOTE]


def _meets(finding: Finding, first: int, count: int) -> bool:
    """Whether a finding lies on a fault; its row may be the one after it."""
    return finding.row <= first + count and first <= finding.row + max(finding.rows, 1)


def _places(rows: Rows, case: Case, rng: np.random.Generator) -> Ints:
    """Choose rows far enough apart, away from the ends."""
    margin = 400
    pool = np.arange(margin, len(rows) - margin)
    if case.wild:
        width = np.log(rows.floats("high") / rows.floats("low"))[pool]
        pool = pool[width >= np.quantile(width, 0.99)]
    if case.kind == "delta":
        snapshot = np.flatnonzero(rows.ints("flags") & 1)[-1]
        pool = pool[(rows.ints("flags")[pool] == 0) & (pool > snapshot + margin)]
    chosen: list[int] = []
    for row in rng.permutation(pool):
        if all(abs(int(row) - other) >= case.apart for other in chosen):
            chosen.append(int(row))
        if len(chosen) == case.faults:
            break
    return np.sort(np.array(chosen, dtype=np.int64))


def _copied(rows: Rows, columns: Columns) -> Rows:
    """Return rows of changed columns; what was missing is missing still."""
    size = columns["ts_event"].size
    arrays = [
        pa.array(columns[field.name], mask=columns[f"known {field.name}"] == 0).cast(field.type)
        if field.name in columns
        else pa.nulls(size, field.type)
        for field in rows.table.schema
    ]
    table = pa.table(arrays, schema=rows.table.schema)
    return Rows(rows.kind, rows.key, rows.interval, rows.exps, table, rows.parts)


def table(scores: list[Score]) -> str:
    """Return scores as a Markdown table."""
    lines = [
        "| planted | in | check | faults | recall | at the very row | precision | alarms before |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines.extend(
        f"| {s.case.name} | {s.case.kind} {s.case.key} | {s.case.check} | {s.planted} "
        f"| {s.recall:.2f} | {s.exact / s.planted:.2f} | {s.precision:.2f} | {s.before} |"
        for s in scores
    )
    return "\n".join(lines)


def main() -> None:
    """Measure every case whose key the catalog has; ``$CQ_DATA`` imported whole has all."""
    tables = Tables(Catalog(Path(sys.argv[1])), load_instruments())
    there = set(tables.all_keys())
    cases = [case for case in (*BARS, *TICKS) if Key(case.kind, case.key) in there]
    sys.stdout.write(table([measure(case, tables) for case in cases]) + "\n")


if __name__ == "__main__":
    main()
