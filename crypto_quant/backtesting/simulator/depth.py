"""The known book of an instrument, in ticks and lots."""

from __future__ import annotations

from decimal import Decimal
from typing import Final, SupportsIndex

import numpy as np
from numpy.typing import NDArray

from crypto_quant import _native
from crypto_quant.core.errors import StrategyError
from crypto_quant.runtime.where import where

Levels = NDArray[np.int64]
BEYOND: Final = 1 << 40
"""No price is as many ticks, no book has as many levels."""


class Depth:
    """A view of the book as it is known now; it changes as time passes.

    Without a valid book (before the first snapshot, after a gap) best prices are ``None`` and
    quantities 0.

    Parameters
    ----------
    line
        The line that keeps the book.
    asset_no
        Position of the instrument.
    tick, lot
        Grid units in a tick and in a lot.
    tick_size, lot_size
        What they are worth, in the quote and the base asset; a lot of an inverse contract in
        contracts.
    """

    __slots__ = ("_asset", "_line", "_lot", "_tick", "lot_size", "tick_size")

    def __init__(
        self,
        line: _native.Line,
        asset_no: int,
        tick: int,
        lot: int,
        tick_size: Decimal,
        lot_size: Decimal,
    ) -> None:
        self._line = line
        self._asset = asset_no
        self._tick = tick
        self._lot = lot
        self.tick_size = tick_size
        self.lot_size = lot_size

    def touch(self) -> tuple[int, int, int, int] | None:
        """Return best bid and its quantity, best ask and its quantity: ticks and lots."""
        top = self._line.top(self._asset)
        if top is None:
            return None
        bid, bid_qty, ask, ask_qty = top
        tick, lot = self._tick, self._lot
        return bid // tick, bid_qty // lot, ask // tick, ask_qty // lot

    @property
    def best_bid_tick(self) -> int | None:
        """Highest bid, ticks."""
        top = self._line.top(self._asset)
        return None if top is None else top[0] // self._tick

    @property
    def best_ask_tick(self) -> int | None:
        """Lowest ask, ticks."""
        top = self._line.top(self._asset)
        return None if top is None else top[2] // self._tick

    @property
    def best_bid(self) -> Decimal | None:
        """Highest bid, quote asset."""
        tick = self.best_bid_tick
        return None if tick is None else tick * self.tick_size

    @property
    def best_ask(self) -> Decimal | None:
        """Lowest ask, quote asset."""
        tick = self.best_ask_tick
        return None if tick is None else tick * self.tick_size

    @property
    def best_bid_qty(self) -> int:
        """Quantity of the highest bid, lots."""
        top = self._line.top(self._asset)
        return 0 if top is None else top[1] // self._lot

    @property
    def best_ask_qty(self) -> int:
        """Quantity of the lowest ask, lots."""
        top = self._line.top(self._asset)
        return 0 if top is None else top[3] // self._lot

    def bid_qty_at_tick(self, price_tick: int) -> int:
        """Return the bids at a price, lots."""
        px = self._whole("price_tick", price_tick) * self._tick
        return self._line.qty_at(self._asset, True, px) // self._lot

    def ask_qty_at_tick(self, price_tick: int) -> int:
        """Return the asks at a price, lots."""
        px = self._whole("price_tick", price_tick) * self._tick
        return self._line.qty_at(self._asset, False, px) // self._lot

    def levels(self, count: int) -> tuple[Levels, Levels]:
        """Return the best bids and asks from the touch outwards.

        Returns
        -------
        tuple of arrays
            Bids and asks, each int64 (n, 2) of tick and lots; n is at most ``count``.

        Raises
        ------
        StrategyError
            ``count`` is no whole number of 0 or more.
        """
        found = self._line.levels(self._asset, self._whole("count", count))
        if found is None:
            none = np.empty((0, 2), dtype=np.int64)
            return none, none
        for side in found:
            side //= (self._tick, self._lot)
        return found[0], found[1]

    def _whole(self, what: str, value: int) -> int:
        if not isinstance(value, SupportsIndex) or not 0 <= int(value) < BEYOND:
            place = where(self._line)
            raise StrategyError(
                f"{what}: expected a whole number of 0 or more, was {value!r} {place}"
            )
        return int(value)
