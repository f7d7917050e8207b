"""A decision as one line of JSON."""

from __future__ import annotations

from typing import Final

import orjson
from orjson import Fragment

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

NONE: Final[tuple[()]] = ()


def as_line(decision: Decision) -> bytes:
    """Return a decision as one line of JSON, its end included; two equal ones give equal lines.

    NaN is null. Commands keep their order. Cancels of one reason, and quotes of one sleeve,
    instrument and reason, are listed together where they follow one another:
    ``[id, side, price, quantity]``.
    """
    ts, wake, prediction, signals, targets, refused, commands = decision
    said = {
        "ts": ts,
        "wake": wake,
        "prediction": prediction and prediction._asdict(),
        "signals": [s._asdict() for s in signals] if signals else NONE,
        "targets": [_target(t) for t in targets] if targets else NONE,
        "refused": [_refused(r) for r in refused] if refused else NONE,
        "commands": Fragment(_native.command_text(commands, _command, orjson.dumps)),
    }
    return orjson.dumps(said, default=tuple, option=orjson.OPT_APPEND_NEWLINE)


def _dumps(said: object) -> bytes:
    return orjson.dumps(said, default=tuple)


def _target(target: Target) -> dict[str, object]:
    ts, sleeve, instrument, quantity, stop, reason, quotes = target
    said = {
        "ts": ts,
        "sleeve": sleeve,
        "instrument": instrument,
        "quantity": quantity,
        "stop": stop,
        "reason": reason,
    }
    if quotes is not None:
        said["quotes"] = Fragment(_native.quote_text(quotes))
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


def _command(command: Command) -> bytes:
    return _dumps(_plain(command))


def _plain(command: Command) -> dict[str, object]:
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
