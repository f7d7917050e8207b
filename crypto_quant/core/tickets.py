"""What a sleeve says of orders of its own: send this one, change it, take it back.

Targets say what a sleeve wants to hold or to quote, and execution makes the orders. A ticket is
the order itself, of any type: it is sent once, as it is, if the risk manager lets it.
"""

from __future__ import annotations

from typing import Final, NamedTuple, TypeAlias

from crypto_quant.core.errors import StrategyError
from crypto_quant.core.messages import OrderStatus, OrderType, Side, TimeInForce, TriggerBy

WHOLE_PPM: Final = 1_000_000
_TRIGGERED: Final = frozenset(
    {
        OrderType.STOP_MARKET,
        OrderType.STOP_LIMIT,
        OrderType.TAKE_PROFIT_MARKET,
        OrderType.TAKE_PROFIT_LIMIT,
    }
)
"""Types that need a trigger."""
_PRICED: Final = frozenset(
    {
        OrderType.LIMIT,
        OrderType.POST_ONLY,
        OrderType.STOP_LIMIT,
        OrderType.TAKE_PROFIT_LIMIT,
    }
)
"""Types that need a limit price."""
_ENUMS: Final = {
    "side": Side,
    "type": OrderType,
    "time_in_force": TimeInForce,
    "trigger_by": TriggerBy,
}
"""Fields that are compared by identity: text that merely equals a member would be another one."""


class Ticket(NamedTuple):
    """An order that a sleeve wants sent as it is.

    Parameters
    ----------
    ts, sleeve, instrument
        When, by whom, and what; in hedge mode the leg.
    name
        The sleeve's name for it, free again once the order is done.
    side, quantity, type
        What to do; ``quantity`` is positive, in grid units.
    reason
        Why, in words.
    price
        Limit price.
    stop
        Trigger; of a trailing stop the price that activates it, at once if it is left out.
    time_in_force
        ``GTX`` is post-only, of any type with a price.
    trigger_by
        What the trigger looks at.
    callback_ppm
        Distance of a trailing stop, millionths of the best price.
    reduce_only, close_position
        Whether it may only shrink the account's position; whether it takes what is held once it
        is triggered, at most ``quantity``.
    protect
        Protective stop of the position that it opens: kept at the venue as that of a target is.
    """

    ts: int
    sleeve: str
    instrument: int
    name: str
    side: Side
    quantity: int
    type: OrderType
    reason: str
    price: int | None = None
    stop: int | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    trigger_by: TriggerBy = TriggerBy.LAST
    callback_ppm: int = 0
    reduce_only: bool = False
    close_position: bool = False
    protect: int | None = None

    @property
    def waits(self) -> bool:
        """Whether it waits for a trigger."""
        return self.type in _TRIGGERED or self.type is OrderType.TRAILING_STOP_MARKET


class Amendment(NamedTuple):
    """Another limit price, trigger and whole quantity (filled or not) of a sleeve's own order.

    ``price`` is ``None`` where the order has none, or keeps it; so is ``stop``, the trigger of a
    stop or a take-profit that waits for it. Whether one that waits can be amended is the venue's
    rule.
    """

    ts: int
    sleeve: str
    name: str
    quantity: int
    price: int | None = None
    stop: int | None = None


class Withdrawal(NamedTuple):
    """A sleeve's own order is to be taken back; of one that is done nothing happens."""

    ts: int
    sleeve: str
    name: str
    reason: str


Instruction: TypeAlias = Ticket | Amendment | Withdrawal


class OrderReport(NamedTuple):
    """What is known of a sleeve's own order.

    ``filled`` is unsigned; ``is_changing`` tells that a cancellation or an amendment is on its
    way; ``reason`` is that of a refusal, ours or the venue's, or of an end before all was filled.
    """

    id: int
    status: OrderStatus
    quantity: int
    filled: int
    price: int | None
    is_changing: bool
    reason: str

    @property
    def is_live(self) -> bool:
        """Whether it may still trade."""
        return self.status in (
            OrderStatus.NEW,
            OrderStatus.WORKING,
            OrderStatus.TRIGGERED,
            OrderStatus.PARTIAL,
        )


def check_name(said: Instruction) -> None:
    """Check that a sleeve and its name for an order can be looked up.

    Raises
    ------
    StrategyError
        One is no text.
    """
    values: tuple[object, object] = said.sleeve, said.name
    for what, value in zip(("sleeve", "name"), values, strict=True):
        if not isinstance(value, str):
            kind = type(said).__name__.lower()
            raise StrategyError(f"{kind} of {said.sleeve}: {what}: expected text, was {value!r}")


def check_ticket(ticket: Ticket) -> None:
    """Check that a ticket is an order at all; what the market makes of it is not asked.

    Raises
    ------
    StrategyError
        A value is of the wrong type, missing, beside the point or out of range.
    """
    check_name(ticket)
    why = _of_wrong_type(ticket) or _unsound(ticket)
    if why is not None:
        raise StrategyError(f"sleeve {ticket.sleeve}, ticket {ticket.name!r}: {why}")


def check_amendment(amendment: Amendment, kind: OrderType) -> None:
    """Check that an order of a type can be amended so.

    Raises
    ------
    StrategyError
        A number is beside the point or out of range.
    """
    why = _not_positive("quantity", amendment.quantity)
    for what, value, kinds in (
        ("price", amendment.price, _PRICED),
        ("stop", amendment.stop, _TRIGGERED),
    ):
        if value is not None:
            if kind not in kinds:
                why = why or f"{what}: a {kind} order has none to amend"
            why = why or _not_positive(what, value)
    if why is not None:
        raise StrategyError(f"sleeve {amendment.sleeve}, ticket {amendment.name!r}: {why}")


def _of_wrong_type(ticket: Ticket) -> str | None:
    for what, kind in _ENUMS.items():
        value = getattr(ticket, what)
        if not isinstance(value, kind):
            members = ", ".join(f"{kind.__name__}.{member.name}" for member in kind)
            return f"{what}: expected one of {members}, was {value!r}"
    if type(ticket.instrument) is not int:
        return f"instrument: expected a whole number, was {ticket.instrument!r}"
    for what in ("reduce_only", "close_position"):
        if not isinstance(value := getattr(ticket, what), bool):
            return f"{what}: expected True or False, was {value!r}"
    return None


def _unsound(ticket: Ticket) -> str | None:
    kind, is_trailing = ticket.type, ticket.type is OrderType.TRAILING_STOP_MARKET
    for what, value, is_needed, is_allowed in (
        ("quantity", ticket.quantity, True, True),
        ("price", ticket.price, kind in _PRICED, kind in _PRICED),
        ("stop", ticket.stop, kind in _TRIGGERED, ticket.waits),
        ("protect", ticket.protect, False, True),
    ):
        if value is None:
            if is_needed:
                return f"{what}: a {kind} order needs one"
        elif not is_allowed:
            return f"{what}: a {kind} order has none, was {value!r}"
        elif (why := _not_positive(what, value)) is not None:
            return why
    ppm = ticket.callback_ppm
    if not is_trailing and ppm:
        return f"callback_ppm: a {kind} order has none, was {ppm!r}"
    if is_trailing and not (type(ppm) is int and 0 < ppm < WHOLE_PPM):
        return f"callback_ppm: expected 1 to {WHOLE_PPM - 1} millionths, was {ppm!r}"
    return _at_odds(ticket)


def _at_odds(ticket: Ticket) -> str | None:
    """Return which of a ticket's conditions do not go together."""
    kind, tif = ticket.type, ticket.time_in_force
    if not ticket.waits and ticket.trigger_by is not TriggerBy.LAST:
        return f"trigger_by: a {kind} order has no trigger"
    is_maker = kind is OrderType.POST_ONLY
    if tif is not TimeInForce.GTC and (is_maker or (tif is TimeInForce.GTX and not ticket.price)):
        return f"time_in_force: a {kind} order cannot be {tif}"
    if ticket.close_position and (not ticket.waits or ticket.price is not None):
        return f"close_position: expected a market order with a trigger, was {kind}"
    if ticket.close_position and ticket.reduce_only:
        return "reduce_only: close_position says it already"
    if ticket.protect is not None and (ticket.reduce_only or ticket.close_position):
        return "protect: an order that only reduces opens nothing to protect"
    return None


def _not_positive(what: str, value: object) -> str | None:
    if type(value) is int and value > 0:
        return None
    return f"{what}: expected a whole number above 0, was {value!r}"
