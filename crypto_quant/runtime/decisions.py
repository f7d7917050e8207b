"""The decision log: audit trail and replay oracle in one file of lines."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Final, Protocol, Self

from crypto_quant.core.files import whole
from crypto_quant.core.messages import Decision
from crypto_quant.runtime.decision_json import as_line

BUFFER: Final = 1 << 20
"""Bytes of the log that wait to be written: a recorded run can be run again."""


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
        self._file = self._stack.enter_context(part.open("wb", buffering=BUFFER))
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
        self._file.write(as_line(decision))
