"""Stretches of a series on another level: where they begin and end, and how far off they are."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from crypto_quant.data_pipeline.cleaners.rows import Floats, Ints

WINDOW: Final = 49
"""A level is the median of this many values, an odd number: it is one of them, and not halfway
between two levels. A stretch of less than half as many is seen value by value."""
_CERTAIN: Final = 7.0
"""How much likelier (natural logarithm) an edge must be than another to rule that out."""
_LEAST_SPREAD: Final = 0.02


class Levels(NamedTuple):
    """How far each value is off the level that most have.

    ``offset`` is 0 for most. ``doubt`` is 0 but where a stretch may begin or end on either
    side of a value: there it is the offset that the value has if it is part of the stretch.
    """

    offset: Floats
    doubt: Floats


class _Cut(NamedTuple):
    """A change of level before the value at ``place``; it lies from ``first`` to ``last``."""

    place: int
    first: int
    last: int
    size: float


def levels(values: Floats, limit: float) -> Levels:
    """Divide values, all finite, where their level jumps by more than ``limit``.

    What level is the usual one is decided by how many values are on it: a level that jumps
    and stays is off where fewer are.
    """
    offset, doubt = np.zeros(values.size), np.zeros(values.size)
    cuts = _cuts(values, limit)
    if not cuts:
        return Levels(offset, doubt)
    known, found = [0.0], [0.0]
    for cut in cuts:
        found.append(_snapped(found[-1] + cut.size, known, limit / 2))
    edges = np.maximum.accumulate([0, *(cut.place for cut in cuts), values.size])
    counts = np.diff(edges)
    usual = max(known, key=lambda level: counts[np.equal(found, level)].sum())
    each = np.array(found) - usual
    offset[:] = np.repeat(each, counts)
    for cut, before, after in zip(cuts, each[:-1], each[1:], strict=True):
        doubt[cut.first : cut.last] = max(before, after, key=abs)
    return Levels(offset, doubt)


def _snapped(level: float, known: list[float], within: float) -> float:
    """Return the level met before that this one is, so that errors do not add up."""
    nearest = min(known, key=lambda other: abs(other - level))
    if abs(nearest - level) <= within:
        return nearest
    known.append(level)
    return level


def _cuts(values: Floats, limit: float) -> list[_Cut]:
    places = [place for place, _ in _jumps(values, limit)]
    edges = [0, *places, values.size]
    return [
        _edge(values, max(edges[i], place - WINDOW), place, min(edges[i + 2], place + WINDOW))
        for i, place in enumerate(places)
    ]


def _jumps(values: Floats, limit: float) -> list[tuple[int, float]]:
    """Return where the medians before and after are apart, and by how much; about the place."""
    step = np.diff(values)
    places = np.flatnonzero(np.abs(step) > limit / 2) + 1
    places = places[(places >= WINDOW // 2) & (places <= values.size - WINDOW // 2)]
    before = values[np.maximum(places[:, None] - np.arange(1, WINDOW + 1), 0)]
    after = values[np.minimum(places[:, None] + np.arange(WINDOW), values.size - 1)]
    sizes = np.median(after, axis=1) - np.median(before, axis=1)
    kept: list[tuple[int, float]] = []
    for place, size in zip(places.tolist(), sizes.tolist(), strict=True):
        if abs(size) <= limit:
            continue
        if kept and place - kept[-1][0] < WINDOW and size * kept[-1][1] > 0:
            if abs(step[place - 1]) > abs(step[kept[-1][0] - 1]):
                kept[-1] = (place, size)
            continue
        kept.append((place, size))
    return kept


def _edge(values: Floats, begin: int, place: int, end: int) -> _Cut:
    """Find the likeliest edge, and those that are nearly as likely.

    A value speaks for the level it is nearer to, by how much nearer it is, measured in the
    usual distance of values from their level (a Laplace distribution).
    """
    before, after = np.median(values[begin:place]), np.median(values[place:end])
    around = values[begin:end]
    to_before, to_after = np.abs(around - before), np.abs(around - after)
    spread = max(float(np.minimum(to_before, to_after).mean()), _LEAST_SPREAD)
    cost = np.concatenate(([0.0], np.cumsum(to_before - to_after))) / spread
    near = np.flatnonzero(cost - cost.min() < _CERTAIN) + begin
    best = int(cost.argmin()) + begin
    return _Cut(best, int(near[0]), int(near[-1]), float(after - before))


def local(values: Floats, at: Ints) -> Floats:
    """Return the level at each of some places: the median of the values around, shape as ``at``."""
    if not at.size:
        return np.empty(0)
    around = np.abs(at[:, None] + np.arange(-(WINDOW // 2), WINDOW // 2 + 1))
    around = np.where(around >= values.size, 2 * (values.size - 1) - around, around)
    return np.asarray(np.median(values[around], axis=1), dtype=np.float64)
