"""The only place that reads the wall clock: run ids, leases and logs, never the line."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def now_ns() -> int:
    """Return the wall clock, ns UTC."""
    return time.time_ns()


def monotonic_s() -> float:
    """Return a clock that only goes forward, in seconds, for measuring durations."""
    return time.perf_counter()


def iso(ts: int) -> str:
    """Return ``ts`` (ns UTC) as ``2024-01-31 08:00`` for people to read."""
    return datetime.fromtimestamp(ts // 1_000_000_000, UTC).strftime("%Y-%m-%d %H:%M")
