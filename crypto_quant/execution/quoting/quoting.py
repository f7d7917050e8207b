"""Quoting: what sleeves want to rest in the book, kept there with the fewest messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from crypto_quant.core.messages import (
    Allocation,
    Approved,
    Cancel,
    Order,
    OrderType,
    Quote,
    Refused,
    Side,
    Target,
)
from crypto_quant.core.ports import AccountView
from crypto_quant.execution.order_manager import OrderManager, OrderState
from crypto_quant.execution.quoting.budget import Budget
from crypto_quant.execution.quoting.config import QuotingConfig
from crypto_quant.execution.quoting.difference import difference
from crypto_quant.execution.quoting.edges import Edges

MS_NS: Final = 10**6
Key = tuple[int, int]
NOT_WANTED: Final = "quote no longer wanted"
MEETS_OWN: Final = "withheld: it would meet a quote of sleeve "
new = tuple.__new__
BUY, SELL, POST_ONLY = Side.BUY, Side.SELL, OrderType.POST_ONLY


class QuotePlan(NamedTuple):
    """What to do at one wake-up: cancels first, then what risk has to stamp.

    ``smaller`` are resting orders with what they are to become. ``withheld`` are quotes that
    would meet those of another sleeve; each is said once.
    """

    cancels: tuple[Cancel, ...]
    smaller: tuple[tuple[Order, Order], ...]
    orders: tuple[Order, ...]
    withheld: tuple[Refused, ...]


NO_QUOTES: Final = QuotePlan((), (), (), ())


class _Standing:
    """What a sleeve wants in an instrument: as it asked, and as risk left it, by price."""

    __slots__ = ("asked", "held", "is_cut", "reason", "said", "wanted")

    def __init__(self, target: Target, asked: tuple[Quote, ...], said: set[int]) -> None:
        quotes = target.quotes or ()
        self.asked = asked
        self.is_cut = quotes is not asked
        self.held = target.quantity
        self.reason = target.reason
        self.wanted = {q[1] if q[0] is BUY else -q[1]: q for q in quotes}
        self.said = said


class Quoting:
    """Keeps the quotes that sleeves want, and asks for what is missing or wrong.

    An order is cancelled first and replaced once it is gone, so there are never two at a price,
    nor one that meets another of our own. Answers are acted on at the next wake-up of the clock;
    a quote that risk refuses is given up until its sleeve asks anew.
    """

    __slots__ = ("_amends", "_asked", "_budget", "_due", "_orders", "_refill", "_sleeves", "_stand")

    def __init__(self, config: QuotingConfig, sleeves: Sequence[str], orders: OrderManager) -> None:
        self._sleeves = {name: n for n, name in enumerate(sleeves)}
        self._orders = orders
        self._budget = Budget(config.messages, config.per_ms * MS_NS)
        self._refill = config.refill
        self._amends = config.amends
        self._stand: dict[Key, _Standing] = {}
        self._asked: dict[Key, tuple[Quote, ...]] = {}
        self._due: set[Key] = set()

    def reset(self) -> None:
        """Forget what is wanted: a new segment has begun, flat."""
        self._stand.clear()
        self._asked.clear()
        self._due.clear()

    def news(self, targets: tuple[Target, ...]) -> tuple[Target, ...]:
        """Leave out targets that stand already, uncut, with the same position."""
        kept = []
        for target in targets:
            quotes = target.quotes
            if quotes is not None:
                key = (self._sleeves[target.sleeve], target.instrument)
                stands = self._stand.get(key)
                if (
                    stands is not None
                    and not stands.is_cut
                    and stands.held == target.quantity
                    and (stands.asked is quotes or stands.asked == quotes)
                ):
                    continue
                self._asked[key] = quotes
            kept.append(target)
        return targets if len(kept) == len(targets) else tuple(kept)

    def pull(self, reason: str, instrument: int | None = None) -> tuple[Cancel, ...]:
        """Forget what is wanted and take every quote back, of one instrument or of all."""
        cancels = []
        for key in self._orders.quoted():
            if instrument is None or key[1] == instrument:
                states = self._orders.quotes(*key).values()
                cancels += [Cancel(s.order.id, reason) for s in states if not s.is_cancelling]
        for key in [k for k in self._stand if instrument is None or k[1] == instrument]:
            del self._stand[key]
            self._due.discard(key)
        return tuple(cancels)

    def plan(
        self,
        targets: Sequence[Target],
        view: AccountView,
        *,
        is_timer: bool,
    ) -> QuotePlan:
        """Return what brings the quotes to those wanted; ``NO_QUOTES`` while nothing changes."""
        due = self._due
        for target in targets:
            self._take(target)
        if is_timer and self._orders.requote:
            due |= self._orders.requote
            self._orders.requote.clear()
        if not due or not (is_timer or targets):
            return NO_QUOTES
        keys = sorted(due) if len(due) > 1 else list(due)
        due.clear()
        return self._plan(keys, view)

    def on_stamped(self, approved: Sequence[Approved], refused: Sequence[Refused]) -> None:
        """Want no longer what risk refused, and only as much as it let through."""
        for item in refused:
            order = item.order
            if isinstance(order, Order) and order.is_quote:
                self._give_up(order, next((a.order for a in approved if a[0].id == order.id), None))

    def _give_up(self, order: Order, left: Order | None) -> None:
        stands = self._stand.get((order.allocations[0][0], order.instrument))
        if stands is None or order.price is None:
            return
        at = order.price if order.side is BUY else -order.price
        stands.is_cut = True
        if left is None:
            stands.wanted.pop(at, None)
        else:
            stands.wanted[at] = Quote(order.side, order.price, left.quantity)

    def _take(self, target: Target) -> None:
        key = (self._sleeves[target.sleeve], target.instrument)
        if target.quotes is not None:
            before = self._stand.get(key)
            said = set() if before is None else before.said
            self._stand[key] = _Standing(target, self._asked.get(key, target.quotes), said)
            self._due.add(key)
        elif self._stand.pop(key, None) is not None:
            self._due.add(key)

    def _plan(self, keys: Sequence[Key], view: AccountView) -> QuotePlan:
        orders, now = self._orders, view.now
        wrong: list[OrderState] = []
        larger: list[tuple[OrderState, int]] = []
        missing: list[tuple[Key, int]] = []
        for key in keys:
            stands = self._stand.get(key)
            wanted: Mapping[int, Quote] = {} if stands is None else stands.wanted
            found = difference(wanted, orders.quotes(*key), self._refill)
            wrong += found.wrong
            if self._amends:
                larger += found.larger
            else:
                wrong += [state for state, _ in found.larger]
            missing += [(key, at) for at in found.missing]
        if not (wrong or larger or missing):
            return NO_QUOTES
        left = self._budget.left(now)
        if len(wrong) + len(larger) + len(missing) > left:
            missing.sort(key=lambda item: _from_touch(item, view))
        cancels = [new(Cancel, (state.order.id, NOT_WANTED)) for state in wrong[:left]]
        left -= len(cancels)
        smaller = [(s.order, _smaller(s, now, quantity)) for s, quantity in larger[:left]]
        left -= len(smaller)
        made: list[Order] = []
        withheld: list[Refused] = []
        if missing:
            self._make(missing, left, view, made, withheld)
        self._budget.spend(now, len(cancels) + len(smaller) + len(made))
        for state in wrong[len(cancels) :]:
            self._due.add(_key(state.order))
        for state, _ in larger[len(smaller) :]:
            self._due.add(_key(state.order))
        return new(QuotePlan, (tuple(cancels), tuple(smaller), tuple(made), tuple(withheld)))

    def _make(
        self,
        missing: Sequence[tuple[Key, int]],
        left: int,
        view: AccountView,
        made: list[Order],
        withheld: list[Refused],
    ) -> None:
        """Make the orders that the budget leaves, none of which meets one of our own."""
        edges: dict[int, Edges] = {}
        now, of = view.now, None
        for key, at in missing:
            if key is not of:  # nearly all are of one sleeve and instrument
                of, (sleeve, instrument), stands = key, key, self._stand[key]
                edge = edges.get(instrument) or Edges(self._orders, instrument)
                edges[instrument] = edge
            owner = edge.met_by(at)
            if owner is None and len(made) < left:
                made.append(self._order(key, at, stands, now))
                edge.add(at, sleeve)
                stands.said.discard(at)
                continue
            self._due.add(key)
            if owner is not None and owner != sleeve and at not in stands.said:
                stands.said.add(at)
                kept = self._order(key, at, stands, now)
                withheld.append(Refused(kept, f"{MEETS_OWN}{owner}"))

    def _order(self, key: Key, at: int, stands: _Standing, now: int) -> Order:
        sleeve, instrument = key
        side, px, quantity = stands.wanted[at]
        part = new(Allocation, (sleeve, quantity if at > 0 else -quantity))
        number = self._orders.next_id()
        made = (now, number, instrument, side, quantity, POST_ONLY, px, None, False, (part,))
        return new(Order, (*made, stands.reason, True, None))


def _key(order: Order) -> Key:
    return order.allocations[0][0], order.instrument


def _smaller(state: OrderState, now: int, left: int) -> Order:
    """Return an order with no more than ``left`` still to be traded."""
    return state.order.sized(state.filled + left)._replace(ts=now)


def _from_touch(item: tuple[Key, int], view: AccountView) -> int:
    """Return how far a quote lies from the other side's best price; less is more urgent."""
    (_, instrument), at = item
    best = view.ask_px(instrument) if at > 0 else view.bid_px(instrument)
    return abs((best or view.px(instrument)) - abs(at))
