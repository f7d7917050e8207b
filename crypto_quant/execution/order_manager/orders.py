"""The owner of our orders' state."""

from __future__ import annotations

from collections.abc import Iterable

from crypto_quant import _native
from crypto_quant.core.errors import InvariantError
from crypto_quant.core.ledger import prorate
from crypto_quant.core.messages import Amend, Cancel, Command, Order, OrderStatus, Place, Side
from crypto_quant.execution.order_manager.named import NamedOrders
from crypto_quant.execution.order_manager.state import OrderState

# Looking up a member of an enum costs ten times what a module's name does.
BUY, NEW, WORKING, FILLED = Side.BUY, OrderStatus.NEW, OrderStatus.WORKING, OrderStatus.FILLED
CANCELLED, EXPIRED = OrderStatus.CANCELLED, OrderStatus.EXPIRED


class OrderManager:
    """Folds commands and account events into the orders that live, and what they may still do.

    Ids count up from 1, in the order in which orders are made: the same run gives the same
    ids. ``touched`` holds the instruments with news since netting last looked, ``ended`` the
    orders of targets that ended since then; ``quotes`` what lives of sleeves' quotes, which are in
    none of the others, and counts what all may still trade; ``named`` the orders that sleeves
    send themselves.
    """

    __slots__ = (
        "_stops",
        "ended",
        "last_id",
        "live",
        "named",
        "quotes",
        "touched",
    )

    def __init__(self) -> None:
        self.last_id = 0
        self._stops: dict[tuple[int, int], OrderState] = {}
        self.live: dict[int, OrderState] = {}
        self.named = NamedOrders()
        self.touched: set[int] = set()
        self.quotes = _native.LiveQuotes()
        self.ended: list[OrderState] = []

    def next_id(self) -> int:
        """Return the id of the next order."""
        self.last_id += 1
        return self.last_id

    def working(self, sleeve: int, instrument: int) -> int:
        """Return what a sleeve's live orders may still trade, signed.

        A protective stop counts once it has begun to trade, not while it rests; of a sleeve's
        own orders those that only reduce are not in it: see ``NamedOrders.exits``.
        """
        return self.quotes.working(sleeve, instrument)

    def taking(self, sleeve: int, instrument: int) -> int:
        """Return ``working`` without quotes: what is on its way to a position."""
        return self.quotes.taking(sleeve, instrument)

    def selling(self, sleeve: int, instrument: int) -> int:
        """Return what of ``working`` is to be sold, not positive."""
        return self.quotes.selling(sleeve, instrument)

    def stop_of(self, sleeve: int, instrument: int) -> OrderState | None:
        """Return a sleeve's live protective stop that is not being cancelled."""
        return self._stops.get((sleeve, instrument))

    def take_up(self, commands: tuple[Command, ...]) -> None:
        """Note what is about to leave."""
        for command in self.quotes.take_up(commands, self.last_id):
            if isinstance(command, Place):
                self.place(command.approved.order)
            elif isinstance(command, Cancel):
                self.cancel(command.order_id)
            elif isinstance(command, Amend):
                self.amend(command.approved.order)

    @property
    def is_touched(self) -> bool:
        """Whether an instrument has news since netting last looked."""
        return bool(self.touched) or self.quotes.is_touched

    def take_touched(self) -> set[int]:
        """Return the instruments with news, and forget that there were any."""
        touched = self.touched | self.quotes.touched()
        self.touched.clear()
        self.quotes.forget_touched()
        return touched

    def place(self, order: Order) -> None:
        """Take up an order that leaves."""
        if order.id in self.live or order.id > self.last_id:
            raise InvariantError(f"order {order.id} is placed twice or was never numbered")
        if self.quotes.place(order, self.last_id):
            return
        state = OrderState(order)
        self.live[order.id] = state
        if order.conditions is not None:
            self.named.take(state)
            self._count_own(order, order.quantity)
            return
        if state.is_stop:
            part = order.allocations[0]
            self._stops[part.sleeve, order.instrument] = state
            return
        self._count(order, order.allocations, 1)

    def amend(self, order: Order) -> None:
        """Note that an order is being changed; ``order`` is what it is to be."""
        if self.quotes.amend(order):
            return
        state = self.live[order.id]
        before = state.pending
        state.amended = order
        if order.conditions is not None:
            self._count_own(order, state.pending - before)

    def cancel(self, order_id: int) -> None:
        """Note that an order is being taken back."""
        if self.quotes.cancel(order_id):
            return
        state = self.live.get(order_id)
        if state is not None:
            state.is_cancelling = True
            self._forget_stop(state)

    def on_ack(self, order_id: int) -> None:
        """Note that the venue has an order."""
        if self.quotes.on_ack(order_id):
            return
        state = self.live.get(order_id)
        if state is not None and state.status is NEW:
            state.status = WORKING

    def on_triggered(self, order_id: int) -> None:
        """Note that an order that waited for its trigger is a limit order now."""
        state = self.live.get(order_id)
        if state is not None:
            state.status = OrderStatus.TRIGGERED
            self._tell(state)

    def on_amended(self, order_id: int, quantity: int) -> None:
        """Note that an order has another whole quantity; never less than what is filled."""
        if self.quotes.on_amended(order_id, quantity):
            return
        state = self.live.get(order_id)
        if state is not None:  # only sleeves change their own orders
            self._amend_own(state, max(quantity, state.filled))

    def on_kept(self, order_id: int, reason: str = "") -> None:
        """Note that the venue refused to cancel or to amend an order: it works on as it was."""
        if self.quotes.on_kept(order_id):
            return
        state = self.live.get(order_id)
        if state is not None:
            state.reason = reason
            self._keep(state)

    def on_fill(self, order_id: int, quantity: int) -> None:
        """Count a fill (``quantity`` unsigned).

        Raises
        ------
        InvariantError
            The order is not live: the venue's truth is not ours, so reconcile.
        """
        if self.quotes.on_fill(order_id, quantity):
            return
        state = self.live.get(order_id)
        if state is None:
            raise InvariantError(f"a fill of order {order_id}, which is not live: reconcile")
        order, before = state.order, state.filled
        state.fill(quantity)
        if state.is_stop and before == 0:
            self._count(order, order.allocations, 1)
        parts = order.allocations
        if order.conditions is not None:
            self._count_own(order, -quantity)
        elif len(parts) == 1:  # nobody shares it
            key = (parts[0][0], order.instrument)
            is_sale = order.side is not BUY
            self.quotes.count(*key, quantity if is_sale else -quantity, is_sale)
        else:
            self._count(order, prorate(order.allocations, before, quantity), -1)
        self._tell(state)
        if state.status is FILLED:
            self._end(state)

    def on_cancelled(self, order_id: int, reason: str = "") -> None:
        """Note that an order no longer rests; one that is no longer live is no news.

        With a ``reason``, or where nobody asked for it, the venue ended it: it has expired.
        """
        if self.quotes.on_cancelled(order_id):
            return
        state = self.live.get(order_id)
        if not reason and (state is None or state.is_cancelling):
            self._leave(order_id, CANCELLED, "cancelled")
        else:
            self._leave(order_id, EXPIRED, reason or "expired")

    def on_reject(self, order_id: int, reason: str) -> None:
        """Note a refusal; of an order that rests it means that its cancel was refused."""
        if self.quotes.on_reject(order_id):
            return
        state = self.live.get(order_id)
        if state is not None and state.is_cancelling and state.status is not NEW:
            self._keep(state)
            return
        self._leave(order_id, OrderStatus.REJECTED, reason)

    def reset(self) -> None:
        """Forget live orders: a new segment has begun; ids go on."""
        self._stops.clear()
        self.quotes.reset()
        self.live.clear()
        self.touched.clear()
        self.ended.clear()
        self.named.reset()

    def _leave(self, order_id: int, status: OrderStatus, reason: str) -> None:
        state = self.live.get(order_id)
        if state is None:
            return
        state.status = status
        state.reason = reason
        order = state.order
        if order.conditions is not None:
            self._tell(state)
            self._end(state)
            return
        if not state.is_stop or state.filled:
            self._count(order, order.allocations, -1)
        if state.filled:
            self._count(order, prorate(order.allocations, 0, state.filled), 1)
        self._tell(state)
        self._end(state)

    def _end(self, state: OrderState) -> None:
        order = state.order
        del self.live[order.id]
        if order.conditions is not None:
            self._count_own(order, -state.pending)
            state.amended = None
            self.named.end(state)
            return
        self._forget_stop(state)
        self.ended.append(state)

    def _keep(self, state: OrderState) -> None:
        state.is_cancelling = False
        before = state.pending
        state.amended = None
        if state.order.conditions is not None:
            self._count_own(state.order, state.pending - before)
        if state.is_stop:
            self._stops[state.order.allocations[0].sleeve, state.order.instrument] = state
        self._tell(state)

    def _tell(self, state: OrderState) -> None:
        """Mark what has to be looked at again."""
        self.touched.add(state.order.instrument)

    def _amend_own(self, state: OrderState, quantity: int) -> None:
        """Take what an amendment of a sleeve's own order has made of it."""
        order, before = state.order, state.pending
        after = state.amended or order
        state.order = order.sized(quantity)._replace(price=after.price, stop=after.stop)
        state.amended = None
        state.reason = ""
        self._count_own(order, state.pending - before)
        self._tell(state)

    def _count_own(self, order: Order, change: int) -> None:
        """Add to what a sleeve's own order may still trade, unsigned."""
        if order.only_reduces:
            self.named.count_exit(order, change)
            return
        key, is_sale = (order.allocations[0].sleeve, order.instrument), order.side is not BUY
        self.quotes.count(*key, -change if is_sale else change, is_sale)

    def _forget_stop(self, state: OrderState) -> None:
        if state.is_stop:
            key = (state.order.allocations[0].sleeve, state.order.instrument)
            if self._stops.get(key) is state:
                del self._stops[key]

    def _count(self, order: Order, parts: Iterable[tuple[int, int]], sign: int) -> None:
        """Add (+1) parts of an order to what is working, or take them away (-1)."""
        for sleeve, quantity in parts:
            self.quotes.count(sleeve, order.instrument, sign * quantity, quantity < 0)
