"""What a shock may change: the rows of a stretch, the venue's settings, what it does to us."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final, Generic, NamedTuple, TypeAlias, TypeVar

import numpy as np

from crypto_quant.core.instruments import Instrument
from crypto_quant.runtime.segments import Span
from crypto_quant.runtime.tape import Columns, Ints

Key = tuple[str, int]
"""Kind of a stream (``bar``, ``funding``, ``mark``, ``delta``, ``trade``, ``quote``, ``gap``)
and its instrument's position in the run's list."""

MINUTE_NS: Final = 60 * 10**9
HOUR_NS: Final = 60 * MINUTE_NS
DAY_NS: Final = 24 * HOUR_NS
PRICES: Final = ("open", "high", "low", "close")


class InapplicableError(Exception):
    """A shock has nothing to change on a tape; the text says why."""


class Deleverage(NamedTuple):
    """The venue takes ``fraction`` of the position in an instrument at ``ts``."""

    ts: int
    instrument: int
    fraction: Decimal


class Trip(NamedTuple):
    """When a message is sent, when the venue has it, when its answer is known; ns UTC."""

    sent: int
    venue: int
    answered: int


class Way(NamedTuple):
    """How long messages to a venue and its answers take, ns.

    ``trips`` are messages between which latencies are interpolated, in the order of ``sent``; with
    none they are the constants.
    """

    entry: int
    response: int
    trips: tuple[Trip, ...] = ()

    def native(self) -> dict[str, object]:
        """Return it as settings of the native venue."""
        if self.trips:
            return {"latency_rows": list(self.trips)}
        return {"entry_latency_ns": self.entry, "response_latency_ns": self.response}


class Position(NamedTuple):
    """What is held of one thing when a shock begins.

    ``book`` is its name for people, empty where a run has one alone; ``at`` its place on the line,
    in hedge mode a leg's; ``venue`` where it trades; ``over`` its
    value over the equity, negative where short.
    """

    book: str
    at: int
    venue: str
    is_contract: bool
    over: float


class Worth(NamedTuple):
    """What one unit of the quote asset is worth in dollars over a stretch."""

    span: Span
    dollars: float


Positions: TypeAlias = tuple[Position, ...]
Parts: TypeAlias = Iterable[Columns]
"""A stream's rows, cut anywhere; every iteration begins anew."""
S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Changed:
    """A stream's parts under a change that is made while they are read."""

    parts: Parts
    change: Callable[[Parts], Iterator[Columns]]

    def __iter__(self) -> Iterator[Columns]:
        return self.change(self.parts)


@dataclass(frozen=True, slots=True)
class StressTape(Generic[S]):
    """A stretch of tape before it is put on a line.

    Parameters
    ----------
    instruments
        The run's instruments, in order.
    streams
        By kind and instrument, on the run's grids, in the order of ``ts_recv``: columns, or
        parts of them.
    interval_ns
        Length of each instrument's bars.
    rate_exp
        Decimals of funding rates.
    sim
        Of bars: the simulated venue's settings by their native names.
    ways
        Of a session: the latencies of each venue, by its name.
    deleverages
        Parts of positions that the venue takes.
    worth
        Where the quote asset is not worth a dollar.
    """

    instruments: tuple[Instrument, ...]
    streams: Mapping[Key, S]
    interval_ns: Mapping[int, int]
    rate_exp: int
    sim: Mapping[str, int | float | Decimal | str] = field(default_factory=dict)
    ways: Mapping[str, Way] = field(default_factory=dict)
    deleverages: tuple[Deleverage, ...] = ()
    worth: tuple[Worth, ...] = ()

    def changed(self, streams: Mapping[Key, S]) -> StressTape[S]:
        """Return it with other columns for some streams."""
        return replace(self, streams={**self.streams, **streams})

    def set(self, settings: Mapping[str, int | float | Decimal]) -> StressTape[S]:
        """Return it with other settings of the venue."""
        return replace(self, sim={**self.sim, **settings})

    def travelled(self, ways: Mapping[str, Way]) -> StressTape[S]:
        """Return it with other latencies of some venues."""
        return replace(self, ways={**self.ways, **ways})

    def of(self, kind: str) -> list[int]:
        """List the instruments that have a stream of a kind."""
        return sorted(index for held, index in self.streams if held == kind)

    def contracts(self) -> list[int]:
        """List the instruments that are no spot pairs.

        Raises
        ------
        InapplicableError
            There are none.
        """
        found = [n for n, i in enumerate(self.instruments) if i.contract != "spot"]
        if not found:
            raise InapplicableError("spot has no mark, no funding and no margin")
        return found


BarTape: TypeAlias = StressTape[Columns]
SessionTape: TypeAlias = StressTape[Parts]
"""A session's: read in parts, however long it is."""

Apply: TypeAlias = Callable[[StressTape[S], Span], StressTape[S]]


@dataclass(frozen=True, slots=True)
class Shock:
    """One shock: a pure transformation of a tape.

    Parameters
    ----------
    key, label
        Its name in the registry, and for people.
    claim
        What the transformed tape has, in a sentence.
    bars, ticks
        The transformation, or why there is none. Nothing before the span's start changes.
    bars_ns, ticks_ns
        How long it lasts on either kind of tape; 0: to the end.
    from_first
        Kinds of tape (``bars``, ``ticks``) on which it holds from the first decision on, as a
        setting of the venue does: there the shock starts with it.
    takes
        The venue takes positions: where it can take none, the rest of the shock alone would
        be shown.
    aimed
        Makes the shock in its place for what is held, where that says whom or what it takes.
    """

    key: str
    label: str
    claim: str
    bars: Apply[Columns] | str
    ticks: Apply[Parts] | str
    bars_ns: int = 0
    ticks_ns: int = 0
    from_first: frozenset[str] = frozenset()
    takes: bool = False
    aimed: Callable[[Positions], Shock] | None = None

    def facing(self, held: Positions | None) -> Shock:
        """Return the shock for what is held when it begins; ``None``: from the first decision."""
        return self if self.aimed is None or held is None else self.aimed(held)

    def on_bars(self, tape: BarTape, span: Span) -> BarTape:
        """Return a tape of bars under the shock.

        Raises
        ------
        InapplicableError
            It has nothing to change on this tape.
        """
        return _applied(self.bars, tape, span)

    def on_ticks(self, tape: SessionTape, span: Span) -> SessionTape:
        """Return a session under the shock; its rows change as they are read.

        Raises
        ------
        InapplicableError
            It has nothing to change on this tape.
        """
        return _applied(self.ticks, tape, span)


def _applied(apply: Apply[S] | str, tape: StressTape[S], span: Span) -> StressTape[S]:
    if isinstance(apply, str):
        raise InapplicableError(apply)
    return apply(tape, span)


def tick_units(instrument: Instrument, ts: int) -> int:
    """Return the price step in force, in grid units; 1 where none is sourced."""
    if instrument.tick is None:
        return 1
    return max(1, int(instrument.tick.at(ts)[0].scaleb(instrument.price_exp)))


def scaled(prices: Ints, factor: Decimal, step: int) -> Ints:
    """Return prices times a factor, to the nearest multiple of ``step``, at least one step."""
    top, bottom = factor.as_integer_ratio()
    exact = prices.astype(object) * top
    unit = bottom * step
    steps = np.maximum((2 * exact + unit) // (2 * unit), 1)
    return np.asarray(steps * step).astype(np.int64)
