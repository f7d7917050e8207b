"""Sleeves' own orders that only reduce: how far they may take a sleeve, whatever fills."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from crypto_quant.core.messages import Order

Key = tuple[int, int]
Sides = tuple[int, int]
"""What is (bought, sold), unsigned."""
Ends = Callable[[int, int], tuple[int, int]]
"""Returns lowest and highest position of a sleeve in an instrument without such orders."""


class Exits:
    """Those that live (``live``) and those of this wake-up (``new``), by (sleeve, instrument).

    The venue lets them trade no further than the account is flat. So they take a sleeve no further
    past flat than the other sleeves may come to be on its side.
    """

    __slots__ = ("_sleeves", "live", "new")

    def __init__(self, live: Mapping[Key, Sides], sleeves: Sequence[int]) -> None:
        self._sleeves = sleeves
        self.live = live
        self.new: dict[Key, Sides] = {}

    def accept(self, order: Order) -> None:
        """Count an order that may leave."""
        ((sleeve, quantity),) = order.allocations
        key = (sleeve, order.instrument)
        bought, sold = self.new.get(key, (0, 0))
        self.new[key] = (bought + max(quantity, 0), sold + max(-quantity, 0))

    def of(self, sleeve: int, instrument: int) -> Sides:
        """Return what a sleeve's may trade."""
        key = (sleeve, instrument)
        (bought, sold), (more, less) = self.live.get(key, (0, 0)), self.new.get(key, (0, 0))
        return bought + more, sold + less

    def widened(
        self, sleeve: int, instrument: int, held: int, exits: Sides, ends: Ends
    ) -> tuple[int, int]:
        """Return the ends of a sleeve that holds ``held``, with ``exits`` of its own."""
        low, high = ends(sleeve, instrument)
        bought, sold = exits
        if not (bought or sold):
            return low, high
        longs = shorts = 0
        for other in self._sleeves:
            if other != sleeve:
                lowest, highest = ends(other, instrument)
                more, less = self.of(other, instrument)
                longs += max(0, highest + more)
                shorts += max(0, less - lowest)
        low += min(0, max(-sold, -longs - held))
        high += max(0, min(bought, shorts - held))
        return low, high

    def only_closes(self, order: Order, held: int, ends: Ends) -> bool:
        """Tell whether one more takes its sleeve no further past flat than it may come without.

        Where its sleeve alone trades the contract that is so however many there are.
        """
        ((sleeve, quantity),) = order.allocations
        bought, sold = before = self.of(sleeve, order.instrument)
        after = (bought + max(quantity, 0), sold + max(-quantity, 0))
        low, high = self.widened(sleeve, order.instrument, held, before, ends)
        lowest, highest = self.widened(sleeve, order.instrument, held, after, ends)
        return lowest >= min(low, 0) and highest <= max(high, 0)
