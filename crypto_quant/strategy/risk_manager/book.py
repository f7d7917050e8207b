"""What the checks read: one proposed position, and the exposure of the whole account."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

from crypto_quant.core.messages import Allocation, Order, OrderType, Side
from crypto_quant.core.ports import AccountView
from crypto_quant.core.terms import Terms
from crypto_quant.strategy.risk_manager.exits import Exits
from crypto_quant.strategy.risk_manager.own_prices import Priced, surplus
from crypto_quant.strategy.risk_manager.passed import NONE_PASSED, Passed
from crypto_quant.strategy.risk_manager.sent import Sent

DAY_NS = 86_400 * 10**9
STOP_MARKET = OrderType.STOP_MARKET


class Proposal(NamedTuple):
    """A position that a sleeve asks for; quantities signed, in grid units.

    ``stop`` is that of the target, ``stop_now`` the one in force. ``worth`` is the notional of one
    grid unit (quote asset; 0 where no price is known); ``is_hedged`` tells that the sleeve asks
    for the opposite of it in the same base asset.
    """

    sleeve: int
    instrument: int
    target: int
    position: int
    px: int
    stop: int | None
    stop_now: int | None
    worth: float
    is_hedged: bool
    terms: Terms

    @property
    def is_shrinking(self) -> bool:
        """Whether the target lies between flat and the position."""
        return 0 <= self.target <= self.position or self.position <= self.target <= 0

    def kept(self) -> int:
        """Return the part of the position that the target keeps; 0 on a change of side."""
        if self.target * self.position <= 0:
            return 0
        return self.position if abs(self.position) < abs(self.target) else self.target

    def capped(self, quantity: float, *, keep: bool = False) -> int:
        """Return the target cut to ``quantity`` units, down to the lot.

        ``keep`` spares what is held already: the limit is one on growing.
        """
        size = abs(self.target)
        if size > quantity:
            size = max(0, int(quantity)) // self.terms.lot * self.terms.lot
        if keep:
            size = max(size, abs(self.kept()))
        return size if self.target > 0 else -size


class RiskState:
    """What the risk manager remembers.

    The day it stopped growing, whether the operator stopped it for good, and when it let orders go.
    """

    __slots__ = ("halted_day", "is_killed", "sent")

    def __init__(self) -> None:
        self.halted_day = -1
        self.is_killed = False
        self.sent = Sent()


class RiskBook:
    """Exposure by sleeve and instrument, updated as targets of one wake-up are accepted.

    Nobody knows which live orders fill, nor in which order: a position is taken to be anywhere
    between all of its sales without a purchase and all of its purchases without a sale.
    Exposure is gross over the sleeves' virtual positions: it bounds the account's net
    exposure along every path on which one sleeve closes before another.
    """

    __slots__ = (
        "_accepted",
        "_counted",
        "_openings",
        "_own_exits",
        "_passed",
        "_worth",
        "equity",
        "is_halted",
        "now",
        "sleeves",
        "state",
        "terms",
        "view",
    )

    def __init__(
        self, view: AccountView, terms: Mapping[int, Terms], sleeves: range, state: RiskState
    ) -> None:
        self.view = view
        self.terms = terms
        self.state = state
        self.sleeves = sleeves
        self.now = view.now
        self.equity = view.equity
        self._accepted: dict[tuple[int, int], int] = {}
        self._counted: dict[tuple[int, int], float] | None = None
        self._own_exits: Exits | None = None
        self._passed = NONE_PASSED
        self._openings = view.openings
        self._worth: dict[int, float] = {}
        self.is_halted = state.is_killed or state.halted_day == self.now // DAY_NS
        """Whether the operator said stop, or the day's loss limit was reached today."""

    @property
    def _exits(self) -> Exits:
        """Orders that only reduce, those of this wake-up included; most of the time none."""
        if self._own_exits is None:
            self._own_exits = Exits(self.view.exits, self.sleeves)
        return self._own_exits

    @property
    def _notionals(self) -> dict[tuple[int, int], float]:
        """Gross notional by sleeve and instrument as accepted so far; at first that of now."""
        if self._counted is None:
            self._counted = {}
            for instrument in self.terms:
                worth = self.worth(instrument)
                for sleeve in self.sleeves:
                    low, high = self.reach(sleeve, instrument)
                    if low or high:
                        more = self.surplus(sleeve, instrument, low, high)
                        self._counted[sleeve, instrument] = max(-low, high) * worth + more
            for key, size in self._accepted.items():
                self._counted[key] = size * self.worth(key[1]) + self.surplus(*key, -size, size)
        return self._counted

    def accept(self, proposal: Proposal, quantity: int) -> None:
        """Count an accepted target; what is still held counts until it is sold."""
        size = max(abs(quantity), abs(proposal.position))
        self._accepted[proposal.sleeve, proposal.instrument] = size
        self._notionals[proposal.sleeve, proposal.instrument] = size * proposal.worth

    def accept_quotes(self, sizes: Mapping[tuple[int, int], int]) -> None:
        """Count accepted quotes at their worst: the targets to come are judged beside them.

        ``sizes`` are the largest positions, unsigned, by sleeve and instrument.
        """
        self._accepted.update(sizes)
        self._counted = None

    def accept_order(self, order: Order) -> None:
        """Count an order that may leave: the next ones of this wake-up come on top of it."""
        self._counted = None
        if order.conditions is not None and order.only_reduces:
            self._exits.accept(order)
            return
        px, passed = self.entry_px(order), self._begun()
        passed.accept_price(order, px)
        passed.accept(order, px, self.terms[order.instrument])

    def accept_price(self, order: Order) -> None:
        """Count the price at which a sleeve's own order that may open is taken to trade."""
        self._begun().accept_price(order, self.entry_px(order))

    def _begun(self) -> Passed:
        """Return the count of what was let through; mostly all is at once, and none is begun."""
        if self._passed is NONE_PASSED:
            self._passed = Passed()
        return self._passed

    def px(self, instrument: int) -> int:
        """Return the last known price, before the first trade that of the book; 0 without any."""
        return self.view.px(instrument) or self.view.ask_px(instrument)

    def entry_px(self, order: Order) -> int:
        """Return the price at which an order is taken to trade.

        Its limit, of a sleeve's own order else its trigger, else the last price.
        """
        if order.conditions is None:
            return order.price or self.view.px(order.instrument)
        return order.price or order.stop or self.px(order.instrument)

    def worth(self, instrument: int) -> float:
        """Return the notional of one grid unit; 0 where no price is known."""
        worth = self._worth.get(instrument)
        if worth is None:
            rule = self.terms[instrument]
            worth = rule.worth(self.px(instrument))
            self._worth[instrument] = worth
        return worth

    @property
    def is_own_priced(self) -> bool:
        """Whether sleeves' own orders may open at prices of theirs."""
        return bool(self._openings or self._passed.priced)

    def extreme(self, sleeve: int, instrument: int) -> int:
        """Return the largest position, unsigned, that orders and accepted targets may lead to."""
        low, high = self.reach(sleeve, instrument)
        size = high if high > -low else -low
        if self._accepted:
            size = max(size, self._accepted.get((sleeve, instrument), 0))
        return size

    def surplus(self, sleeve: int, instrument: int, low: int, high: int) -> float:
        """Return what a sleeve's ends are worth beyond the last price, in the quote asset."""
        rule = self.terms[instrument]
        return self._dearer(sleeve, instrument, low, high) * rule.price_unit * rule.size_unit

    def spent(self, sleeve: int, venue: str) -> Decimal:
        """Return what a sleeve's spot orders of this wake-up are about to pay at a venue, exact."""
        return self._passed.spent.get((sleeve, venue), Decimal(0))

    def reach(self, sleeve: int, instrument: int) -> tuple[int, int]:
        """Return the lowest and highest position that the orders may lead to, whatever fills.

        They are those that live and those of this wake-up; protective stops do not count.
        """
        if self._own_exits is None and not self.view.exits:
            return self._ends(sleeve, instrument)
        exits = self._exits
        held, own = self.view.position(sleeve, instrument), exits.of(sleeve, instrument)
        return exits.widened(sleeve, instrument, held, own, self._ends)

    def _ends(self, sleeve: int, instrument: int) -> tuple[int, int]:
        """Return lowest and highest position without orders that only reduce."""
        view = self.view
        held = view.position(sleeve, instrument)
        selling = view.selling(sleeve, instrument)
        low, high = held + selling, held + view.working(sleeve, instrument) - selling
        passed = self._passed
        if passed.sold or passed.bought:
            key = (sleeve, instrument)
            return low + passed.sold.get(key, 0), high + passed.bought.get(key, 0)
        return low, high

    def notional_beside(self, proposal: Proposal) -> float:
        """Return the gross notional of everything but the proposal's own position."""
        own = (proposal.sleeve, proposal.instrument)
        return sum(value for key, value in self._notionals.items() if key != own)

    def contracts_beside(self, proposal: Proposal, *, same_sleeve: bool) -> float:
        """Return the gross notional of contracts beside the proposal's own position."""
        own = (proposal.sleeve, proposal.instrument)
        return sum(
            value
            for key, value in self._notionals.items()
            if key != own
            and not self.terms[key[1]].is_spot
            and (key[0] == proposal.sleeve or not same_sleeve)
        )

    def shrinks(self, order: Order) -> bool:
        """Tell whether the order brings every sleeve in it nearer to flat, or flat.

        It does so whatever fills before it. Reduce-only is no excuse: the venue bounds that by
        the account's position, which several sleeves and orders share.
        """
        return all(self._closing(order, s, q) == q for s, q in order.allocations)

    def close_in(self, order: Order) -> Order | None:
        """Return an order cut to what of it shrinks; ``None`` where that is nothing to send.

        It leaves on its own side: where the growth of another sleeve outweighs a close, the
        order itself is of the other one. Only a market order can change sides; a price is of one.
        Spot is never cut here: it is the leg of a pair.
        """
        terms = self.terms.get(order.instrument)
        if terms is None or terms.is_spot:
            return None
        parts = ((s, self._closing(order, s, q)) for s, q in order.allocations)
        kept = tuple(Allocation(sleeve, quantity) for sleeve, quantity in parts if quantity)
        net = sum(quantity for _, quantity in kept)
        side = Side.BUY if net > 0 else Side.SELL
        is_turned = side is not order.side
        if net == 0 or (is_turned and order.type is not OrderType.MARKET):
            return None
        return order._replace(
            side=side,
            quantity=abs(net),
            # The venue bounds it by the account's position, which was against the other side.
            reduce_only=order.reduce_only and not is_turned,
            allocations=kept,
        )

    def _closing(self, order: Order, sleeve: int, quantity: int) -> int:
        """Return the part of a sleeve's quantity that shrinks its position in any case."""
        if order.conditions is not None and order.only_reduces:
            held = self.view.position(sleeve, order.instrument)
            return quantity if self._exits.only_closes(order, held, self._ends) else 0
        if order.type is STOP_MARKET and order.conditions is None:
            # A close that works may fail: it protects till then.
            held = self.view.position(sleeve, order.instrument)
            low = high = held + self._passed.stopped.get((sleeve, order.instrument), 0)
        else:
            low, high = self.reach(sleeve, order.instrument)
        return max(quantity, -max(low, 0)) if quantity < 0 else min(quantity, max(-high, 0))

    def growth(self, order: Order) -> Decimal:
        """Return by how much the order may raise the gross notional, exact."""
        instrument, total, more = order.instrument, 0, 0
        for sleeve, quantity in order.allocations:
            low, high = self.reach(sleeve, instrument)
            end = high + quantity if quantity > 0 else -low - quantity
            total += max(0, end - max(-low, high))
            ends = (low, end) if quantity > 0 else (-end, high)
            # where a sleeve's own waits may be far from the market
            own = () if order.conditions is None else ((quantity, self.entry_px(order)),)
            more += self._dearer(sleeve, instrument, *ends, *own)
            more -= self._dearer(sleeve, instrument, low, high)
        rule = self.terms[instrument]
        return rule.notional(self.px(instrument), total) + rule.notional(1, more)

    def gross(self, *, contracts_only: bool) -> Decimal:
        """Return the largest gross notional of all sleeves that the orders may lead to, exact."""
        total = Decimal(0)
        for instrument, rule in self.terms.items():
            if contracts_only and rule.is_spot:
                continue
            reaches = [self.reach(s, instrument) for s in self.sleeves]
            quantity = sum(max(-low, high) for low, high in reaches)
            more = sum(self._dearer(s, instrument, *ends) for s, ends in enumerate(reaches))
            total += rule.notional(self.px(instrument), quantity) + rule.notional(1, more)
        return total

    def _dearer(self, sleeve: int, instrument: int, low: int, high: int, *more: Priced) -> int:
        if self.terms[instrument].is_inverse:
            return 0  # its notional is the same at any price
        key = (sleeve, instrument)
        orders = (*self._openings.get(key, ()), *self._passed.priced.get(key, ()), *more)
        return surplus(orders, self.px(instrument), low, high) if orders else 0
