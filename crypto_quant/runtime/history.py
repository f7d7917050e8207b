"""Prices from before the first decision, for what looks back further than the run."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Final

DAY_NS: Final = 86_400 * 10**9


class DailyCloses:
    """The last price known at each midnight, where one was traded up to it.

    Parameters
    ----------
    midnights
        UTC midnights, int64 ns, ascending; one is missing where there was no price.
    px
        What was known then, in the run's grid units.
    """

    __slots__ = ("_midnights", "_px")

    def __init__(self, midnights: Sequence[int] = (), px: Sequence[int] = ()) -> None:
        self._midnights = midnights
        self._px = px

    def before(self, now: int, days: int) -> list[tuple[int, int]]:
        """Return (midnight, px) of up to ``days`` days before the day of ``now``, by age."""
        today = now // DAY_NS * DAY_NS
        first = bisect_right(self._midnights, today - (days + 1) * DAY_NS)
        last = bisect_left(self._midnights, today)
        return list(zip(self._midnights[first:last], self._px[first:last], strict=True))
