"""Protective stops: one resting order for each sleeve's contract position."""

from __future__ import annotations

from crypto_quant.core.messages import Allocation, Cancel, Order, OrderType, Side
from crypto_quant.core.ports import AccountView
from crypto_quant.core.terms import Terms
from crypto_quant.execution.order_manager import OrderManager


class Protection:
    """Keeps each sleeve's stop at the venue equal in size to what it protects.

    A stop is replaced when the position or its price changes and taken back when the
    position is gone or being closed. The last stop of each side is remembered: if a close or a
    reversal fails, it rests again.
    """

    __slots__ = ("_orders", "stops")

    def __init__(self, orders: OrderManager) -> None:
        self._orders = orders
        self.stops: dict[tuple[int, int, bool], int] = {}
        """Every stop that was ever asked for, by (sleeve, instrument, whether of a long)."""

    def reset(self) -> None:
        """Forget the stops: a new segment has begun, flat."""
        self.stops.clear()

    def set_target(
        self,
        sleeve: int,
        instrument: int,
        quantity: int,
        stop: int | None,
        *,
        held: int,
        headed: int,
    ) -> None:
        """Take the stop of a new target; one without a stop keeps that of a position that stays.

        ``headed`` is the position once what works is filled: the stop of an earlier one is
        forgotten only where the target begins a new one, with nothing held on its side.
        """
        key = (sleeve, instrument, quantity > 0)
        if not quantity:
            return
        if stop is not None:
            self.stops[key] = stop
        elif quantity * headed <= 0 and quantity * held <= 0:
            self.stops.pop(key, None)

    def is_passed(self, sleeve: int, instrument: int, view: AccountView) -> bool:
        """Tell whether the price is beyond a position's stop already, so that none can rest."""
        held = view.position(sleeve, instrument)
        stop = self.stop_px(sleeve, instrument, held)
        px = view.px(instrument)
        if stop is None or px <= 0:
            return False
        if self._orders.stop_of(sleeve, instrument) is not None:
            return False  # it rests: the venue acts on it
        if self._orders.taking(sleeve, instrument) * held <= -held * held:
            return False  # a close or a reversal is on its way
        return px <= stop if held > 0 else px >= stop

    def stop_px(self, sleeve: int, instrument: int, held: int) -> int | None:
        """Return the stop that protects what is held; that of the other side does not."""
        return self.stops.get((sleeve, instrument, held > 0)) if held else None

    def rest(
        self,
        sleeve: int,
        instrument: int,
        view: AccountView,
        terms: Terms,
        account: int,
        *,
        is_closing: bool,
    ) -> tuple[Cancel | None, Order | None]:
        """Return what brings a sleeve's stop in line with its position.

        ``account`` is the account's net position, ``is_closing`` whether an order that
        closes the sleeve's position is on its way.
        """
        held = view.position(sleeve, instrument)
        live = self._orders.stop_of(sleeve, instrument)
        stop = self.stop_px(sleeve, instrument, held)
        if is_closing or terms.is_spot:
            stop = None
        if live is None:
            cancel = None
        elif live.filled:
            return None, None  # it has triggered and does its work
        elif live.order.stop == stop and live.order.allocations[0].quantity == -held:
            return None, None
        else:
            cancel = Cancel(live.order.id, "nothing to protect" if stop is None else "stop moved")
        if stop is None:
            return cancel, None
        return cancel, self._order(sleeve, instrument, held, view.now, stop, account)

    def _order(
        self, sleeve: int, instrument: int, held: int, now: int, stop: int, account: int
    ) -> Order:
        side = Side.SELL if held > 0 else Side.BUY
        return Order(
            ts=now,
            id=self._orders.next_id(),
            instrument=instrument,
            side=side,
            quantity=abs(held),
            type=OrderType.STOP_MARKET,
            price=None,
            stop=stop,
            reduce_only=account * held > 0 and abs(account) >= abs(held),
            allocations=(Allocation(sleeve, -held),),
            reason="protective stop",
        )
