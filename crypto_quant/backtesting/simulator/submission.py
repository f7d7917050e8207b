"""What is asked of the native line for an order with conditions."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final, NamedTuple, TypedDict

import numpy as np

from crypto_quant.backtesting.simulator.account import Units
from crypto_quant.backtesting.simulator.order import (
    PERCENT_PPM,
    OrderType,
    PositionSide,
    TimeInForce,
    TriggerBy,
)

WHOLE_PPM: Final = 1_000_000
_NATIVE_TYPE: Final = {
    OrderType.MARKET: 0,
    OrderType.LIMIT: 1,
    OrderType.STOP: 3,
    OrderType.TAKE_PROFIT: 4,
    OrderType.TRAILING_STOP: 5,
}
_WAIT: Final = (OrderType.STOP, OrderType.TAKE_PROFIT, OrderType.TRAILING_STOP)


class Given(TypedDict, total=False):
    """Keywords of ``Simulator.submit_buy_order`` that a plain order has none of."""

    stop_tick: int | None
    trigger: TriggerBy
    callback_rate: Decimal | int | None
    reduce_only: bool
    close_position: bool
    position_side: PositionSide


class Placed(NamedTuple):
    """Arguments of ``_native.Line.place`` from the type on, in its order."""

    type_code: int
    price: int | None
    stop: int | None
    reduce_only: bool
    allocations: tuple[tuple[int, int], ...]
    tif: int
    by_mark: bool
    callback_ppm: int
    close_position: bool
    position_side: int


def placed(
    how: tuple[OrderType, TimeInForce],
    price_tick: int | None,
    signed: int,
    given: Given,
    units: Units,
) -> Placed:
    """Return what a call asks for, in grid units.

    Parameters
    ----------
    how
        Type and time in force.
    price_tick
        Limit price, ticks; ``None`` or 0 of an order without one.
    signed
        Quantity in grid units, negative of a sale.
    given
        The call's keywords.
    units
        Tick and lot.

    Raises
    ------
    LookupError
        A time in force that the type cannot have.
    ValueError
        Keywords that are unknown, out of range or do not go with the type.
    """
    kind, tif = OrderType(how[0]), TimeInForce(how[1])
    _check_given(given)
    stop, waits = given.get("stop_tick"), kind in _WAIT
    price = None if kind in (OrderType.MARKET, OrderType.TRAILING_STOP) else price_tick or None
    if tif is TimeInForce.GTX and price is None:
        raise LookupError("a post-only order has a limit price")
    if waits and stop is None and kind is not OrderType.TRAILING_STOP:
        raise ValueError(f"stop_tick: expected the trigger of a {kind.name} order, was none")
    if stop is not None and not waits:
        raise ValueError(f"stop_tick: a {kind.name} order has no trigger, was {stop!r}")
    if stop is not None and stop <= 0:
        raise ValueError(f"stop_tick: expected ticks above 0, was {stop!r}")
    if given.get("close_position") and (not waits or price is not None):
        was = f"a {kind.name} order" + ("" if price is None else " with a price")
        raise ValueError(f"close_position: expected a market order with a trigger, was {was}")
    trigger = TriggerBy(given.get("trigger", TriggerBy.LAST))
    if trigger is not TriggerBy.LAST and not waits:
        raise ValueError(f"trigger: a {kind.name} order has none, was {trigger.name}")
    return Placed(
        _NATIVE_TYPE[kind],
        None if price is None else price * units.tick,
        None if stop is None else stop * units.tick,
        bool(given.get("reduce_only", False)),
        ((0, signed),),
        int(tif),
        trigger is TriggerBy.MARK,
        _callback(kind, given.get("callback_rate")),
        bool(given.get("close_position", False)),
        int(PositionSide(given.get("position_side", PositionSide.BOTH))),
    )


def _check_given(given: Mapping[str, object]) -> None:
    unknown = sorted(set(given) - Given.__optional_keys__)
    if unknown:
        known = ", ".join(sorted(Given.__optional_keys__))
        raise ValueError(f"{unknown[0]}: expected keywords {known}")
    for name in ("reduce_only", "close_position"):
        if not isinstance(given.get(name, False), bool | np.bool_):
            raise ValueError(f"{name}: expected True or False, was {given[name]!r}")
    if isinstance(given.get("stop_tick"), bool | np.bool_):
        raise ValueError(f"stop_tick: expected whole ticks, was {given['stop_tick']!r}")


def _callback(kind: OrderType, rate: Decimal | int | None) -> int:
    """Return a trailing stop's distance in millionths."""
    if kind is not OrderType.TRAILING_STOP:
        if rate is not None:
            raise ValueError(f"callback_rate: a {kind.name} order has none, was {rate!r}")
        return 0
    if rate is None or isinstance(rate, bool) or not isinstance(rate, Decimal | int):
        raise ValueError(f"callback_rate: expected a Decimal or whole percent, was {rate!r}")
    ppm = Decimal(rate) * PERCENT_PPM
    if not ppm.is_finite() or not 0 < ppm < WHOLE_PPM or ppm != int(ppm):
        raise ValueError(
            f"callback_rate: expected 0.0001 to 99.9999 percent, in steps of 0.0001, was {rate}"
        )
    return int(ppm)
