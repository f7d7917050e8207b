"""When market data is known, by a model of the feed."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

from crypto_quant import _native
from crypto_quant.core.errors import ConfigError
from crypto_quant.runtime.recorded_rows import Ints, read_times
from crypto_quant.runtime.venue_config import FeedSection, LatencyName

_KEY = "venue.feed.rows"


@dataclass(frozen=True, slots=True)
class FeedModel:
    """A feed's delays; each stream of a session is stamped by one of its own.

    Parameters
    ----------
    kind
        ``constant``, ``interpolated`` or ``sampled``.
    constant
        The delay of the first, ns.
    ts_event, ts_recv
        Recorded messages of the others, each (n,), in the order of ``ts_event``.
    seed
        Of the draws; every stream draws its own.
    """

    kind: str
    constant: int
    ts_event: Ints
    ts_recv: Ints
    seed: int

    def stream(self, name: str) -> _native.FeedLatency:
        """Return the model for a stream of which no row was stamped yet.

        Raises
        ------
        ConfigError
            A delay is negative or beyond an hour.
        """
        try:
            if self.kind == "constant":
                return _native.FeedLatency.constant(self.constant)
            if self.kind == "interpolated":
                return _native.FeedLatency.recorded(self.ts_event, self.ts_recv)
            seed = zlib.crc32(f"{self.seed}/{name}".encode())
            return _native.FeedLatency.sampled(self.ts_recv - self.ts_event, seed)
        except ValueError as err:
            raise ConfigError(f"{_KEY}: {err}") from None


def feed_model(feed: FeedSection, level: LatencyName) -> FeedModel | None:
    """Return the model of a cell; ``None`` where the tape's own stamps count.

    Of two recorded messages of one venue time the one that was known later is kept.

    Raises
    ------
    ConfigError
        The file of recorded messages cannot be used.
    """
    none = np.empty(0, dtype=np.int64)
    if feed.model == "recorded":
        return None
    if feed.ms is not None and feed.model == "constant":
        return FeedModel("constant", feed.ms.at(level), none, none, 0)
    event, recv = read_times(_KEY, feed.rows, ("ts_event", "ts_recv"))
    order = np.lexsort((recv, event))
    event, recv = event[order], recv[order]
    last = np.append(event[1:] != event[:-1], True)[: len(event)]
    model = FeedModel(feed.model, 0, event[last], recv[last], feed.seed)
    model.stream("")  # what cannot be one is said before anything is run
    return model
