"""Where rows are and where they are missing."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Segment(NamedTuple):
    """A stretch without a hole: ``[start, end)`` in ns UTC, with its rows."""

    start: int
    end: int
    rows: int


class Hole(NamedTuple):
    """A stretch without rows, ``[start, end)`` in ns UTC; ``missing`` rows would fill it."""

    start: int
    end: int
    missing: int


class Coverage(NamedTuple):
    """Segments and the holes between them, in time order."""

    segments: tuple[Segment, ...]
    holes: tuple[Hole, ...]

    @property
    def share(self) -> float:
        """Covered time over the time from first to last row, in [0, 1]; NaN without rows."""
        if not self.segments:
            return float("nan")
        span = self.segments[-1].end - self.segments[0].start
        return sum(s.end - s.start for s in self.segments) / span if span else 1.0


def of_rows(times: NDArray[np.int64], steps: NDArray[np.int64]) -> Coverage:
    """Compute coverage from the rows themselves.

    A hole begins where the next row is more than one and a half periods away, so that
    stamps that jitter (funding) are no holes.

    Parameters
    ----------
    times : NDArray[np.int64]
        Row times in ns, shape (n,), not decreasing.
    steps : NDArray[np.int64]
        Period of each row in ns, shape (n,).
    """
    if times.size == 0:
        return Coverage((), ())
    apart = np.diff(times)
    usual = np.maximum(steps[:-1], steps[1:])
    breaks = np.flatnonzero(apart > usual + usual // 2)
    firsts = np.concatenate(([0], breaks + 1))
    lasts = np.concatenate((breaks, [times.size - 1]))
    segments = tuple(
        Segment(int(times[a]), int(times[b] + steps[b]), int(b - a + 1))
        for a, b in zip(firsts, lasts, strict=True)
    )
    holes = tuple(
        Hole(left.end, right.start, round((right.start - left.end) / int(steps[b])))
        for (left, right), b in zip(pairwise(segments), breaks, strict=True)
    )
    return Coverage(segments, holes)


def of_parts(spans: list[tuple[int, int, int]]) -> Coverage:
    """Compute coverage of tick files: each (start, end, rows) is a segment."""
    segments = [Segment(start, end, rows) for start, end, rows in sorted(spans)]
    holes = [
        Hole(left.end, right.start, 0)
        for left, right in pairwise(segments)
        if right.start > left.end
    ]
    return Coverage(tuple(segments), tuple(holes))
