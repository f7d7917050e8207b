"""Orders as the elapse loop sees them: in ticks and lots."""

from __future__ import annotations

from enum import IntEnum
from typing import Final, Literal, NamedTuple, TypeAlias

BUY: Final = 1
SELL: Final = -1


class TimeInForce(IntEnum):
    """How long an order works; ``GTX`` is post-only."""

    GTC = 0
    IOC = 1
    FOK = 2
    GTX = 3


class OrderType(IntEnum):
    """How an order meets the market."""

    LIMIT = 0
    MARKET = 1


Status: TypeAlias = Literal["sent", "working", "filled", "cancelled", "rejected"]
"""What became of an order, as far as we know."""


class Order(NamedTuple):
    """One order as far as we know: what arrived in answer to it, not what the venue did since.

    ``side`` is ``BUY`` or ``SELL``; ``price_tick`` counts ticks, ``None`` without a limit;
    ``qty``, ``exec_qty`` (traded) and ``leaves_qty`` (not traded) count lots; ``reason`` is the
    venue's for a rejection; ``local_timestamp`` is when it was sent, ns UTC.
    """

    order_id: int
    side: int
    price_tick: int | None
    qty: int
    exec_qty: int
    leaves_qty: int
    status: Status
    cancellable: bool
    reason: str
    local_timestamp: int
