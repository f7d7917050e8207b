"""A decision as plain values, and as one line of JSON."""

from __future__ import annotations

import orjson

from crypto_quant import _native
from crypto_quant.core.messages import (
    Alarm,
    Amend,
    Cancel,
    Command,
    Conditions,
    Decision,
    Exchange,
    Order,
    Place,
    Refused,
    Target,
    Transfer,
)


def line(said: object) -> bytes:
    """Return plain values as one line of JSON, its end included; NaN is null."""
    return orjson.dumps(said, default=tuple, option=orjson.OPT_APPEND_NEWLINE)


def as_json(decision: Decision) -> dict[str, object]:
    """Return a decision as plain values; two equal decisions give equal ones.

    Commands keep their order. Cancels of one reason, and quotes of one sleeve, instrument and
    reason, are listed together where they follow one another: ``[id, side, price, quantity]``.
    """
    return {
        "ts": decision.ts,
        "wake": decision.wake.value,
        "prediction": decision.prediction and decision.prediction._asdict(),
        "signals": [s._asdict() for s in decision.signals],
        "targets": [_target(t) for t in decision.targets],
        "refused": [_refused(r) for r in decision.refused],
        "commands": _native.command_rows(decision.commands, _command),
    }


def _target(target: Target) -> dict[str, object]:
    said = target._asdict()
    if target.quotes is None:
        del said["quotes"]
    else:
        said["quotes"] = _native.quote_rows(target.quotes)
    return said


def _order(order: Order) -> dict[str, object]:
    said = order._asdict()
    if not order.is_quote:
        del said["is_quote"]
    del said["conditions"]
    if order.conditions is not None:
        said["conditions"] = _said(order.conditions)
    return said


def _said(conditions: Conditions) -> dict[str, object]:
    """Return the name, and what differs from a plain order."""
    default = Conditions(conditions.ticket)._asdict()
    said = conditions._asdict()
    return {key: said[key] for key in said if key == "ticket" or said[key] != default[key]}


def _refused(refused: Refused) -> dict[str, object]:
    wish = refused.order
    named = {"order": wish.id} if isinstance(wish, Order) else {"cross": wish._asdict()}
    return {**named, "reason": refused.reason}


def _transfer(transfer: Transfer) -> dict[str, object]:
    said = {**transfer._asdict(), "amount": str(transfer.amount), "fee": str(transfer.fee)}
    between = ("venue", "to", "fee", "asset")  # a plain transfer at the only venue has none
    default = Transfer._field_defaults
    unsaid = {name for name in between if getattr(transfer, name) == default[name]}
    return {name: value for name, value in said.items() if name not in unsaid}


def _command(command: Command) -> dict[str, object]:
    match command:
        case Cancel(number, reason):
            return {"cancel": [number], "reason": reason}
        case Place(approved):
            return {"place": _order(approved.order), "checks": approved.checks}
        case Amend(approved):
            return {"amend": _order(approved.order), "checks": approved.checks}
        case Exchange(approved):
            return {"cross": approved.cross._asdict(), "checks": approved.checks}
        case Alarm():
            return {"alarm": command._asdict()}
        case Transfer():
            return {"transfer": _transfer(command)}
