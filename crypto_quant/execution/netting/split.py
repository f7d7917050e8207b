"""Arithmetic of netting: what of the sleeves' wishes is traded, and what they trade among them."""

from __future__ import annotations

from collections.abc import Mapping


def on_lot(wishes: Mapping[int, int], lot: int) -> dict[int, int]:
    """Return the wishes with the net cut towards zero to a whole number of lots.

    What the lot does not allow is taken from the largest wish on the side of the net.
    """
    parts = {sleeve: wish for sleeve, wish in sorted(wishes.items()) if wish}
    net = sum(parts.values())
    rest = abs(net) % lot
    if rest:
        side = 1 if net > 0 else -1
        largest = max(parts, key=lambda sleeve: side * parts[sleeve])
        parts[largest] -= side * rest
    return {sleeve: part for sleeve, part in parts.items() if part}


def crossed(wishes: Mapping[int, int]) -> dict[int, int]:
    """Return the parts of opposite wishes that cancel out, in the order of the sleeves."""
    bought = sum(wish for wish in wishes.values() if wish > 0)
    sold = -sum(wish for wish in wishes.values() if wish < 0)
    left = {1: min(bought, sold), -1: min(bought, sold)}
    parts = {}
    for sleeve, wish in sorted(wishes.items()):
        side = 1 if wish > 0 else -1
        size = min(abs(wish), left[side])
        if size:
            left[side] -= size
            parts[sleeve] = side * size
    return parts
