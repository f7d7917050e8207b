"""Segments of a run: stretches of tape without a hole, from the data's own coverage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from crypto_quant.core.errors import DataError
from crypto_quant.data_pipeline.storage import Catalog

_HOUR_NS = 3_600 * 10**9
_DAY_NS = 24 * _HOUR_NS
_MINUTE_NS = _HOUR_NS // 60
SPOT_HALT_NS = 24 * _HOUR_NS
"""A spot market that stands still for longer ends a segment; shorter halts are bridged."""


class Span(NamedTuple):
    """A stretch ``[start, end)`` in ns UTC."""

    start: int
    end: int


class Segments(NamedTuple):
    """Segments that are long enough to train on, and those that are not."""

    used: tuple[Span, ...]
    skipped: tuple[Span, ...]


def intersect(left: Sequence[Span], right: Sequence[Span]) -> tuple[Span, ...]:
    """Return where both lists of disjoint, ascending spans are covered."""
    both = [
        Span(max(a.start, b.start), min(a.end, b.end))
        for a in left
        for b in right
        if max(a.start, b.start) < min(a.end, b.end)
    ]
    return tuple(sorted(both))


def bridge(spans: Sequence[Span], longest: int) -> tuple[Span, ...]:
    """Join ascending spans over holes of at most ``longest`` ns."""
    out: list[Span] = []
    for span in spans:
        if out and span.start - out[-1].end <= longest:
            out[-1] = Span(out[-1].start, span.end)
        else:
            out.append(span)
    return tuple(out)


def _to_minute(ts: int) -> int:
    """Round a settlement's stamp, which jitters, to the minute that it was scheduled for."""
    return (ts + _MINUTE_NS // 2) // _MINUTE_NS * _MINUTE_NS


def segments_of(catalog: Catalog, perp: str, spot: str, least_days: int) -> Segments:
    """Find the segments on which perpetual bars, funding rows and spot minutes exist.

    A halt of the spot market is bridged, its orders wait. Funding begins one interval before
    its first row, for that row settles it.

    Parameters
    ----------
    catalog
        Where the data is.
    perp, spot
        Instrument ids.
    least_days
        A shorter segment is skipped: nothing could be trained on it.

    Raises
    ------
    DataError
        No segment is long enough.
    """
    bars = [Span(s.start, s.end) for s in catalog.coverage("bar", f"{perp}/1h").segments]
    interval = catalog.parts_of("funding", perp)[0].interval or 8 * _HOUR_NS
    settled = catalog.coverage("funding", perp).segments
    paid = [Span(_to_minute(s.start) - interval, s.end) for s in settled]
    minutes = [Span(s.start, s.end) for s in catalog.coverage("bar", f"{spot}/1m").segments]
    found = intersect(intersect(bars, paid), bridge(minutes, SPOT_HALT_NS))
    rounded = (
        Span(-(-s.start // _HOUR_NS) * _HOUR_NS, s.end // _HOUR_NS * _HOUR_NS) for s in found
    )
    whole = [span for span in rounded if span.start < span.end]
    used = tuple(s for s in whole if s.end - s.start >= least_days * _DAY_NS)
    if not used:
        longest = max((s.end - s.start for s in whole), default=0) / _DAY_NS
        raise DataError(
            f"{catalog.root}: the longest stretch with hourly bars of {perp}, its funding and "
            f"minutes of {spot} is {longest:.1f} days; import at least {least_days}"
        )
    return Segments(used, tuple(span for span in whole if span not in used))
