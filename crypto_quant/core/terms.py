"""What binds an order of an instrument at a time: dated rules, ready for integer sizing."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Final, Literal, NamedTuple

from crypto_quant.core.errors import ConfigError
from crypto_quant.core.instruments import Dated, Fees, Instrument, venue_of

FOREVER = 2**63 - 1
EXACT: Final = Context(prec=28, rounding=ROUND_HALF_EVEN)
"""Context of every exact number of ours, whatever the caller's is."""


class Terms(NamedTuple):
    """Order rules of a spot or linear instrument, in force at one time.

    ``tick`` and ``lot`` count grid units. ``price_unit`` (quote asset) and ``size_unit``
    (base asset) are what one grid unit is worth, exact in ``price_step`` and ``size_step``:
    ``px * qty * price_step * size_step`` is a notional. ``taker`` is a fraction of notional,
    ``max_leverage`` that of the lowest bracket (1 for spot).
    """

    id: str
    is_spot: bool
    base: str
    price_unit: float
    size_unit: float
    price_step: Decimal
    size_step: Decimal
    tick: int
    lot: int
    min_notional: Decimal
    taker: float
    max_leverage: int

    @property
    def venue(self) -> str:
        """The venue that the id names; empty where it names none."""
        return venue_of(self.id)

    def notional(self, px: int, quantity: int) -> Decimal:
        """Return the exact notional in the quote asset, signed as ``quantity``."""
        return EXACT.multiply(EXACT.multiply(px * quantity, self.price_step), self.size_step)


class TermsTable:
    """Terms of the instruments that a run trades, re-read only when a dated rule changes."""

    __slots__ = ("_changes", "_instruments", "_next", "_rows", "_tier")

    def __init__(self, traded: Mapping[int, Instrument], tier: str = "VIP0") -> None:
        self._instruments = dict(traded)
        self._tier = tier
        self._changes = sorted({ts for i in traded.values() for ts in _changes(i, tier)})
        self._next = -FOREVER
        self._rows: dict[int, Terms] = {}

    def at(self, now: int) -> dict[int, Terms]:
        """Return the terms in force at ``now``, by instrument; ``now`` never goes back.

        Raises
        ------
        ConfigError
            An instrument cannot be traded: inverse, without sourced rules, or on a grid
            coarser than its rules.
        """
        if now >= self._next:
            self._rows = {n: terms_at(i, now, self._tier) for n, i in self._instruments.items()}
            self._next = next((ts for ts in self._changes if ts > now), FOREVER)
        return self._rows


def terms_at(instrument: Instrument, now: int, tier: str = "VIP0") -> Terms:
    """Return an instrument's terms in force at ``now``; errors as of ``TermsTable.at``."""
    if instrument.contract == "inverse":
        raise ConfigError(
            f"{instrument.id}: orders are sized in the quote asset, which an inverse "
            "contract does not settle in: trade a spot or linear instrument"
        )
    price_step = Decimal(1).scaleb(-instrument.price_exp)
    qty_step = Decimal(1).scaleb(-instrument.qty_exp)
    size_step = qty_step * instrument.multiplier
    brackets = instrument.brackets.at(now)[0] if instrument.brackets else ()
    return Terms(
        id=instrument.id,
        is_spot=instrument.contract == "spot",
        base=instrument.base,
        price_unit=float(price_step),
        size_unit=float(size_step),
        price_step=price_step,
        size_step=size_step,
        tick=tick_at(instrument, now),
        lot=_grid_units(instrument, "lot", _at(instrument, "lot", now), qty_step),
        min_notional=_at(instrument, "min_notional", now),
        taker=float(_fees(instrument, tier).at(now)[0].taker),
        max_leverage=brackets[0].max_leverage if brackets else 1,
    )


def tick_at(instrument: Instrument, now: int) -> int:
    """Return the grid units in a tick, in force at ``now``.

    Raises
    ------
    ConfigError
        There is no sourced tick, or the grid is coarser than it.
    """
    step = Decimal(1).scaleb(-instrument.price_exp)
    return _grid_units(instrument, "tick", _at(instrument, "tick", now), step)


def common_step(terms: Iterable[Terms]) -> Decimal:
    """Return the smallest size, in the base asset, that is a whole number of every lot."""
    lots = [t.lot * t.size_step for t in terms]
    unit = Decimal(1).scaleb(min(int(lot.normalize().as_tuple().exponent) for lot in lots))
    return math.lcm(*(int(lot / unit) for lot in lots)) * unit


def _at(instrument: Instrument, what: Literal["tick", "lot", "min_notional"], now: int) -> Decimal:
    rule: Dated[Decimal] | None = getattr(instrument, what)
    if rule is None:
        raise ConfigError(
            f"{instrument.id}: no sourced {what}, so no order can be valid: trade another contract"
        )
    return rule.at(now)[0]


def _fees(instrument: Instrument, tier: str) -> Dated[Fees]:
    if tier not in instrument.fees:
        raise ConfigError(f"{instrument.id}: no sourced fees of tier {tier!r}: choose another tier")
    return instrument.fees[tier]


def _grid_units(instrument: Instrument, what: str, value: Decimal, step: Decimal) -> int:
    units = value / step
    if units < 1 or units != int(units):
        raise ConfigError(
            f"{instrument.id}: {what} {value} is no whole number of the grid's {step}: "
            "the run's grid must be at least as fine"
        )
    return int(units)


def _changes(instrument: Instrument, tier: str) -> list[int]:
    tables = (instrument.tick, instrument.lot, instrument.min_notional)
    stamps = [row.valid_from for table in tables if table is not None for row in table.rows]
    stamps += [row.valid_from for row in _fees(instrument, tier).rows]
    if instrument.brackets is not None:
        stamps += [row.valid_from for row in instrument.brackets.rows]
    return stamps
