"""Faults as they are found in market data, to be planted in copies of real rows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Columns = dict[str, Ints]
Planting = Callable[[Columns, np.random.Generator, Ints], list[tuple[int, int]]]
"""Changes columns in place around the chosen rows.

Returns (first, count) of each fault: the rows that are wrong, none where rows are missing.
"""

PRICES = ("open", "high", "low", "close")


def _moved(columns: Columns, row: int, name: str, factor: float) -> None:
    """Put one price elsewhere and let the bar's range include it, as a bad trade would."""
    columns[name][row] = round(columns[name][row] * factor)
    columns["high"][row] = max(columns["high"][row], columns[name][row])
    columns["low"][row] = min(columns["low"][row], columns[name][row])


def _signs(rng: np.random.Generator, at: Ints, by: float = 0.01) -> NDArray[np.float64]:
    return np.asarray(1.0 + by * rng.choice((-1.0, 1.0), at.size))


def bad_price(name: str, by: float = 0.01) -> Planting:
    """Return a planting of a close or open that is off by a share of it."""

    def plant(columns: Columns, rng: np.random.Generator, at: Ints) -> list[tuple[int, int]]:
        for row, factor in zip(at, _signs(rng, at, by), strict=True):
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


def scaled(names: tuple[str, ...], length: int, up: bool | None = None) -> Planting:
    """Return a planting of a unit a thousand times too large or too small, or either."""

    def plant(columns: Columns, rng: np.random.Generator, at: Ints) -> list[tuple[int, int]]:
        for row in at:
            is_up = bool(rng.integers(2)) if up is None else up
            for name in names:
                part = columns[name][row : row + length]
                columns[name][row : row + length] = part * 1000 if is_up else part // 1000
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


def removed(least: int, most: int) -> Planting:
    """Return a planting of holes of so many rows; the row after each is right."""

    def plant(columns: Columns, rng: np.random.Generator, at: Ints) -> list[tuple[int, int]]:
        counts = rng.integers(least, most + 1, at.size)
        gone = np.concatenate([np.arange(row, row + n) for row, n in zip(at, counts, strict=True)])
        for name, values in columns.items():
            columns[name] = np.delete(values, gone)
        before = np.r_[0, np.cumsum(counts)[:-1]]
        return [(int(row - lost), 0) for row, lost in zip(at, before, strict=True)]

    return plant


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
    return [(int(row - i), 0) for i, row in enumerate(at)]
