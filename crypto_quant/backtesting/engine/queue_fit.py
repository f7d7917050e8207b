"""The queue called fitted: the exponent under which own orders fare as they did.

A level book does not say which orders left a level, so nothing in it tells whether they stood
before or behind ours. Own orders do: their fills show how fast the queue before them shrank.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np

from crypto_quant.backtesting.engine.cells import Fitted
from crypto_quant.backtesting.engine.columns import texts, whole
from crypto_quant.backtesting.engine.own_orders import KEY, OwnOrders, read_own_orders
from crypto_quant.core.errors import ConfigError
from crypto_quant.core.instruments import Instrument
from crypto_quant.core.messages import Wallet
from crypto_quant.runtime.compose_ticks import SECOND_NS, TRADED
from crypto_quant.runtime.config import TickConfig
from crypto_quant.runtime.line import RecordedLine
from crypto_quant.runtime.line_spec import Deposit, LineSpec
from crypto_quant.runtime.recorded_rows import Ints, fingerprint
from crypto_quant.runtime.ticks import TickReader, TickSession, TickTape

COARSE: Final = (0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 16.0)
"""Exponents that are tried first: from nearly even odds to nearly none before the order."""
FINE: Final = 5
"""Exponents that are tried between the best of them and each neighbour."""
LEAST_ORDERS: Final = 20
_POST_ONLY: Final = 2
_CAPITAL: Final = Decimal(10) ** 9


class Fit(NamedTuple):
    """An exponent, the lowest and highest that do as well, and the share that it reproduces."""

    exponent: float
    low: float
    high: float
    share: float


class _Score(NamedTuple):
    """How well an exponent does: more orders alike first, then fills nearer in time."""

    share: float
    late: float


def fitted_queue(config: TickConfig, reader: TickReader, sessions: Sequence[TickSession]) -> Fitted:
    """Return the queue that stands for ``fitted`` in a run.

    Raises
    ------
    ConfigError
        Own orders are given, but they cannot be used.
    """
    venue = config.venue
    if "fitted" not in config.band.queues:
        return Fitted(venue.queue_exponent, "nothing: no cell of the band is fitted")
    if not venue.own_fills:
        return Fitted(venue.queue_exponent, "a prior: there are no own fills to fit on")
    decides = (
        config.tier,
        _rules(config),
        fingerprint(venue.own_fills),
        reader.instrument,
        [part.sha256 for part in reader.parts],
        sessions,
    )
    return _fitted(_Asked(repr(decides), config, reader, sessions))


@dataclass(frozen=True, slots=True)
class _Asked:
    """A fit, known by all that decides it: cells of a sweep ask for the same one."""

    decides: str
    config: TickConfig = field(compare=False)
    reader: TickReader = field(compare=False)
    sessions: Sequence[TickSession] = field(compare=False)


@lru_cache(maxsize=1)
def _fitted(asked: _Asked) -> Fitted:
    config, reader, path = asked.config, asked.reader, asked.config.venue.own_fills
    if reader.instrument.contract == "spot":
        raise ConfigError(f"{KEY}: orders are fitted on contracts: a spot sale needs its holdings")
    orders = read_own_orders(path, reader.instrument)
    tapes = [t for s in asked.sessions if isinstance(t := reader.read(s), TickTape)]
    held = [(tape, orders.between(tape.start, tape.end)) for tape in tapes]
    count = sum(len(own) for _, own in held)
    if count < LEAST_ORDERS:
        raise ConfigError(
            f"{KEY}: {path}: {count} orders rested inside the sessions that are run; "
            f"at least {LEAST_ORDERS} are needed"
        )
    found = fit(config, reader.instrument, [item for item in held if len(item[1])])
    if (found.low, found.high) == (min(COARSE), max(COARSE)):
        told = f"a prior: {count} own orders fare alike under every exponent that was tried"
        return Fitted(config.venue.queue_exponent, told)
    return Fitted(
        found.exponent,
        f"fitted on {count} own orders, {found.share:.0%} of which it reproduces; "
        f"{found.low:g} to {found.high:g} do as well",
    )


def fit(
    config: TickConfig, instrument: Instrument, held: Sequence[tuple[TickTape, OwnOrders]]
) -> Fit:
    """Return the exponent of ``power`` under which most own orders fare as they did.

    Every order is placed and cancelled again when it was, on the recorded book, without latency.
    Of exponents that reproduce as many the one whose fills come nearest in time, of equals the
    one in the middle.
    """
    scores: dict[float, _Score] = {}

    def tried(exponents: Sequence[float]) -> float:
        for n in exponents:
            if n not in scores:
                scores[n] = _score(config, instrument, held, n)
        best = max(scores.values())
        equals = sorted(n for n, score in scores.items() if score == best)
        return equals[len(equals) // 2]

    best = tried(COARSE)
    for _ in range(2):
        known = sorted(scores)
        at = known.index(best)
        low, high = known[max(at - 1, 0)], known[min(at + 1, len(known) - 1)]
        best = tried([float(round(n, 4)) for n in np.geomspace(low, high, 2 * FINE + 1)])
    equals = [n for n, score in scores.items() if score == scores[best]]
    return Fit(best, min(equals), max(equals), scores[best].share)


def _score(
    config: TickConfig,
    instrument: Instrument,
    held: Sequence[tuple[TickTape, OwnOrders]],
    exponent: float,
) -> _Score:
    alike, late, count, both = 0, 0, 0, 0
    for tape, own in held:
        filled, at = replay(config, instrument, tape, own, exponent)
        alike += int((filled == own.filled).sum())
        traded = (filled > 0) & (own.filled > 0)
        late += int(np.abs(at - own.filled_at)[traded].sum())
        both += int(traded.sum())
        count += len(own)
    return _Score(alike / count, -late / both if both else 0.0)


def replay(
    config: TickConfig,
    instrument: Instrument,
    tape: TickTape,
    own: OwnOrders,
    exponent: float,
) -> tuple[Ints, Ints]:
    """Return how much of each order a model fills, and when last (0: never).

    Of an order that the venue refuses that is -1: it did not rest as it did in life.
    """
    line = _line(config, instrument, tape, exponent)
    native = line.native
    for ts, at, is_placed in _moments(own):
        if ts > native.now and not line.elapse(ts - native.now):
            break
        if is_placed:
            side, quantity = int(own.side[at]), int(own.quantity[at])
            parts = [(0, side * quantity)]
            price = int(own.price[at])
            native.place(at + 1, TRADED, side > 0, quantity, _POST_ONLY, price, None, False, parts)
        else:
            native.cancel(at + 1)
    while line.next() is not None:
        pass
    filled = np.zeros(len(own), dtype=np.int64)
    last = np.zeros(len(own), dtype=np.int64)
    orders = native.orders()
    for number, status in zip(whole(orders, "order_id"), texts(orders, "status"), strict=True):
        if status == "rejected" and number <= len(own):
            filled[number - 1] = -1
    fills = native.fills()
    for order, quantity, ts in zip(
        whole(fills, "order_id"), whole(fills, "qty"), whole(fills, "ts_event"), strict=True
    ):
        if order <= len(own):
            filled[order - 1] += quantity
            last[order - 1] = ts
    return filled, last


def _moments(own: OwnOrders) -> Iterator[tuple[int, int, bool]]:
    """Yield when each order is placed and, where it was not filled, cancelled; in time order."""
    placed = [(int(ts), n, True) for n, ts in enumerate(own.placed)]
    left = np.flatnonzero(own.filled < own.quantity)
    ended = [(int(own.ended[n]), int(n), False) for n in left]
    yield from sorted(placed + ended, key=lambda moment: (moment[0], not moment[2], moment[1]))


def _rules(config: TickConfig) -> dict[str, object]:
    """Return the venue at which own orders rest again: none of them is turned away."""
    return {
        **config.venue.native(),
        "entry_latency_ns": 0,
        "response_latency_ns": 0,
        "queue": "power",
        "self_trade": "ignore",
        "max_orders": 10**6,
        "max_trigger_orders": 0,
        "max_order_rate": [],
        "tick_impact_y": 0.0,
    }


def _line(
    config: TickConfig, instrument: Instrument, tape: TickTape, exponent: float
) -> RecordedLine:
    spec = LineSpec(
        instruments=(instrument,),
        sleeves=("own",),
        features=(),
        series=(),
        quote=instrument.settle,  # what margins it, also where that is a coin
        grid_ns=max(tape.end - tape.start, SECOND_NS),
        start=tape.start,
        end=tape.end,
        sim={**_rules(config), "queue_exponent": exponent},
        leverage=1,
        tier=config.tier,
        sample_ns=max(tape.end - tape.start, SECOND_NS),
    )
    line = RecordedLine(spec, [Deposit(0, Wallet.MARGIN, _CAPITAL)])
    tape.put(line, TRADED)
    return line
