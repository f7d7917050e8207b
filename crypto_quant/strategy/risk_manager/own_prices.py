"""Sleeves' own orders by what they would trade at: it may be far from the last price."""

from __future__ import annotations

from collections.abc import Iterable
from operator import itemgetter

Priced = tuple[int, int]
"""A signed quantity and the price at which it is taken to trade."""


def surplus(orders: Iterable[Priced], px: int, low: int, high: int) -> int:
    """Return what a position may be worth beyond its larger end at the last price.

    Parameters
    ----------
    orders
        What of the way to the ends is the sleeve's own.
    px
        The last price.
    low, high
        The lowest and highest position that all orders may lead to.

    Returns
    -------
    int
        Price times quantity on the grid, not negative. A lot beyond flat counts at the worst of
        its own price and the last, the dearest lots first.
    """
    dearer = sorted((o for o in orders if o[1] > px), key=itemgetter(1), reverse=True)
    if not dearer:
        return 0
    long = high * px + _beyond([(q, own - px) for q, own in dearer if q > 0], high)
    short = -low * px + _beyond([(-q, own - px) for q, own in dearer if q < 0], -low)
    return max(long, short) - max(-low, high) * px


def _beyond(dearer: Iterable[Priced], size: int) -> int:
    total, left = 0, max(size, 0)
    for quantity, more in dearer:
        part = min(quantity, left)
        total += part * more
        left -= part
    return total
