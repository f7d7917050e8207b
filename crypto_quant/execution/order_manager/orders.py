"""The owner of our orders' state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from crypto_quant.core.errors import InvariantError
from crypto_quant.core.ledger import prorate
from crypto_quant.core.messages import Order, OrderStatus, Side
from crypto_quant.execution.order_manager.named import NamedOrders
from crypto_quant.execution.order_manager.state import OrderState

Key = tuple[int, int]
NO_QUOTES: Final[Mapping[int, OrderState]] = MappingProxyType({})

# Looking up a member of an enum costs ten times what a module's name does.
BUY, NEW, WORKING, FILLED = Side.BUY, OrderStatus.NEW, OrderStatus.WORKING, OrderStatus.FILLED
CANCELLED, EXPIRED = OrderStatus.CANCELLED, OrderStatus.EXPIRED


class OrderManager:
    """Folds commands and account events into the orders that live, and what they may still do.

    Ids count up from 1, in the order in which orders are made: the same run gives the same
    ids. ``touched`` holds the instruments with news since netting last looked, ``ended`` the
    orders of targets that ended since then; ``requote`` the (sleeve, instrument) of quotes that
    changed since quoting last looked; ``named`` the orders that sleeves send themselves.
    """

    __slots__ = (
        "_last_id",
        "_quotes",
        "_selling",
        "_stops",
        "_working",
        "ended",
        "live",
        "named",
        "requote",
        "touched",
    )

    def __init__(self) -> None:
        self._last_id = 0
        self._working: dict[tuple[int, int], int] = {}
        self._selling: dict[tuple[int, int], int] = {}
        self._stops: dict[tuple[int, int], OrderState] = {}
        self._quotes: dict[Key, dict[int, OrderState]] = {}
        self.live: dict[int, OrderState] = {}
        self.named = NamedOrders()
        self.touched: set[int] = set()
        self.requote: set[Key] = set()
        self.ended: list[OrderState] = []

    def next_id(self) -> int:
        """Return the id of the next order."""
        self._last_id += 1
        return self._last_id

    def working(self, sleeve: int, instrument: int) -> int:
        """Return what a sleeve's live orders may still trade, signed.

        A protective stop counts once it has begun to trade, not while it rests; of a sleeve's
        own orders those that only reduce are not in it: see ``NamedOrders.exits``.
        """
        return self._working.get((sleeve, instrument), 0)

    def taking(self, sleeve: int, instrument: int) -> int:
        """Return ``working`` without quotes: what is on its way to a position."""
        working = self._working.get((sleeve, instrument), 0)
        quotes = self._quotes.get((sleeve, instrument))
        if not quotes:
            return working
        return working - sum(s.remaining if at > 0 else -s.remaining for at, s in quotes.items())

    def selling(self, sleeve: int, instrument: int) -> int:
        """Return what of ``working`` is to be sold, not positive."""
        return self._selling.get((sleeve, instrument), 0)

    def stop_of(self, sleeve: int, instrument: int) -> OrderState | None:
        """Return a sleeve's live protective stop that is not being cancelled."""
        return self._stops.get((sleeve, instrument))

    def quotes(self, sleeve: int, instrument: int) -> Mapping[int, OrderState]:
        """Return a sleeve's live quotes by price, that of sales negative; there is one at each."""
        return self._quotes.get((sleeve, instrument), NO_QUOTES)

    def quoted(self) -> list[Key]:
        """Return the (sleeve, instrument) that may have live quotes, in order."""
        return sorted(self._quotes)

    def place(self, order: Order) -> None:
        """Take up an order that leaves."""
        if order.id in self.live or order.id > self._last_id:
            raise InvariantError(f"order {order.id} is placed twice or was never numbered")
        state = OrderState(order)
        self.live[order.id] = state
        if order.is_quote:
            self._take_quote(order, state)
            return
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
        state = self.live[order.id]
        before = state.pending
        state.amended = order
        if order.conditions is not None:
            self._count_own(order, state.pending - before)

    def cancel(self, order_id: int) -> None:
        """Note that an order is being taken back."""
        state = self.live.get(order_id)
        if state is not None:
            state.is_cancelling = True
            self._forget_stop(state)

    def on_ack(self, order_id: int) -> None:
        """Note that the venue has an order."""
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
        state = self.live.get(order_id)
        if state is None:
            return
        before, filled = state.order, state.filled
        if before.conditions is not None:
            self._amend_own(state, max(quantity, filled))
            return
        left = max(quantity, filled)
        (part,) = before.allocations
        side = 1 if before.side is BUY else -1
        self._count(before, ((part.sleeve, side * (left - before.quantity)),), 1)
        state.order = before.sized(left)
        state.amended = None
        self._tell(state)

    def on_kept(self, order_id: int, reason: str = "") -> None:
        """Note that the venue refused to cancel or to amend an order: it works on as it was."""
        state = self.live.get(order_id)
        if state is not None:
            state.reason = reason
            self._keep(state)

    def on_fill(self, order_id: int, quantity: int) -> OrderState:
        """Count a fill (``quantity`` unsigned) and return the order.

        Raises
        ------
        InvariantError
            The order is not live: the venue's truth is not ours, so reconcile.
        """
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
            self._count_one(key, quantity if is_sale else -quantity, is_sale=is_sale)
        else:
            self._count(order, prorate(order.allocations, before, quantity), -1)
        self._tell(state)
        if state.status is FILLED:
            self._end(state)
        return state

    def on_cancelled(self, order_id: int, reason: str = "") -> None:
        """Note that an order no longer rests; one that is no longer live is no news.

        With a ``reason``, or where nobody asked for it, the venue ended it: it has expired.
        """
        state = self.live.get(order_id)
        if not reason and (state is None or state.is_cancelling):
            self._leave(order_id, CANCELLED, "cancelled")
        else:
            self._leave(order_id, EXPIRED, reason or "expired")

    def on_reject(self, order_id: int, reason: str) -> None:
        """Note a refusal; of an order that rests it means that its cancel was refused."""
        state = self.live.get(order_id)
        if state is not None and state.is_cancelling and state.status is not NEW:
            self._keep(state)
            return
        self._leave(order_id, OrderStatus.REJECTED, reason)

    def reset(self) -> None:
        """Forget live orders: a new segment has begun; ids go on."""
        self._working.clear()
        self._selling.clear()
        self._stops.clear()
        self._quotes.clear()
        self.live.clear()
        self.touched.clear()
        self.ended.clear()
        self.requote.clear()
        self.named.reset()

    def _leave(self, order_id: int, status: OrderStatus, reason: str) -> None:
        state = self.live.get(order_id)
        if state is None:
            return
        state.status = status
        state.reason = reason
        order = state.order
        if order.is_quote:  # all of it is one sleeve's
            key, at = state.key, state.at
            left = state.filled - order.quantity
            self._count_one(key, left if at > 0 else -left, is_sale=at < 0)
            self.touched.add(key[1])
            self.requote.add(key)
            del self.live[order_id]
            del self._quotes[key][at]
            return
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
        if order.is_quote:
            del self._quotes[state.key][state.at]
            return
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
        order = state.order
        self.touched.add(order.instrument)
        if order.is_quote:
            self.requote.add(state.key)

    def _take_quote(self, order: Order, state: OrderState) -> None:
        _, number, instrument, side, _, _, px, _, _, parts, _, _, _ = order
        ((sleeve, quantity),) = parts
        key = state.key = (sleeve, instrument)
        if px is None:
            raise InvariantError(f"order {number} is a quote without a price")
        quotes = self._quotes.get(key)
        if quotes is None:
            quotes = self._quotes[key] = {}
        at = state.at = px if side is BUY else -px
        if at in quotes:
            raise InvariantError(f"order {number}: its sleeve has a live quote at that price")
        quotes[at] = state
        self._count_one(key, quantity, is_sale=at < 0)

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
        self._count_one(key, -change if is_sale else change, is_sale=is_sale)

    def _forget_stop(self, state: OrderState) -> None:
        if state.is_stop:
            key = (state.order.allocations[0].sleeve, state.order.instrument)
            if self._stops.get(key) is state:
                del self._stops[key]

    def _count_one(self, key: Key, change: int, *, is_sale: bool) -> None:
        """Add to what one sleeve has working on a side; ``change`` is signed as a position is."""
        working = self._working
        working[key] = working.get(key, 0) + change
        if is_sale:
            selling = self._selling
            selling[key] = selling.get(key, 0) + change

    def _count(self, order: Order, parts: Iterable[tuple[int, int]], sign: int) -> None:
        """Add (+1) parts of an order to what is working, or take them away (-1)."""
        for sleeve, quantity in parts:
            key = (sleeve, order.instrument)
            self._count_one(key, sign * quantity, is_sale=quantity < 0)
