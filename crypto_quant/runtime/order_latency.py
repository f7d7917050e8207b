"""How long orders travel in a session: recorded, configured, or by the proxy of its feed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np

from crypto_quant.core.errors import ConfigError
from crypto_quant.core.instruments import venue_of
from crypto_quant.runtime.config import TickConfig
from crypto_quant.runtime.joint_ticks import JointTape
from crypto_quant.runtime.markets import Markets
from crypto_quant.runtime.recorded_rows import Ints, read_times
from crypto_quant.runtime.ticks import QUANTILES, TickTape
from crypto_quant.runtime.venue_config import LatencyName, OrderLatency

LEAST_ROWS: Final = 20
"""Round trips in a session below which their 99th percentile would be its worst few."""
_KEY: Final = "venue.latency.rows"


class Travel(NamedTuple):
    """A cell's latencies in a session: the native venue's settings, and where they come from.

    ``entry`` and ``response`` are ns: the constants, or the medians of what is not constant.
    """

    entry: int
    response: int
    sim: dict[str, object]
    source: str


class RoundTrips(NamedTuple):
    """Recorded orders, each (n,), ns UTC in the order of ``sent``; ``venue`` 0: turned away."""

    sent: Ints
    venue: Ints
    answered: Ints

    def between(self, start: int, end: int) -> RoundTrips:
        """Return those that were sent in a session."""
        at = slice(*np.searchsorted(self.sent, [start, end + 1]))
        return RoundTrips(self.sent[at], self.venue[at], self.answered[at])

    @property
    def ways(self) -> tuple[Ints, Ints]:
        """To the venue and back, ns, of those that arrived."""
        arrived = self.venue > 0
        venue = self.venue[arrived]
        return venue - self.sent[arrived], self.answered[arrived] - venue


def read_round_trips(latency: OrderLatency) -> RoundTrips | None:
    """Read the recorded round trips, where there are any.

    Raises
    ------
    ConfigError
        The file cannot be used.
    """
    if not latency.rows:
        return None
    sent, venue, answered = read_times(_KEY, latency.rows, ("sent", "venue", "answered"))
    if (np.diff(sent) <= 0).any():
        row = int(np.flatnonzero(np.diff(sent) <= 0)[0]) + 1
        raise ConfigError(f"{_KEY}: {latency.rows}: expected times of sending that grow, row {row}")
    arrived = venue > 0
    if ((venue < sent) & arrived).any() or (answered < np.where(arrived, venue, sent)).any():
        raise ConfigError(f"{_KEY}: {latency.rows}: expected sent, venue, answered in this order")
    return RoundTrips(sent, venue, answered)


def travel(
    latency: OrderLatency, trips: RoundTrips | None, level: LatencyName, tape: TickTape
) -> Travel:
    """Return a cell's latencies in a session.

    Recorded round trips of the session come first, then the configured levels, then the session's
    own feed delay as a proxy each way.

    Raises
    ------
    ConfigError
        Recorded ones are asked for, but the session has too few; or there is nothing to go by.
    """
    own = None if trips is None else trips.between(tape.start, tape.end)
    seen = 0 if own is None else len(own.ways[0])
    if level in ("interpolated", "sampled"):
        if own is None or not seen:
            raise ConfigError(
                f"band.latencies: {level!r} needs recorded orders of session {tape.session.name} "
                f"in venue.latency.rows"
            )
        return _recorded(own, level, latency.seed)
    if own is not None and seen >= LEAST_ROWS:
        entry, response = (_quantile(way, level) for way in own.ways)
        return _constant(entry, response, f"{level} of {seen} recorded orders")
    if latency.entry_ms is not None and latency.response_ms is not None:
        entry, response = latency.entry_ms.at(level), latency.response_ms.at(level)
        return _constant(entry, response, f"{level} as configured")
    if not tape.feed_delay_ns:
        raise ConfigError(
            f"venue.latency: session {tape.session.name} has no update of its book while it is "
            "run, so no feed delay to stand for entry_ms and response_ms: give both"
        )
    delay = tape.feed_delay_ns[level]
    return _constant(delay, delay, f"proxy: {level} of the session's feed delay, each way")


def travels(
    config: TickConfig,
    markets: Markets,
    trips: Mapping[str, RoundTrips | None],
    level: LatencyName,
    tape: JointTape,
) -> dict[str, Travel]:
    """Return each venue's latencies in a session; its first instrument's feed is the proxy.

    Raises
    ------
    ConfigError
        As of ``travel``.
    """
    first = {
        venue_of(instrument.id): own
        for own, instrument in zip(tape.each[::-1], markets.instruments[::-1], strict=True)
    }
    return {
        venue: travel(config.of_venue(venue).latency, trips[venue], level, first[venue])
        for venue in markets.venues
    }


def _quantile(way: Ints, level: LatencyName) -> int:
    return int(np.quantile(way, QUANTILES[level], method="higher"))


def _constant(entry: int, response: int, source: str) -> Travel:
    sim: dict[str, object] = {"entry_latency_ns": entry, "response_latency_ns": response}
    return Travel(entry, response, sim, source)


def _recorded(own: RoundTrips, level: LatencyName, seed: int) -> Travel:
    there, back = own.ways
    entry, response = _quantile(there, "p50"), _quantile(back, "p50")
    if level == "sampled":
        sim: dict[str, object] = {
            "entry_samples_ns": there.tolist(),
            "response_samples_ns": back.tolist(),
            "latency_seed": seed,
        }
        return Travel(entry, response, sim, f"drawn from {len(there)} recorded orders")
    rows = list(zip(own.sent.tolist(), own.venue.tolist(), own.answered.tolist(), strict=True))
    source = f"interpolated between {len(rows)} recorded orders"
    return Travel(entry, response, {"latency_rows": rows}, source)
