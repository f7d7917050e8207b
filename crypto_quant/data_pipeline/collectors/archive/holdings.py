"""What the public archive holds: kinds by market, the days they cover, and how that is known."""

from __future__ import annotations

import tomllib
from datetime import date
from functools import cache
from importlib import resources
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from crypto_quant.core.errors import DataError

Market = Literal["spot", "um", "cm"]

FOLDERS: Final[dict[str, str]] = {"spot": "spot", "um": "futures/um", "cm": "futures/cm"}
"""The archive's folder of each market."""

PUBLISHED: Final = "a day's file appears the next day, a month's on the first Monday after it"


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Days(_Row):
    """First and last day that files cover; ``None`` where no limit is known."""

    first: date | None = None
    last: date | None = None

    def has(self, day: date) -> bool:
        """Say whether a day lies within."""
        return (self.first or day) <= day <= (self.last or day)

    def in_words(self, length: int) -> str:
        """Return ``2023-05-16 to 2024-03-30``; ``length`` cuts to months (7) or days (10)."""
        if self.first is None and self.last is None:
            return "without a declared limit"
        first = f"from {self.first.isoformat()[:length]}" if self.first else ""
        last = f"to {self.last.isoformat()[:length]}" if self.last else ""
        return f"{first} {last}".strip()


class Hole(_Row):
    """Days of one symbol that the archive is known to lack."""

    symbol: str
    first: date
    last: date
    reason: str
    source: str


class Kind(_Row):
    """A kind of file: the rows of the catalog that it becomes.

    ``is_candle``: one folder an interval; ``interval`` is that of kinds with only one.
    """

    rows: str
    is_candle: bool = False
    interval: str | None = None


class Holding(_Row):
    """The files of one kind in one market; ``None`` where there are no such files."""

    market: Market
    kind: str
    source: str
    daily: Days | None = None
    monthly: Days | None = None
    reason: str = ""
    holes: tuple[Hole, ...] = ()

    def in_words(self) -> str:
        """Return what is covered, why it ends where it does, and how that is known."""
        files = [
            f"{name} files {days.in_words(length)}"
            for name, days, length in (("daily", self.daily, 10), ("monthly", self.monthly, 7))
            if days is not None
        ]
        why = f"{self.reason}; " if self.reason else ""
        return (
            f"{self.kind} {self.market}: the archive has {' and '.join(files)} "
            f"({why}{PUBLISHED}; source: {self.source})"
        )


class Intervals(_Row):
    """Lengths of candles, by length of file; ``spot_only`` ones have no futures files."""

    daily: tuple[str, ...]
    monthly: tuple[str, ...]
    spot_only: tuple[str, ...]


class Holdings(_Row):
    """The whole of ``holdings.toml``; ``base`` is the archive's public address."""

    base: str
    kinds: dict[str, Kind]
    intervals: Intervals
    holding: tuple[Holding, ...]

    def find(self, kind: str, market: str) -> Holding:
        """Return the holding of a kind in a market.

        Raises
        ------
        DataError
            There is none; the message names what there is.
        """
        for holding in self.holding:
            if (holding.kind, holding.market) == (kind, market):
                return holding
        if kind in self.kinds:
            where = ", ".join(h.market for h in self.holding if h.kind == kind)
            raise DataError(f"the archive has no {kind} of market {market}; it has them of {where}")
        raise DataError(f"the archive has no {kind!r}; kinds: {', '.join(self.kinds)}")


@cache
def holdings() -> Holdings:
    """Read the holdings that come with the package."""
    file = resources.files(__package__) / "holdings.toml"
    return Holdings.model_validate(tomllib.loads(file.read_text("utf-8")))
