"""Steps: how far towards its size a pair is taken at once, so that no leg is left behind."""

from __future__ import annotations

from collections.abc import Iterable

from crypto_quant.core.terms import Terms

DAY_S = 86_400.0


def fillable_base(legs: Iterable[tuple[int, Terms]], participation: float, wait_s: float) -> float:
    """Return the size that the slower leg can be expected to fill within its wait.

    ``legs``: volume of the last 24 hours (grid units) and terms of each. With volumes spread
    evenly over the day, ``participation`` of what trades in ``wait_s`` seconds is ours.
    """
    daily = min(volume * terms.size_unit for volume, terms in legs)
    return daily * participation * wait_s / DAY_S


def next_lots(lots: int, goal: int, limit: int, smallest: int) -> int:
    """Return the size after the next step from ``lots`` to ``goal``, of ``limit`` at most.

    A rest that would be too small to be traded on its own (below ``smallest``) is taken along.
    """
    distance = goal - lots
    if abs(distance) < limit + smallest:
        return goal
    return lots + (limit if distance > 0 else -limit)
