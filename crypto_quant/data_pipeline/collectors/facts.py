"""What a file does not say of itself: venue, symbol, interval, units, conventions."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Final

from crypto_quant.core.errors import DataError

_UNITS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_LONGEST: Final = 50 * 366 * 86_400
"""Seconds; a time, a period and a delay together stay within 64 bits of ns."""
_CHOICES: Final = {
    "stamp": ("open", "close"),
    "volume": ("base", "quote", "contracts"),
    "rate": ("fraction", "percent"),
    "dates": ("mdy", "dmy"),
}
_MEANING: Final = {
    "venue": "BINANCE",
    "symbol": "BTCUSDT-PERP",
    "kind": "bar",
    "interval": "1h",
    "stamp": "open",
    "volume": "base",
    "dataset": "my_series",
    "available_after": "12h",
    "date": "2024-01-31",
    "rate": "fraction",
    "dates": "mdy",
    "drop": "a+b",
}
_BARS: Final = ("bar", "mark_bar", "index_bar", "premium_bar", "quote_bar")
_KINDS: Final = {
    "interval": (*_BARS, "funding", "series", "metrics"),
    "stamp": _BARS,
    "volume": ("bar", "quote_bar"),
    "date": ("bar", "quote_bar"),
    "rate": ("funding",),
    "dates": ("series",),
    "available_after": ("series",),
    "drop": ("series",),
}
"""Kinds that a key says something of; keys that are not here say something of each."""
_USUAL_KINDS: Final = (_MEANING["kind"], "trade")


@dataclass(frozen=True, slots=True)
class Facts:
    """Facts about a file, from ``--as`` and from the dataset TOML; ``None`` is unknown.

    ``venue`` and ``symbol`` make the instrument id; ``interval`` is the period of a row
    (``1h``); ``stamp`` says whether a bar's time is its open or its close; ``volume`` is
    the unit of the volume column; ``dataset`` names a series; ``available_after`` is how
    long after the end of its period a value was published (``12h``); ``date`` is the day
    of a file whose rows hold the time of day only; ``rate`` says whether a funding rate is
    a fraction or in percent; ``dates`` is the order of day and month in ``1/2/2016``;
    ``drop`` names columns of a series that are not to be kept (``a+b`` in ``--as``).
    """

    venue: str | None = None
    symbol: str | None = None
    kind: str | None = None
    interval: str | None = None
    stamp: str | None = None
    volume: str | None = None
    dataset: str | None = None
    available_after: str | None = None
    date: str | None = None
    rate: str | None = None
    dates: str | None = None
    drop: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Facts:
        """Read ``key=value,key=value`` as the user gives it.

        Raises
        ------
        DataError
            An unknown key, a value that the key does not take, or one that says nothing of the
            kind that is given.
        """
        given: dict[str, str] = {}
        for item in filter(None, (part.strip() for part in text.split(","))):
            key, equals, value = (word.strip() for word in item.partition("="))
            if not equals or not value:
                raise DataError(f"--as: expected key=value, found {item!r}")
            given[key] = value
        found = cls.of(given, "--as")
        kind = given.get("kind")
        idle = [key for key in given if kind is not None and kind not in _KINDS.get(key, (kind,))]
        if idle:
            raise DataError(f"--as: {', '.join(idle)} says nothing of kind={kind}; leave it out")
        return found

    @classmethod
    def of(cls, given: Mapping[str, object], where: str) -> Facts:
        """Check names and values; ``where`` is named in the error."""
        known = {f.name for f in fields(cls)}
        for key, value in given.items():
            if key not in known:
                raise DataError(f"{where}: unknown key {key!r}; known: {', '.join(_MEANING)}")
            allowed = _CHOICES.get(key)
            if allowed and value not in allowed:
                raise DataError(f"{where}: {key} is one of {', '.join(allowed)}, not {value!r}")
            if key in ("interval", "available_after"):
                length = duration(str(value), f"{where}: {key}")
                if key == "interval" and not length:
                    raise DataError(f"{where}: interval: a period is longer than {value}")
        drop = given.get("drop", ())
        columns = drop.split("+") if isinstance(drop, str) else drop
        texts = {key: str(value) for key, value in given.items() if key != "drop"}
        return cls(**texts, drop=tuple(columns))  # type: ignore[arg-type]  # a list of names

    def over(self, other: Facts) -> Facts:
        """Return these facts, completed by ``other`` where they are silent."""
        missing = {f.name for f in fields(self) if getattr(self, f.name) in (None, ())}
        return replace(self, **{name: getattr(other, name) for name in missing})

    def missing(self, needed: Iterable[str]) -> list[str]:
        """Return which of ``needed`` are unknown."""
        return [name for name in needed if getattr(self, name) is None]

    def need(self, name: str) -> str:
        """Return a fact that the layout declared as needed."""
        value = getattr(self, name)
        if not isinstance(value, str):
            raise DataError(f"{name} is not known; {ask([name])}")
        return value

    @property
    def instrument(self) -> str:
        """The instrument id, ``<symbol>.<venue>``."""
        return f"{self.need('symbol')}.{self.need('venue')}"


def ask(names: list[str], kinds: Collection[str] = _USUAL_KINDS) -> str:
    """Word the request for missing facts, with an example; its kind is one of ``kinds``."""
    kind = next((kind for kind in (*_USUAL_KINDS, *sorted(kinds)) if kind in kinds), "")
    given = {**_MEANING, "kind": kind}
    example = ",".join(f"{name}={given[name]}" for name in names)
    return f'give {", ".join(names)}, for instance --as "{example}"'


def duration(text: str, what: str) -> int:
    """Turn ``15m``, ``8h``, ``1d`` into ns.

    Raises
    ------
    DataError
        It is not a whole number with one of the units s, m, h, d, w, or over 50 years.
    """
    match = re.fullmatch(r"([0-9]{1,10})([smhdw])", text)
    if match is None:
        raise DataError(f"{what}: expected a length such as 15m, 8h or 1d, found {text!r}")
    seconds = int(match[1]) * _UNITS[match[2]]
    if seconds > _LONGEST:
        raise DataError(f"{what}: {text} is longer than 50 years")
    return seconds * 10**9


def period(interval: int) -> str:
    """Write ns as the shortest length that ``duration`` reads."""
    seconds = interval // 10**9
    for unit in ("d", "h", "m", "s"):
        if seconds % _UNITS[unit] == 0:
            return f"{seconds // _UNITS[unit]}{unit}"
    return f"{seconds}s"
