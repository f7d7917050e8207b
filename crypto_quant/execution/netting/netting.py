"""Netting: the difference between what sleeves want and have, as orders with allocations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from crypto_quant.core.messages import (
    Allocation,
    Cancel,
    Cross,
    Order,
    OrderType,
    Refused,
    Side,
    Target,
)
from crypto_quant.core.ports import AccountView
from crypto_quant.core.terms import FOREVER, Terms
from crypto_quant.execution.netting.config import NettingConfig, Style
from crypto_quant.execution.netting.protection import Protection
from crypto_quant.execution.netting.split import crossed, on_lot
from crypto_quant.execution.order_manager import OrderManager, OrderState

MS_NS: Final = 10**6
Key = tuple[int, int]


class Plan(NamedTuple):
    """What to do at one wake-up, in this order: cancels, then crosses and orders once stamped."""

    cancels: tuple[Cancel, ...]
    crosses: tuple[Cross, ...]
    orders: tuple[Order, ...]


NO_PLAN: Final = Plan((), (), ())


class Netting:
    """Keeps the sleeves' wishes until they are met and asks for what is missing.

    Growth is not chased: what an order leaves unfilled, or what is refused, is given up until
    its sleeve asks again. Closes are: they are repeated at each wake-up of the clock. A
    sleeve's live order that no longer fits is cancelled first and replaced once it is gone.
    """

    __slots__ = (
        "_again",
        "_expiry",
        "_joins",
        "_orders",
        "_protection",
        "_sleeves",
        "_ttl",
        "_wanted",
    )

    def __init__(self, config: NettingConfig, sleeves: Sequence[str], orders: OrderManager) -> None:
        self._sleeves = {name: n for n, name in enumerate(sleeves)}
        joining = {name for name, style in config.styles.items() if style is Style.JOIN}
        self._joins = frozenset(n for name, n in self._sleeves.items() if name in joining)
        self._ttl = config.join_ms * MS_NS
        self._orders = orders
        self._protection = Protection(orders)
        self._wanted: dict[Key, Target] = {}
        self._again: set[Key] = set()
        self._expiry = FOREVER

    def reset(self) -> None:
        """Forget wishes, stops and live orders: a new segment has begun, flat."""
        self._wanted.clear()
        self._again.clear()
        self._expiry = FOREVER
        self._protection.reset()
        self._orders.reset()

    def rests(self) -> bool:
        """Return whether no position is followed or protected: quotes alone trade, if anything.

        What happened to orders is no news to it then, nor later.
        """
        if self._wanted or self._protection.stops:
            return False
        self._orders.touched.clear()
        self._orders.quotes.forget_touched()
        return True

    def plan(
        self,
        targets: Sequence[Target],
        view: AccountView,
        terms: Mapping[int, Terms],
        *,
        is_timer: bool,
    ) -> Plan:
        """Return what brings positions to the targets; ``NO_PLAN`` while nothing changes."""
        orders = self._orders
        if not (targets and _is_for_netting(targets)) and self.rests():
            return NO_PLAN
        is_due = is_timer and (self._again or view.now >= self._expiry)
        if not (targets or orders.is_touched or is_due):
            return NO_PLAN
        instruments = self._fold(targets, view, is_timer=is_timer)
        cancels: list[Cancel] = []
        crosses: list[Cross] = []
        made: list[Order] = []
        for instrument in sorted(instruments):
            self._net(instrument, view, terms[instrument], cancels, crosses, made)
        return Plan(tuple(cancels), tuple(crosses), tuple(made))

    def stop_px(self, sleeve: int, instrument: int, held: int) -> int | None:
        """Return the stop in force of what a sleeve holds; ``None`` where it has none."""
        return self._protection.stop_px(sleeve, instrument, held)

    def on_refused(self, refused: Iterable[Refused], view: AccountView) -> None:
        """Give up growth that the risk manager refused; a refused close is asked for again."""
        for item in refused:
            wish = item.order
            if isinstance(wish, Cross) or not (
                wish.type is OrderType.STOP_MARKET or wish.conditions is not None
            ):
                self._fell_short(wish, view)

    def leave(self, order: Order, view: AccountView) -> None:
        """Leave the position to an order that a sleeve sends itself; keep its protective stop.

        The wish of before is forgotten, as it is where a sleeve quotes.
        """
        ((sleeve, quantity),) = order.allocations
        key = (sleeve, order.instrument)
        self._wanted.pop(key, None)
        self._again.discard(key)
        if order.only_reduces or order.conditions is None:
            return
        held = view.position(*key)
        headed = held + self._orders.taking(*key)
        stop = order.conditions.protect
        self._protection.set_target(*key, quantity, stop, held=held, headed=headed)

    def _fold(self, targets: Sequence[Target], view: AccountView, *, is_timer: bool) -> set[int]:
        """Take in news and new targets; return the instruments to look at."""
        orders = self._orders
        instruments = orders.take_touched()
        for state in orders.ended:
            self._on_end(state, view)
        orders.ended.clear()
        for state in orders.live.values():
            if state.is_stop and state.filled:
                self._on_end(state, view)
        for target in targets:
            key = (self._sleeves[target.sleeve], target.instrument)
            self._again.discard(key)
            if target.quotes is None:
                self._wanted[key] = target
            else:  # its quotes make the position
                self._wanted.pop(key, None)
            held = view.position(*key)
            self._protection.set_target(
                *key, target.quantity, target.stop, held=held, headed=held + orders.taking(*key)
            )
            instruments.add(target.instrument)
        if is_timer:
            instruments.update(instrument for _, instrument in self._again)
            self._again.clear()
        if view.now >= self._expiry:
            instruments.update(s.order.instrument for s in orders.live.values())
            self._expiry = FOREVER  # each resting entry is looked at now and sets it again
        return instruments

    def _on_end(self, state: OrderState, view: AccountView) -> None:
        order = state.order
        if state.is_stop:
            if state.filled:
                for sleeve, _ in order.allocations:
                    self._want_flat(sleeve, order.instrument, view.now, "stopped")
        elif state.remaining and not state.is_cancelling:
            self._fell_short(order, view)

    def _want_flat(self, sleeve: int, instrument: int, now: int, reason: str) -> None:
        key = (sleeve, instrument)
        name = next(name for name, n in self._sleeves.items() if n == sleeve)
        self._wanted[key] = Target(now, name, instrument, 0, None, reason)

    def _fell_short(self, order: Order | Cross, view: AccountView) -> None:
        for sleeve, _ in order.allocations:
            key = (sleeve, order.instrument)
            target = self._wanted.get(key)
            if target is None:
                continue
            held = view.position(sleeve, order.instrument)
            if abs(target.quantity) <= abs(held) and target.quantity * held >= 0:
                self._again.add(key)
            else:
                kept = held if target.quantity * held > 0 else 0
                self._wanted[key] = target._replace(quantity=kept)
                if kept != held:
                    self._again.add(key)

    def _net(
        self,
        instrument: int,
        view: AccountView,
        terms: Terms,
        cancels: list[Cancel],
        crosses: list[Cross],
        made: list[Order],
    ) -> None:
        for sleeve in self._sleeves.values():
            if self._protection.is_passed(sleeve, instrument, view):
                self._want_flat(sleeve, instrument, view.now, "price beyond the stop")
        wishes = self._wishes(instrument, view, cancels)
        parts = on_lot(wishes, terms.lot)
        net = sum(parts.values())
        reduces = not terms.is_spot and self._only_reduces(instrument, parts, net, view)
        sent: Mapping[int, int] = {}
        px = view.px(instrument)
        notional = abs(terms.notional(px, net))
        if net and (reduces or notional >= terms.min_notional):
            made.append(self._order(instrument, parts, view, terms, reduce_only=reduces))
            sent = parts
        else:
            parts = crossed(parts)
            if parts and px > 0:
                given = _allocations(parts)
                crosses.append(Cross(view.now, instrument, px, given, "sleeves cancel out"))
                self._orders.touched.add(instrument)  # no answer will tell of it: stops may move
        self._protect(instrument, view, terms, sent, cancels, made)

    def _wishes(self, instrument: int, view: AccountView, cancels: list[Cancel]) -> dict[int, int]:
        """Return what each sleeve still wants; take back live orders that stand in the way."""
        wishes = {}
        for sleeve in self._sleeves.values():
            target = self._wanted.get((sleeve, instrument))
            if target is None or (sleeve, instrument) in self._again:
                continue
            have = view.position(sleeve, instrument) + self._orders.taking(sleeve, instrument)
            if target.quantity != have:
                wishes[sleeve] = target.quantity - have
        for state in self._orders.live.values():
            order = state.order
            if order.instrument != instrument or state.is_stop:
                continue
            is_old = self._is_old(order, view.now)
            if not is_old and not any(part.sleeve in wishes for part in order.allocations):
                continue
            if not state.is_cancelling:
                reason = "rested long enough" if is_old else "target changed"
                cancels.append(Cancel(order.id, reason))
            for part in order.allocations:
                wishes.pop(part.sleeve, None)
        return wishes

    def _is_old(self, order: Order, now: int) -> bool:
        """Tell whether a resting entry has waited long enough; note when it will have."""
        if order.type is not OrderType.POST_ONLY or order.conditions is not None:
            return False
        if now >= order.ts + self._ttl:
            return True
        self._expiry = min(self._expiry, order.ts + self._ttl)
        return False

    def _only_reduces(
        self, instrument: int, parts: Mapping[int, int], net: int, view: AccountView
    ) -> bool:
        """Tell whether sleeves and account all come nearer to flat, without crossing it."""
        account = self._account(instrument, view)
        if net * account >= 0 or abs(net) > abs(account):
            return False
        held = {sleeve: view.position(sleeve, instrument) for sleeve in parts}
        return all(held[s] * q < 0 and abs(q) <= abs(held[s]) for s, q in parts.items())

    def _account(self, instrument: int, view: AccountView) -> int:
        return sum(view.position(sleeve, instrument) for sleeve in self._sleeves.values())

    def _order(
        self,
        instrument: int,
        parts: Mapping[int, int],
        view: AccountView,
        terms: Terms,
        *,
        reduce_only: bool,
    ) -> Order:
        net = sum(parts.values())
        price = None if reduce_only else self._join_price(instrument, parts, net, view, terms)
        if price is not None:
            self._expiry = min(self._expiry, view.now + self._ttl)
        reasons = dict.fromkeys(self._wanted[sleeve, instrument].reason for sleeve in parts)
        return Order(
            ts=view.now,
            id=self._orders.next_id(),
            instrument=instrument,
            side=Side.BUY if net > 0 else Side.SELL,
            quantity=abs(net),
            type=OrderType.MARKET if price is None else OrderType.POST_ONLY,
            price=price,
            stop=None,
            reduce_only=reduce_only,
            allocations=_allocations(parts),
            reason=" + ".join(reasons),
        )

    def _join_price(
        self, instrument: int, parts: Mapping[int, int], net: int, view: AccountView, terms: Terms
    ) -> int | None:
        """Return the best price of our side, where every sleeve joins and grows."""
        for sleeve, part in parts.items():
            if sleeve not in self._joins or view.position(sleeve, instrument) * part < 0:
                return None
        if net > 0:
            best = view.bid_px(instrument) // terms.tick * terms.tick
        else:
            best = -(-view.ask_px(instrument) // terms.tick) * terms.tick
        return best if best > 0 else None

    def _protect(
        self,
        instrument: int,
        view: AccountView,
        terms: Terms,
        sent: Mapping[int, int],
        cancels: list[Cancel],
        made: list[Order],
    ) -> None:
        account = self._account(instrument, view)
        for sleeve in self._sleeves.values():
            going = sent.get(sleeve, 0) + self._orders.taking(sleeve, instrument)
            is_closing = going * view.position(sleeve, instrument) < 0
            cancel, order = self._protection.rest(
                sleeve, instrument, view, terms, account, is_closing=is_closing
            )
            if cancel is not None:
                cancels.append(cancel)
            if order is not None:
                made.append(order)


def _is_for_netting(targets: Sequence[Target]) -> bool:
    """Tell whether any of them asks for a position or protects one."""
    for target in targets:  # noqa: SIM110 -- a generator costs more than its one item
        if target.quotes is None or target.stop is not None:
            return True
    return False


def _allocations(parts: Mapping[int, int]) -> tuple[Allocation, ...]:
    return tuple(Allocation(sleeve, quantity) for sleeve, quantity in parts.items())
