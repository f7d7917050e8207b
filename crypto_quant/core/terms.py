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
CONTRACTS: Final = "contracts"


class Terms(NamedTuple):
    """Order rules of an instrument, in force at one time.

    ``tick`` and ``lot`` count grid units. ``price_unit`` (quote asset) and ``size_unit``
    (base asset; of an inverse contract quote asset) are what one grid unit is worth, exact in
    ``price_step`` and ``size_step``. A notional is in the quote asset:
    ``px * qty * price_step * size_step``, of an inverse contract ``qty * size_step`` whatever the
    price. Sizes that people give are in ``counted_in``, the base asset or, of an inverse
    contract, contracts: ``count_step`` of them in one grid unit. ``taker`` is a fraction of
    notional, ``max_leverage`` that of the lowest bracket (1 for spot).
    """

    id: str
    is_spot: bool
    is_inverse: bool
    base: str
    counted_in: str
    price_unit: float
    size_unit: float
    price_step: Decimal
    size_step: Decimal
    count_step: Decimal
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
        if self.is_inverse:
            return EXACT.multiply(quantity, self.size_step)
        return EXACT.multiply(EXACT.multiply(px * quantity, self.price_step), self.size_step)

    def worth(self, px: int) -> float:
        """Return the notional of one grid unit at a price, quote asset; 0 without a price."""
        if self.is_inverse:
            return self.size_unit if px > 0 else 0.0
        return px * self.price_unit * self.size_unit

    def lots_of(self, size: Decimal) -> int:
        """Return the grid units in a size of ``counted_in``, down to the lot."""
        return int(size / self.count_step) // self.lot * self.lot

    def some_lots_of(self, size: Decimal, key: str) -> int:
        """Return the grid units in a size, down to the lot; ``key`` names it.

        Raises
        ------
        ConfigError
            It is less than a lot.
        """
        quantity = self.lots_of(size)
        if quantity <= 0:
            raise ConfigError(
                f"{key}: {size} {self.counted_in} is less than the lot {self.lot_size} of "
                f"{self.id}: choose at least one lot"
            )
        return quantity

    @property
    def lot_size(self) -> Decimal:
        """What a lot is, in ``counted_in``."""
        return self.lot * self.count_step


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
            An instrument cannot be traded: without sourced rules, or on a grid coarser than
            them.
        """
        if now >= self._next:
            self._rows = {n: terms_at(i, now, self._tier) for n, i in self._instruments.items()}
            self._next = next((ts for ts in self._changes if ts > now), FOREVER)
        return self._rows


def terms_at(instrument: Instrument, now: int, tier: str = "VIP0") -> Terms:
    """Return an instrument's terms in force at ``now``; errors as of ``TermsTable.at``."""
    price_step = Decimal(1).scaleb(-instrument.price_exp)
    qty_step = Decimal(1).scaleb(-instrument.qty_exp)
    size_step = qty_step * instrument.multiplier
    is_inverse = instrument.contract == "inverse"
    brackets = instrument.brackets.at(now)[0] if instrument.brackets else ()
    return Terms(
        id=instrument.id,
        is_spot=instrument.contract == "spot",
        is_inverse=is_inverse,
        base=instrument.base,
        counted_in=counted_in(instrument),
        price_unit=float(price_step),
        size_unit=float(size_step),
        price_step=price_step,
        size_step=size_step,
        count_step=qty_step if is_inverse else size_step,
        tick=tick_at(instrument, now),
        lot=_grid_units(instrument, "lot", _at(instrument, "lot", now), qty_step),
        min_notional=_at(instrument, "min_notional", now),
        taker=float(_fees(instrument, tier).at(now)[0].taker),
        max_leverage=brackets[0].max_leverage if brackets else 1,
    )


def counted_in(instrument: Instrument) -> str:
    """Return what sizes and positions are told in: an inverse contract holds no fixed coins."""
    return CONTRACTS if instrument.contract == "inverse" else instrument.base


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
    """Return the smallest size that is a whole number of every lot.

    All terms are in one unit of size, which is the result's: see ``Terms.size_step``.
    """
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
