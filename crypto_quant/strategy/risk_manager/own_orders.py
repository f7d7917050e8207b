"""Orders that sleeves send themselves and the limits: each in its worst case, as if it filled."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from crypto_quant.core.messages import Order, Side
from crypto_quant.strategy.risk_manager.book import Proposal, RiskBook

Allow = Callable[[Proposal, RiskBook], tuple[int, str]]
"""Returns the largest size that the checks leave of a proposal, and the check that cut it."""


class Change(NamedTuple):
    """A working order, what it is to become, and how much of it is filled (unsigned)."""

    before: Order
    after: Order
    filled: int

    @property
    def is_less(self) -> bool:
        """Whether it is to trade less, at the same price and trigger."""
        before, after = self.before, self.after
        is_still = (after.price, after.stop) == (before.price, before.stop)
        return after.quantity < before.quantity and is_still

    def rest(self) -> Order:
        """Return what is to be left of it, as an order."""
        return self.after.sized(self.after.quantity - self.filled)

    def added(self) -> Order:
        """Return what it is to trade beyond what it may trade already, as an order."""
        return self.after.sized(max(0, self.after.quantity - self.before.quantity))


def opening(order: Order, book: RiskBook) -> int:
    """Return the position that a sleeve's own order may lead to past flat, signed; 0 for none."""
    if order.only_reduces:
        return 0
    ((sleeve, quantity),) = order.allocations
    low, high = book.reach(sleeve, order.instrument)
    return max(0, high + quantity) if order.side is Side.BUY else min(0, low + quantity)


def beyond(order: Order, book: RiskBook, allow: Allow) -> str | None:
    """Return which limit the position breaks that an order may lead to; ``None`` if none does.

    The position is judged at the price at which the order is taken to trade, with the stop that it
    brings, else the one in force. It is the target of no sleeve, so nothing has cut it before.
    """
    if order.conditions is None:
        return None
    end = opening(order, book)
    if end == 0:
        return None
    ((sleeve, _),) = order.allocations
    instrument, terms = order.instrument, book.terms[order.instrument]
    held = book.view.position(sleeve, instrument)
    stop_now = book.view.stop_px(sleeve, instrument) if end * held > 0 else None
    px = book.entry_px(order)
    proposal = Proposal(
        sleeve,
        instrument,
        end,
        held,
        px,
        order.conditions.protect or stop_now,
        stop_now,
        terms.worth(px),
        False,
        terms,
    )
    size, cut_by = allow(proposal, book)
    if size >= abs(end):
        return None
    return f"{cut_by}: it may lead to {abs(end)}, and {size} is allowed"
