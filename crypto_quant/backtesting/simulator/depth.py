"""The known book of an instrument, in ticks and lots."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from crypto_quant import _native

Levels = NDArray[np.int64]


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
        return self._line.qty_at(self._asset, True, price_tick * self._tick) // self._lot

    def ask_qty_at_tick(self, price_tick: int) -> int:
        """Return the asks at a price, lots."""
        return self._line.qty_at(self._asset, False, price_tick * self._tick) // self._lot

    def levels(self, count: int) -> tuple[Levels, Levels]:
        """Return the best bids and asks from the touch outwards.

        Returns
        -------
        tuple of arrays
            Bids and asks, each int64 (n, 2) of tick and lots; n is at most ``count``.
        """
        found = self._line.levels(self._asset, count)
        if found is None:
            none = np.empty((0, 2), dtype=np.int64)
            return none, none
        for side in found:
            side //= (self._tick, self._lot)
        return found[0], found[1]
