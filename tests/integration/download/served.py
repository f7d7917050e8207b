"""Hourly candles as the public archive serves them, and the command that asks for them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Final

from tests.unit.data_pipeline.archive import rows
from tests.unit.data_pipeline.archive.server import Archive

UM: Final = "data/futures/um"
JANUARY: Final = f"{UM}/monthly/klines/BTCUSDT/1h/BTCUSDT-1h-2023-01.zip"
FEBRUARY: Final = f"{UM}/monthly/klines/BTCUSDT/1h/BTCUSDT-1h-2023-02.zip"
KEY: Final = "BTCUSDT-PERP.BINANCE/1h"
HOUR: Final = 3_600 * 10**9


def add_month(archive: Archive, year: int, month: int, interval: str = "1h") -> str:
    """Put a month of candles into the archive and return its path."""
    first = date(year, month, 1)
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    name = f"BTCUSDT-{interval}-{first:%Y-%m}.zip"
    path = f"{UM}/monthly/klines/BTCUSDT/{interval}/{name}"
    archive.add(path, rows.klines(name, interval, first, last))
    return path


def add_day(archive: Archive, day: date) -> str:
    """Put a day of hourly candles into the archive and return its path."""
    name = f"BTCUSDT-1h-{day}.zip"
    path = f"{UM}/daily/klines/BTCUSDT/1h/{name}"
    archive.add(path, rows.klines(name, "1h", day, day))
    return path


def hours(*words: str) -> list[str]:
    """Return the words of the command that asks for hourly candles."""
    kind = ("--kind", "klines", "--symbol", "BTCUSDT", "--interval", "1h")
    return ["data", "download", *kind, *words]


def ns(text: str) -> int:
    """Return a time in UTC as ns."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 10**9
