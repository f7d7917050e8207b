"""The faults that are planted: each sort, where, and the least that must be found of it."""

from __future__ import annotations

from typing import NamedTuple

from tests.integration.faults import (
    PRICES,
    Planting,
    all_shifted,
    bad_bar,
    bad_price,
    bad_tick,
    bad_wick,
    carried,
    crossed_book,
    crossed_quote,
    disordered,
    duplicated,
    filled,
    impossible,
    known_early,
    lost,
    removed,
    scaled,
    shifted,
    stale,
    swapped_rows,
    swapped_stamps,
)


class Case(NamedTuple):
    """One sort of fault: where it is planted, how, and which check must find it.

    ``recall`` and ``precision`` are the least the test accepts, ``alone`` the least of ten
    single faults. ``wild`` plants only in the hundredth of rows with the widest range,
    ``early`` only in the first 500 rows.
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
    early: bool = False
    alone: int = 9


_HOURS, _QUARTERS, _SPOT, _BYBIT = (
    "BTCUSDT-PERP.BINANCE/1h",
    "BTCUSDT-PERP.BINANCE/15m",
    "BTCUSDT.BINANCE/1m",
    "BTCUSDT-PERP.BYBIT/1h",
)
_VOLUME = ("volume",)
_SPOT_VOLUME = ("volume", "taker_buy")

BARS: tuple[Case, ...] = (
    Case("close 1 % off", "bar", _HOURS, "prints", bad_price("close")),
    Case("close 5 % off", "bar", _HOURS, "prints", bad_price("close", 0.05)),
    Case("close 1 % off, first 500 hours", "bar", _HOURS, "prints", bad_price("close"),
         faults=5, early=True),
    Case("open 1 % off", "bar", _HOURS, "prints", bad_price("open")),
    Case("whole bar 1 % off", "bar", _HOURS, "prints", bad_bar),
    Case("close 1 % off, wildest hours", "bar", _HOURS, "prints", bad_price("close"), wild=True),
    Case("close 1 % off", "bar", _QUARTERS, "prints", bad_price("close")),
    Case("close 1 % off", "bar", _SPOT, "prints", bad_price("close")),
    Case("close 1 % off, wildest minutes", "bar", _SPOT, "prints", bad_price("close"), wild=True),
    Case("whole bar 1 % off", "bar", _SPOT, "prints", bad_bar),
    Case("close 1 % off, next open too", "bar", _HOURS, "wicks", carried),
    Case("close 1 % off, next open too, first 500 hours", "bar", _HOURS, "wicks", carried,
         faults=5, early=True),
    Case("close 1 % off, next open too", "bar", _QUARTERS, "wicks", carried),
    Case("close 1 % off, next open too", "bar", _BYBIT, "wicks", carried),
    Case("close 1 % off, next open too", "bar", _SPOT, "wicks", carried, recall=0.35, alone=2),
    Case("high or low 1 % out", "bar", _HOURS, "wicks", bad_wick, recall=0.85),
    Case("high or low 1 % out, wildest hours", "bar", _HOURS, "agreement", bad_wick, recall=0.1,
         wild=True, alone=1),
    Case("3-bar stale run", "bar", _HOURS, "stale", stale),
    Case("3-bar stale run", "bar", _SPOT, "stale", stale),
    Case("repeated row", "bar", _HOURS, "duplicates", duplicated(False)),
    Case("repeated hour, other values", "bar", _HOURS, "duplicates", duplicated(True)),
    Case("300 rows stamped one off", "bar", _HOURS, "shift", shifted, faults=20, apart=900,
         precision=0.6),
    Case("300 rows stamped one off", "bar", _QUARTERS, "shift", shifted, faults=20, apart=900),
    Case("file stamped one off", "bar", _HOURS, "shift", all_shifted, faults=1),
    Case("price x or / 1000, a bar", "bar", _HOURS, "units", scaled(PRICES, 1)),
    Case("price x or / 1000, a close", "bar", _HOURS, "units", scaled(("close",), 1)),
    Case("price x or / 1000, 200 bars", "bar", _HOURS, "units", scaled(PRICES, 200),
         faults=10, apart=900),
    Case("volume x 1000, a bar", "bar", _HOURS, "units", scaled(_VOLUME, 1, True)),
    Case("volume / 1000, a bar", "bar", _HOURS, "units", scaled(_VOLUME, 1, False)),
    Case("volume x 1000, a bar of the first 500", "bar", _HOURS, "units",
         scaled(_VOLUME, 1, True), faults=5, early=True),
    Case("volume / 1000, a bar of the first 500", "bar", _HOURS, "units",
         scaled(_VOLUME, 1, False), faults=5, early=True),
    Case("volume x or / 1000, 200 bars", "bar", _HOURS, "units", scaled(_VOLUME, 200),
         faults=10, apart=900),
    Case("volume / 1000, a bar", "bar", _QUARTERS, "units", scaled(_VOLUME, 1, False)),
    Case("volume x or / 1000, a bar", "bar", _SPOT, "units", scaled(_SPOT_VOLUME, 1)),
    Case("ts_event and ts_recv swapped", "bar", _HOURS, "clock", swapped_stamps),
    Case("known a minute early", "bar", _HOURS, "clock", known_early),
    Case("times of neighbours swapped", "bar", _HOURS, "order", swapped_rows, recall=0.85,
         alone=8),
    Case("times of neighbours swapped", "bar", _SPOT, "order", swapped_rows, recall=0.3, alone=1),
    Case("rows out of order", "bar", _HOURS, "order", disordered),
    Case("1 to 5 rows removed", "bar", _HOURS, "gaps", removed(1, 5)),
    Case("a month removed", "bar", _HOURS, "gaps", removed(720, 720), faults=5, apart=2000),
    Case("1 to 5 rows removed", "bar", _SPOT, "gaps", removed(1, 5)),
    Case("300 rows removed", "bar", _SPOT, "gaps", removed(300, 300), apart=900),
    Case("1800 rows removed", "bar", _SPOT, "gaps", removed(1800, 1800), apart=4000),
    Case("impossible bar", "bar", _HOURS, "impossible", impossible),
    Case("bar filled in", "bar", _QUARTERS, "zero", filled),
    Case("bar filled in", "bar", _HOURS, "zero", filled, recall=0.4, alone=2),
)  # fmt: skip

TICKS: tuple[Case, ...] = (
    Case("bid at or above ask", "quote", "BTCUSDT-PERP.BINANCE", "crossed", crossed_quote),
    Case("bid 2 % above the market, in the book", "delta", "BTCUSDT-PERP.BINANCE", "crossed",
         crossed_book, faults=20, apart=5000),
    Case("trade 1 % off", "trade", "BTCUSDT-PERP.BINANCE", "prints", bad_tick),
    Case("trade lost", "trade", "BTCUSDT-PERP.BINANCE", "sequence", lost),
)  # fmt: skip
