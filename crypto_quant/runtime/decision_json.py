"""A decision as plain values, and as one line of JSON.

A market maker sends several quotes at a wake-up, all alike: their text is made without the
encoder, in a fraction of its time, and is the same (a test compares them).
"""

from __future__ import annotations

import json
from functools import lru_cache

from crypto_quant.core.messages import (
    Alarm,
    Amend,
    Cancel,
    Command,
    Decision,
    Exchange,
    Order,
    Place,
    Refused,
    Target,
    Transfer,
)

_encode = json.JSONEncoder(separators=(",", ":")).encode


@lru_cache(maxsize=256)
def _words(words: str | tuple[str, ...]) -> str:
    """Return reasons and names of checks as JSON: they come again and again."""
    return _encode(words)


def line(decision: Decision) -> str:
    """Return a decision's JSON, without the line's end."""
    if decision.prediction or decision.signals or decision.refused:
        return _encode(as_json(decision))
    targets = ",".join([_target_text(target) for target in decision.targets])
    commands = ",".join([_command_text(command) for command in decision.commands])
    return (
        f'{{"ts":{decision.ts},"wake":"{decision.wake}","prediction":null,"signals":[],'
        f'"targets":[{targets}],"refused":[],"commands":[{commands}]}}'
    )


def _target_text(target: Target) -> str:
    ts, sleeve, instrument, quantity, stop, why, quotes = target
    if quotes is None:
        return _encode(_target(target))
    resting = ",".join([f'["{side}",{px},{size}]' for side, px, size in quotes])
    return (
        f'{{"ts":{ts},"sleeve":{_words(sleeve)},"instrument":{instrument},"quantity":{quantity},'
        f'"stop":{"null" if stop is None else stop},"reason":{_words(why)},"quotes":[{resting}]}}'
    )


def _command_text(command: Command) -> str:
    if isinstance(command, Cancel):
        return f'{{"cancel":{{"order_id":{command.order_id},"reason":{_words(command.reason)}}}}}'
    if isinstance(command, Place):
        order, checks = command.approved
        if order.is_quote and order.stop is None and not order.reduce_only:
            ts, number, instrument, side, size, kind, px, _, _, ((sleeve, part),), why, _ = order
            return (
                f'{{"place":{{"ts":{ts},"id":{number},"instrument":{instrument},"side":"{side}",'
                f'"quantity":{size},"type":"{kind}","price":{px},"stop":null,"reduce_only":false,'
                f'"allocations":[[{sleeve},{part}]],"reason":{_words(why)},"is_quote":true}},'
                f'"checks":{_words(checks)}}}'
            )
    return _encode(_command(command))


def as_json(decision: Decision) -> dict[str, object]:
    """Return a decision as plain values; two equal decisions give equal ones."""
    return {
        "ts": decision.ts,
        "wake": decision.wake.value,
        "prediction": decision.prediction and decision.prediction._asdict(),
        "signals": [s._asdict() for s in decision.signals],
        "targets": [_target(t) for t in decision.targets],
        "refused": [_refused(r) for r in decision.refused],
        "commands": [_command(c) for c in decision.commands],
    }


def _target(target: Target) -> dict[str, object]:
    said = target._asdict()
    if target.quotes is None:
        del said["quotes"]
    return said


def _order(order: Order) -> dict[str, object]:
    said = order._asdict()
    if not order.is_quote:
        del said["is_quote"]
    return said


def _refused(refused: Refused) -> dict[str, object]:
    wish = refused.order
    named = {"order": wish.id} if isinstance(wish, Order) else {"cross": wish._asdict()}
    return {**named, "reason": refused.reason}


def _command(command: Command) -> dict[str, object]:
    match command:
        case Place(approved):
            return {"place": _order(approved.order), "checks": approved.checks}
        case Amend(approved):
            return {"amend": _order(approved.order), "checks": approved.checks}
        case Cancel():
            return {"cancel": command._asdict()}
        case Exchange(approved):
            return {"cross": approved.cross._asdict(), "checks": approved.checks}
        case Alarm():
            return {"alarm": command._asdict()}
        case Transfer():
            return {"transfer": {**command._asdict(), "amount": str(command.amount)}}
