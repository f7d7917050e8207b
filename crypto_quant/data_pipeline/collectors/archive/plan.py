"""Which files of the archive answer a request: months where possible, else days."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from crypto_quant.core.errors import DataError
from crypto_quant.data_pipeline.collectors.archive.holdings import Days, Holding, holdings
from crypto_quant.data_pipeline.collectors.archive.request import Request
from crypto_quant.data_pipeline.storage import Part

_DAY = timedelta(days=1)


class Remote(NamedTuple):
    """A file of the archive: its path below the base, and the days it covers."""

    path: str
    first: date
    last: date

    @property
    def name(self) -> str:
        """The file's name without folders."""
        return self.path.rpartition("/")[2]

    @property
    def is_monthly(self) -> bool:
        """Say whether it is of a whole month."""
        return "/monthly/" in self.path


class Imported(NamedTuple):
    """A file of the archive that the catalog was filled from, and the hash it had then."""

    remote: Remote
    sha256: str


@dataclass(frozen=True, slots=True)
class Plan:
    """The files to fetch for a request, those that were imported before, and what to say."""

    request: Request
    remotes: tuple[Remote, ...]
    imported: tuple[Imported, ...] = ()
    notes: tuple[str, ...] = ()

    def days_of(self, remote: Remote) -> tuple[Remote, ...]:
        """Return the daily files that together make a monthly one; none if there are none."""
        daily = _lengths(self.request).daily
        days = (remote.first + n * _DAY for n in range((remote.last - remote.first).days + 1))
        if daily is None:
            return ()
        asked = (d for d in days if daily.has(d) and self.request.first <= d <= self.request.last)
        return tuple(Remote(self.request.path("daily", d.isoformat()), d, d) for d in asked)


def plan(request: Request, today: date, parts: Sequence[Part] = ()) -> Plan:
    """Choose the files for a request.

    Parameters
    ----------
    request : Request
        What is wanted.
    today : date
        The day, UTC, from which on nothing is published yet.
    parts : Sequence[Part]
        What the catalog holds of the same kind and key; days that it holds are not fetched,
        because rows that overlap are refused.

    Raises
    ------
    DataError
        The request lies wholly outside of what the archive has: the message says what that is.
    """
    planner = _Planner(request, today, parts)
    for first in _months(request.first, request.last):
        planner.add_month(first)
    return planner.plan()


@dataclass(slots=True)
class _Planner:
    request: Request
    today: date
    parts: Sequence[Part]
    remotes: list[Remote] = field(default_factory=list)
    imported: dict[str, Imported] = field(default_factory=dict)
    covered: dict[str, list[date]] = field(default_factory=dict)
    outside: list[date] = field(default_factory=list)
    widened: list[Remote] = field(default_factory=list)
    shut: list[date] = field(default_factory=list)

    def add_month(self, first: date) -> None:
        """Choose between the month's file and files of its days."""
        days = [d for d in _days_of(first) if self.request.first <= d <= self.request.last]
        held = [day for day in days if self._is_held(day)]
        free = [day for day in days if day not in held]
        by_day = [day for day in free if self._has(_lengths(self.request).daily, day)]
        month = self._month(first)
        whole = [d for d in _days_of(first) if self._has(_lengths(self.request).monthly, d)]
        by_month_only = [day for day in free if day in whole and day not in by_day]
        is_published = self.today >= _first_monday(month.last + _DAY)
        if whole and is_published and (set(days) >= set(whole) or by_month_only):
            if not any(self._holds(part, month.first, month.last) for part in self.parts):
                self.remotes.append(month)
                if not set(days) >= set(whole):
                    self.widened.append(month)
                self.outside += [day for day in days if day not in whole]
                return
            self.shut += by_month_only
        else:
            self.outside += by_month_only
        self.remotes += [self._day(day) for day in by_day]
        have = {*by_day, *by_month_only}
        self.outside += [day for day in free if day not in have]

    def plan(self) -> Plan:
        """Return the plan, or say that there is nothing to plan."""
        limits = _lengths(self.request).in_words()
        if self.outside:
            limits += f"; outside of it: {_ranges(self.outside)}"
        if not (self.remotes or self.covered or self.shut):
            raise DataError(limits)
        notes = [limits] if self.outside else []
        notes += [
            f"{remote.name} is of a whole month: more is taken than was asked for"
            for remote in self.widened
        ]
        if self.covered:
            days = _ranges(day for days in self.covered.values() for day in days)
            first, more = next(iter(self.covered)), len(self.covered) - 1
            sources = f"{first} and {more} more files" if more else first
            notes.append(f"{days}: already in the catalog, from {sources}")
        if self.shut:
            notes.append(
                f"{_ranges(self.shut)}: not fetched, as there are files of whole months only and "
                "the catalog holds a part of the month"
            )
        return Plan(self.request, tuple(self.remotes), tuple(self.imported.values()), tuple(notes))

    def _has(self, days: Days | None, day: date) -> bool:
        holes = _lengths(self.request).holes
        known = any(h.symbol == self.request.symbol and h.first <= day <= h.last for h in holes)
        return days is not None and days.has(day) and day < self.today and not known

    def _month(self, first: date) -> Remote:
        path = self.request.path("monthly", first.isoformat()[:7])
        return Remote(path, first, _days_of(first)[-1])

    def _day(self, day: date) -> Remote:
        return Remote(self.request.path("daily", day.isoformat()), day, day)

    def _is_held(self, day: date) -> bool:
        """Note the sources of a day that the catalog holds."""
        sources = [part.source for part in self.parts if self._holds(part, day, day)]
        for source in sources:
            ours = (self._day(day), self._month(day.replace(day=1)))
            remote = next((r for r in ours if r.name == source.name), None)
            if remote is not None:
                self.imported[remote.path] = Imported(remote, source.sha256)
            self.covered.setdefault(source.name, []).append(day)
        return bool(sources)

    def _holds(self, part: Part, first: date, last: date) -> bool:
        # A candle fills its period; a stamp of another row is an instant, which some files
        # have at the midnight that ends their last day.
        is_candle = holdings().kinds[self.request.kind].is_candle
        end = part.end + ((part.interval or 0) if is_candle else 0)
        return part.start < _ns(last + _DAY) and end > _ns(first)


def _lengths(request: Request) -> Holding:
    """Return the holding of a request's kind; some candles have monthly files only."""
    holding = holdings().find(request.kind, request.market)
    lengths = holdings().intervals
    if request.interval is not None and request.interval not in lengths.daily:
        return holding.model_copy(update={"daily": None})
    return holding


def _months(first: date, last: date) -> Iterator[date]:
    month = first.replace(day=1)
    while month <= last:
        yield month
        month = _days_of(month)[-1] + _DAY


def _days_of(first: date) -> list[date]:
    return [first + n * _DAY for n in range(monthrange(first.year, first.month)[1])]


def _first_monday(first: date) -> date:
    return first + timedelta(days=-first.weekday() % 7)


def _ns(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 10**9


def _ranges(days: Iterable[date]) -> str:
    """Write days as ranges: ``2024-04-02 to 2024-04-30, 2024-05-03``."""
    runs: list[list[date]] = []
    for day in sorted(set(days)):
        if runs and day - runs[-1][-1] == _DAY:
            runs[-1].append(day)
        else:
            runs.append([day])
    return ", ".join(f"{run[0]} to {run[-1]}" if len(run) > 1 else f"{run[0]}" for run in runs)
