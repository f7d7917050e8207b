"""Segments of a run: stretches of tape without a hole, from the data's own coverage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from crypto_quant.core.errors import DataError
from crypto_quant.data_pipeline.storage import Catalog


class Span(NamedTuple):
    """A stretch ``[start, end)`` in ns UTC."""

    start: int
    end: int


def intersect(left: Sequence[Span], right: Sequence[Span]) -> tuple[Span, ...]:
    """Return where both lists of disjoint, ascending spans are covered."""
    both = [
        Span(max(a.start, b.start), min(a.end, b.end))
        for a in left
        for b in right
        if max(a.start, b.start) < min(a.end, b.end)
    ]
    return tuple(sorted(both))


def segments_of(catalog: Catalog, perp: str, spot: str, least_days: int) -> tuple[Span, ...]:
    """Return the segments on which perpetual bars and funding rows both exist.

    Spot bounds the first start and the last end only: a halt of the spot market is bridged,
    its orders wait. Funding begins one interval before its first row, for that row settles it.

    Parameters
    ----------
    catalog
        Where the data is.
    perp, spot
        Instrument ids.
    least_days
        A shorter segment is left out: nothing could be trained on it.

    Raises
    ------
    DataError
        No segment is long enough.
    """
    bars = [Span(s.start, s.end) for s in catalog.coverage("bar", f"{perp}/1h").segments]
    funding = catalog.coverage("funding", perp).segments
    interval = 8 * 3_600 * 10**9
    paid = [Span(s.start - interval, s.end) for s in funding]
    minutes = catalog.coverage("bar", f"{spot}/1m").segments
    around = [Span(minutes[0].start, minutes[-1].end)]
    found = intersect(intersect(bars, paid), around)
    hour = 3_600 * 10**9
    whole = [Span(-(-s.start // hour) * hour, s.end // hour * hour) for s in found]
    long_enough = tuple(s for s in whole if s.end - s.start >= least_days * 24 * hour)
    if not long_enough:
        longest = max((s.end - s.start for s in whole), default=0) / (24 * hour)
        raise DataError(
            f"{catalog.root}: the longest stretch with hourly bars of {perp}, its funding and "
            f"minutes of {spot} is {longest:.1f} days; import at least {least_days}"
        )
    return long_enough
