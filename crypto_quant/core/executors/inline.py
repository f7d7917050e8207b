"""Runs in this process, one after another: for a debugger, and to compare others with."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from types import TracebackType
from typing import Self, TypeVar

R = TypeVar("R")


class Inline:
    """Calls at once what is submitted; ``workers`` is there for the others' sake."""

    def __init__(self, workers: int = 1) -> None:
        del workers

    @property
    def at_once(self) -> int:
        """None: a call has ended when ``submit`` returns."""
        return 0

    def submit(self, work: Callable[..., R], /, *arguments: object) -> Future[R]:
        """Call a function; Ctrl-C goes through."""
        done: Future[R] = Future()
        try:
            done.set_result(work(*arguments))
        except Exception as err:  # whoever asks for the result is told
            done.set_exception(err)
        return done

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Nothing runs any more."""
