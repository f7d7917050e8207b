"""Orders of every type in the native line's codes."""

from __future__ import annotations

from typing import Final

from crypto_quant import _native
from crypto_quant.core.errors import InvariantError, StrategyError
from crypto_quant.core.messages import Order, OrderType, Side, TimeInForce, TriggerBy
from crypto_quant.runtime.legs import LONG

TYPE_CODE: Final = {
    OrderType.MARKET: 0,
    OrderType.LIMIT: 1,
    OrderType.POST_ONLY: 2,
    OrderType.STOP_MARKET: 3,
    OrderType.STOP_LIMIT: 3,
    OrderType.TAKE_PROFIT_MARKET: 4,
    OrderType.TAKE_PROFIT_LIMIT: 4,
    OrderType.TRAILING_STOP_MARKET: 5,
}
TIF_CODE: Final = {
    TimeInForce.GTC: 0,
    TimeInForce.IOC: 1,
    TimeInForce.FOK: 2,
    TimeInForce.GTX: 3,
}


def place_own(native: _native.Line, order: Order, leg: int) -> None:
    """Send an order with conditions.

    Parameters
    ----------
    native
        The line.
    order
        A sleeve's own.
    leg
        The position side of its instrument, ``BOTH`` in one-way mode.

    Raises
    ------
    StrategyError
        It is to reduce the position that it opens.
    """
    own = order.conditions
    if own is None:
        raise InvariantError(f"order {order.id} has no conditions")
    is_buy = order.side is Side.BUY
    if leg and order.only_reduces and is_buy == (leg == LONG):
        position = "long" if leg == LONG else "short"
        raise StrategyError(f"ticket {own.ticket!r}: a {position} leg is opened by it, not reduced")
    native.place(
        order.id,
        order.instrument,
        is_buy,
        order.quantity,
        TYPE_CODE[order.type],
        order.price,
        order.stop,
        order.reduce_only and not leg,  # in hedge mode the position side says it
        order.allocations,
        tif=TIF_CODE[own.time_in_force],
        by_mark=own.trigger_by is TriggerBy.MARK,
        callback_ppm=own.callback_ppm,
        close_position=own.close_position,
        position_side=leg,
    )
