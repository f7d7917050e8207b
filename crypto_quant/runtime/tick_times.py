"""A session is run on times that can be: else latencies and fills would be those of one bad row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from crypto_quant.core.errors import DataError
from crypto_quant.data_pipeline.cleaners.rebase import Recorded, Session
from crypto_quant.data_pipeline.cleaners.venue_time import REMEDY, VenueTimes, columns_of, judge
from crypto_quant.data_pipeline.storage import Part
from crypto_quant.runtime.tick_rows import SessionRows


def check_times(
    held: Mapping[str, SessionRows], clock: Session | None, parts: Sequence[Part]
) -> None:
    """Check the venue times of a session's streams, and that their base is one.

    Parameters
    ----------
    held
        The session's rows by kind.
    clock
        How its stamps are re-based; ``None``: not at all.
    parts
        All parts of the catalog: which file sets the base.

    Raises
    ------
    DataError
        Within a stream, a venue time goes back by more than a bound; or the least latency,
        by which stamps are re-based, is one that hardly a message comes near.
    """
    least = clock.least_latency if clock is not None and clock.shift else None
    streams = {kind: VenueTimes(least) for kind in held}
    for kind, rows in held.items():
        for table in rows.raw(columns_of(kind)):
            for back in judge(streams[kind], kind, table):
                raise DataError(f"{rows.key}: {kind}: {back.describe()}: {REMEDY}, {_OTHERS}")
    unmet = [(kind, times) for kind, times in streams.items() if not times.is_met]
    for kind, times in sorted(unmet, key=lambda named: -named[1].near)[:1]:
        files = ", ".join(_files(clock, parts))
        raise DataError(
            f"{held[kind].key}: {kind}: {times.unmet()}, in {files}: {REMEDY}, {_OTHERS}"
        )


_OTHERS = "or run other sessions (--session)"


def _files(clock: Session | None, parts: Sequence[Part]) -> list[str]:
    """Return the files that have the least latency of a session."""
    names = set()
    for part in parts:
        recorded = Recorded.parse(part.recv)
        if clock is None or recorded is None or recorded.clock != clock.clock:
            continue
        if clock.start <= part.start and part.end <= clock.end:
            names |= {part.source.name} if recorded.least == clock.least_latency else set()
    return sorted(names)
