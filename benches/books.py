"""The books with which both sides of a benchmark end: level by level the same, or it fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from crypto_quant import _native


class Ends(NamedTuple):
    """The levels of a book at the end of a run: (tick, lots), sorted by tick."""

    bids: list[tuple[int, int]]
    asks: list[tuple[int, int]]


def ours_at_end(native: _native.Line, tick: int, lot: int) -> Ends:
    """Return what is known of the book of the first instrument; a tick and a lot in grid units."""
    sides = native.levels(0, 1 << 30) or (np.empty((0, 2)), np.empty((0, 2)))
    bids, asks = ([(int(px) // tick, int(qty) // lot) for px, qty in side] for side in sides)
    return Ends(sorted(bids), sorted(asks))


def theirs_at_end(told: Mapping[str, Sequence[tuple[int, int]]]) -> Ends:
    """Return what a peer told of its book as JSON."""
    bids, asks = ([(tick, lots) for tick, lots in told[name]] for name in Ends._fields)
    return Ends(bids, asks)


def same_end(ours: Ends, theirs: Ends) -> None:
    """Demand that both books are the same within the range that the peer keeps.

    Raises
    ------
    RuntimeError
        They are not, or the peer's is empty; names some levels that differ.
    """
    for name, own, other in zip(Ends._fields, ours, theirs, strict=True):
        if not other:
            raise RuntimeError(f"the peer ends without {name}")
        low, high = other[0][0], other[-1][0]
        within = [level for level in own if low <= level[0] <= high]
        if within != other:
            odd = sorted(set(within) ^ set(other))[:5]
            raise RuntimeError(f"the books end differently: {len(odd)} {name} such as {odd}")
