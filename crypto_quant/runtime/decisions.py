"""The decision log: audit trail and replay oracle in one file of lines."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from crypto_quant.core.files import whole
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


class DecisionSink(Protocol):
    """Takes decisions before their commands leave."""

    def append(self, decision: Decision) -> None:
        """Take a decision."""
        ...


class NoLog:
    """For runs whose decisions nobody will ask for: variants, research."""

    def append(self, decision: Decision) -> None:
        """Keep nothing."""


class DecisionLog:
    """Writes a line of JSON for each decision that made more than a prediction.

    Recorded runs can be run again, so nothing is made durable line by line: a run that does not
    end well leaves no log.

    Parameters
    ----------
    path
        The file; it appears, or replaces the one there, when the run has ended well.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        part = self._stack.enter_context(whole(self._path))
        self._file = self._stack.enter_context(part.open("w", encoding="utf-8"))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def append(self, decision: Decision) -> None:
        """Write a decision if it wanted or refused anything."""
        if not (decision.targets or decision.commands or decision.refused):
            return
        self._file.write(json.dumps(as_json(decision), separators=(",", ":")) + "\n")


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
