"""A limit on messages within a window of time."""

from __future__ import annotations

from collections import deque


class Budget:
    """Counts what was sent within the last ``window`` ns, at most ``limit``."""

    __slots__ = ("_count", "_limit", "_sent", "_window")

    def __init__(self, limit: int, window: int) -> None:
        self._limit = limit
        self._window = window
        self._count = 0
        self._sent: deque[tuple[int, int]] = deque()

    def left(self, now: int) -> int:
        """Return how many messages may be sent at ``now``, which never goes back."""
        sent, begun = self._sent, now - self._window
        while sent and sent[0][0] <= begun:
            self._count -= sent.popleft()[1]
        return max(0, self._limit - self._count)

    def spend(self, now: int, count: int) -> None:
        """Count messages that are sent."""
        if count:
            self._sent.append((now, count))
            self._count += count
