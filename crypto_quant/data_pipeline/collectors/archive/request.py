"""What a user asks the archive for, and the names that this has there and here."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from typing import Final

from crypto_quant.core.errors import DataError
from crypto_quant.data_pipeline.collectors.archive.holdings import FOLDERS, holdings
from crypto_quant.data_pipeline.collectors.facts import Facts, duration, period

_VENUE: Final = "BINANCE"
_PERPETUAL: Final = "_PERP"


@dataclass(frozen=True, slots=True)
class Request:
    """One kind of data of one symbol, from ``first`` to ``last`` day, both included (UTC).

    ``symbol`` is written as the venue writes it (``BTCUSDT``; coin-margined
    ``BTCUSD_PERP``); ``interval`` is the length of candles, ``None`` for other kinds.
    """

    kind: str
    market: str
    symbol: str
    first: date
    last: date
    interval: str | None = None

    @classmethod
    def of(
        cls, kind: str, market: str, symbol: str, start: str, end: str, interval: str | None = None
    ) -> Request:
        """Check what a user typed; times are ``2023-01`` or ``2023-01-31``.

        Raises
        ------
        DataError
            The archive has no such kind, market, interval or symbol, or a time is no time.
        """
        held = holdings().find(kind, market)
        first, last = _day(start, "--start", is_last=False), _day(end, "--end", is_last=True)
        if last < first:
            raise DataError(f"--end {end} lies before --start {start}")
        if not re.fullmatch(r"\w+", symbol) or symbol != symbol.upper():
            raise DataError(
                f"--symbol {symbol!r}: write it as the venue does, BTCUSDT (spot, um) or "
                "BTCUSD_PERP (cm)"
            )
        if market == "cm" and "_" not in symbol and kind != "indexPriceKlines":
            raise DataError(f"--symbol {symbol}: coin-margined ones are named like BTCUSD_PERP")
        cls._check_interval(kind, market, interval)
        return cls(held.kind, held.market, symbol, first, last, interval)

    @staticmethod
    def _check_interval(kind: str, market: str, interval: str | None) -> None:
        if not holdings().kinds[kind].is_candle:
            if interval is not None:
                raise DataError(f"{kind} has no intervals: leave out --interval {interval}")
            return
        lengths = holdings().intervals
        known = [i for i in lengths.monthly if market == "spot" or i not in lengths.spot_only]
        if interval not in known:
            said = "is missing" if interval is None else f"{interval!r} is not known"
            raise DataError(f"--interval {said}; {kind} {market} has {', '.join(known)}")

    @property
    def rows(self) -> str:
        """The kind of rows in the catalog."""
        return holdings().kinds[self.kind].rows

    @property
    def instrument(self) -> str:
        """The symbol part of the instrument id: perpetuals end in ``-PERP``."""
        if self.market == "spot":
            return self.symbol
        name = self.symbol.removesuffix(_PERPETUAL)
        return self.symbol if "_" in name else f"{name}-PERP"

    @property
    def key(self) -> str:
        """The key in the catalog."""
        interval = self.interval or holdings().kinds[self.kind].interval
        name = f"{self.instrument}.{_VENUE}"
        return name if interval is None else f"{name}/{period(duration(interval, '--interval'))}"

    @property
    def facts(self) -> Facts:
        """What the importer must be told about the files."""
        volume = ("contracts" if self.market == "cm" else "base") if self.rows == "bar" else None
        return Facts(venue=_VENUE, symbol=self.instrument, kind=self.rows, volume=volume)

    def path(self, length: str, date_text: str) -> str:
        """Return a file's path below the archive's base; ``length`` is daily or monthly."""
        symbol = self.symbol
        if (self.market, self.kind) == ("cm", "indexPriceKlines"):
            symbol = symbol.removesuffix(_PERPETUAL)  # an index is of the pair, not of a contract
        folder = f"data/{FOLDERS[self.market]}/{length}/{self.kind}/{symbol}"
        if self.interval is None:
            return f"{folder}/{symbol}-{self.kind}-{date_text}.zip"
        return f"{folder}/{self.interval}/{symbol}-{self.interval}-{date_text}.zip"

    def __str__(self) -> str:
        interval = f" {self.interval}" if self.interval else ""
        return f"{self.kind} {self.market} {self.symbol}{interval}"


def _day(text: str, option: str, *, is_last: bool) -> date:
    """Read a month or a day; a month stands for its first or last day."""
    try:
        if re.fullmatch(r"\d{4}-\d{2}", text):
            year, month = int(text[:4]), int(text[5:])
            return date(year, month, monthrange(year, month)[1] if is_last else 1)
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            return date.fromisoformat(text)
    except ValueError as err:
        raise DataError(f"{option} {text}: there is no such date ({err})") from err
    raise DataError(f"{option} {text!r}: expected a month (2023-01) or a day (2023-01-31)")


def small_real_set() -> tuple[Request, ...]:
    """Return eight months of real BTCUSDT: hourly perpetual, spot minutes, funding.

    About 30 MB; it spans a turn of the year, so that a split by year has both sides.
    """
    months = ("2023-09", "2024-04")
    return (
        Request.of("klines", "um", "BTCUSDT", *months, interval="1h"),
        Request.of("klines", "spot", "BTCUSDT", *months, interval="1m"),
        Request.of("fundingRate", "um", "BTCUSDT", *months),
    )
