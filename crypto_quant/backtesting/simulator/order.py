"""Orders as the elapse loop sees them: in ticks and lots."""

from __future__ import annotations

from decimal import Decimal
from enum import IntEnum
from typing import Any, Final, Literal, NamedTuple, TypeAlias

BUY: Final = 1
SELL: Final = -1


class TimeInForce(IntEnum):
    """How long an order works; ``GTX`` is post-only."""

    GTC = 0
    IOC = 1
    FOK = 2
    GTX = 3


class OrderType(IntEnum):
    """How an order meets the market.

    Those from ``STOP`` on wait for a trigger; with a price they are limit orders then, else market
    orders. A trailing stop has no price.
    """

    LIMIT = 0
    MARKET = 1
    STOP = 2
    TAKE_PROFIT = 3
    TRAILING_STOP = 4


class TriggerBy(IntEnum):
    """The price that a trigger looks at."""

    LAST = 0
    MARK = 1


class PositionSide(IntEnum):
    """Which of two positions, in hedge mode; ``BOTH`` in one-way mode."""

    BOTH = 0
    LONG = 1
    SHORT = -1


Status: TypeAlias = Literal["sent", "working", "triggered", "filled", "cancelled", "rejected"]
"""What became of an order, as far as we know.

``triggered``: it waited for its trigger and is a limit order now; ``cancelled``: it ended before it
was filled, whoever ended it.
"""


class Conditions(NamedTuple):
    """What binds an order beside its price: see ``Simulator.submit_buy_order``.

    ``stop_tick`` counts ticks; ``callback_rate`` is in percent, 0 of other orders than trailing
    stops.
    """

    order_type: OrderType
    stop_tick: int | None
    trigger: TriggerBy
    callback_rate: Decimal
    reduce_only: bool
    close_position: bool
    position_side: PositionSide


class Order(NamedTuple):
    """One order as far as we know: what arrived in answer to it, not what the venue did since.

    ``side`` is ``BUY`` or ``SELL``; ``price_tick`` counts ticks, ``None`` without a limit;
    ``qty``, ``exec_qty`` (traded) and ``leaves_qty`` (not traded) count lots; ``reason`` is why the
    venue refused or ended it, and while it is open why the venue refused its last amendment or
    cancellation, empty again from the next amendment that it takes; ``local_timestamp`` is when it
    was sent, ns UTC; ``conditions`` has what else binds it, ``None`` of a plain limit or market
    order.
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
    conditions: Conditions | None = None


_SHOWN: Final = {
    0: OrderType.MARKET,
    1: OrderType.LIMIT,
    3: OrderType.STOP,
    4: OrderType.TAKE_PROFIT,
    5: OrderType.TRAILING_STOP,
}
PERCENT_PPM: Final = 10_000


def bound(row: tuple[Any, ...]) -> Order:
    """Return an order with conditions from a row of ``_native.Line.shown_orders``."""
    kind, stop, by_mark, ppm, reduces, closes, side = row[10]
    conditions = Conditions(
        _SHOWN[kind],
        stop,
        TriggerBy(by_mark),
        Decimal(ppm) / PERCENT_PPM,
        reduces,
        closes,
        PositionSide(side),
    )
    return Order._make((*row[:10], conditions))
