"""What was let go lately: times with their counts, for the limits on the rate."""

from __future__ import annotations

from collections import deque

MINUTE_NS = 60 * 10**9


class Sent:
    """Orders and amendments of the last minute; times never go back."""

    __slots__ = ("_total", "_wakes")

    def __init__(self) -> None:
        self._wakes: deque[tuple[int, int]] = deque()
        self._total = 0

    def add(self, now: int, count: int = 1) -> None:
        """Count what leaves at ``now``."""
        self._total += count
        wakes = self._wakes
        if wakes and wakes[-1][0] == now:
            count += wakes.pop()[1]
        wakes.append((now, count))

    def within_minute(self, now: int) -> int:
        """Return how many left later than a minute before ``now``; the rest is forgotten."""
        wakes, end = self._wakes, now - MINUTE_NS
        while wakes and wakes[0][0] <= end:
            self._total -= wakes.popleft()[1]
        return self._total

    def at(self, now: int) -> int:
        """Return how many left at ``now``, which is the last time."""
        wakes = self._wakes
        return wakes[-1][1] if wakes and wakes[-1][0] == now else 0
