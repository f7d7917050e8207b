"""Sleeves' tickets into orders, and what they say of them later into commands."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from typing import Final, NamedTuple

from crypto_quant.core.errors import StrategyError
from crypto_quant.core.messages import Allocation, Cancel, Conditions, Order, Refused, Side
from crypto_quant.core.tickets import (
    Amendment,
    Instruction,
    Ticket,
    Withdrawal,
    check_amendment,
    check_name,
    check_ticket,
)
from crypto_quant.execution.order_manager import OrderManager

BEING_CHANGED: Final = "an amendment or a cancellation of it is on its way"


class TicketPlan(NamedTuple):
    """What to do at one wake-up: cancels, then what risk has to judge.

    ``changes`` are live orders with what they are to become and how much of them is filled;
    ``kept`` were not to be changed now.
    """

    cancels: tuple[Cancel, ...]
    changes: tuple[tuple[Order, Order, int], ...]
    orders: tuple[Order, ...]
    kept: tuple[Refused, ...]


NO_TICKETS: Final = TicketPlan((), (), (), ())


class Tickets:
    """Numbers what sleeves send themselves, and finds their orders by name.

    What is refused or expires is not sent again: the sleeve reads it in the account's view.
    """

    __slots__ = ("_orders", "_sleeves", "sleeves")

    def __init__(self, sleeves: Sequence[str], orders: OrderManager) -> None:
        self.sleeves = tuple(sleeves)
        """Their names, by number."""
        self._sleeves = {name: n for n, name in enumerate(sleeves)}
        self._orders = orders

    def plan(
        self,
        told: Sequence[Instruction],
        instruments: Container[int],
        now: int,
        leaving: Iterable[Cancel],
    ) -> TicketPlan:
        """Return what the sleeves' words come to.

        Parameters
        ----------
        told
            What they said, in order.
        instruments
            Those of the run.
        now
            Time of the wake-up, ns UTC.
        leaving
            What is taken back at this wake-up already.

        Raises
        ------
        StrategyError
            Words that cannot be meant: no such sleeve or instrument, a name that lives, a ticket
            or an amendment that is no order.
        """
        cancels: list[Cancel] = []
        changes: dict[int, tuple[Order, Order, int]] = {}
        made: dict[tuple[int, str], Order] = {}
        kept: list[Refused] = []
        gone = {cancel.order_id for cancel in leaving}
        for said in told:
            check_name(said)
            sleeve = self._sleeves.get(said.sleeve)
            if sleeve is None:
                known = ", ".join(self._sleeves)
                raise StrategyError(f"sleeve: expected one of {known}, was {said.sleeve!r}")
            key = (sleeve, said.name)
            state = self._orders.named.live(key)
            if isinstance(said, Ticket):
                check_ticket(said)
                if state is not None or key in made:
                    raise StrategyError(
                        f"sleeve {said.sleeve}, ticket {said.name!r}: an order of this name lives"
                    )
                if said.instrument not in instruments:
                    raise StrategyError(
                        f"sleeve {said.sleeve}, ticket {said.name!r}: instrument "
                        f"{said.instrument} is not traded in this run"
                    )
                made[key] = self._order(said, sleeve, now)
            elif state is None:
                _change_unsent(made, key, said, now)
            elif isinstance(said, Withdrawal):
                number = state.order.id
                changes.pop(number, None)  # it would be changed only to be taken back
                if not state.is_cancelling and number not in gone:
                    cancels.append(Cancel(number, said.reason))
                    gone.add(number)
            else:
                after = _amended(state.order, said, now)
                is_leaving = state.is_cancelling or after.id in gone
                if is_leaving or state.amended is not None or after.id in changes:
                    kept.append(Refused(after, BEING_CHANGED))
                else:
                    changes[after.id] = (state.order, after, state.filled)
        return TicketPlan(
            tuple(cancels), tuple(changes.values()), tuple(made.values()), tuple(kept)
        )

    def pull(self, reason: str) -> tuple[Cancel, ...]:
        """Take back what may still open a position; exits stay."""
        live = self._orders.named.openings()
        return tuple([Cancel(s.order.id, reason) for s in live if not s.is_cancelling])

    def on_refused(self, refused: Iterable[Refused]) -> None:
        """Note for the sleeves what was refused of theirs."""
        for item in refused:
            if isinstance(item.order, Order) and item.order.conditions is not None:
                self._orders.named.refuse(item.order, item.reason)

    def _order(self, ticket: Ticket, sleeve: int, now: int) -> Order:
        is_buy = ticket.side is Side.BUY
        return Order(
            ts=now,
            id=self._orders.next_id(),
            instrument=ticket.instrument,
            side=ticket.side,
            quantity=ticket.quantity,
            type=ticket.type,
            price=ticket.price,
            stop=ticket.stop,
            reduce_only=ticket.reduce_only,
            allocations=(Allocation(sleeve, ticket.quantity if is_buy else -ticket.quantity),),
            reason=ticket.reason,
            conditions=Conditions(
                ticket.name,
                ticket.time_in_force,
                ticket.trigger_by,
                ticket.callback_ppm,
                ticket.close_position,
                ticket.protect,
            ),
        )


def _change_unsent(
    made: dict[tuple[int, str], Order],
    key: tuple[int, str],
    said: Amendment | Withdrawal,
    now: int,
) -> None:
    """Change what was only just asked for; of an order that is done nothing happens."""
    order = made.get(key)
    if order is None:
        return  # what is on its way to us says so
    if isinstance(said, Withdrawal):
        del made[key]
    else:
        made[key] = _amended(order, said, now)


def _amended(order: Order, said: Amendment, now: int) -> Order:
    check_amendment(said, order.type)
    price, stop = said.price or order.price, said.stop or order.stop
    return order.sized(said.quantity)._replace(ts=now, price=price, stop=stop)
