"""Runs in processes of this machine."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from types import TracebackType
from typing import Self, TypeVar

from crypto_quant.core.errors import WorkerDiedError
from crypto_quant.core.interrupts import held, leave_to_parent

R = TypeVar("R")


class Pool:
    """Processes that are started when the first call is queued.

    A process that ends abruptly takes the others' calls with it: all of them fail with
    ``WorkerDiedError``, and the next call starts new processes.

    Parameters
    ----------
    workers
        How many.
    """

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._pool: ProcessPoolExecutor | None = None

    @property
    def at_once(self) -> int:
        """One call a process."""
        return self._workers

    def submit(self, work: Callable[..., R], /, *arguments: object) -> Future[R]:
        """Queue a call of a module's function."""
        told: Future[R] = Future()
        with held():  # the first one starts the processes
            try:
                ran = self._running().submit(work, *arguments)
            except BrokenProcessPool:
                self._end()
                ran = self._running().submit(work, *arguments)
        ran.add_done_callback(lambda ended: _tell(ended, told))
        return told

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End what is queued; after an error, what runs as well."""
        if error is not None and self._pool is not None:
            # A public call for this comes with Python 3.14 (terminate_workers).
            for process in list((self._pool._processes or {}).values()):
                process.terminate()
        self._end()

    def _running(self) -> ProcessPoolExecutor:
        if self._pool is None:
            # Spawned, not forked: a fork would copy the state of threads that are not.
            self._pool = ProcessPoolExecutor(
                self._workers, mp_context=get_context("spawn"), initializer=leave_to_parent
            )
        return self._pool

    def _end(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None


def _tell(ended: Future[R], told: Future[R]) -> None:
    """Pass on how a call ended."""
    if ended.cancelled():
        told.cancel()
        return
    error = ended.exception()
    if error is None:
        told.set_result(ended.result())
    elif isinstance(error, BrokenProcessPool):
        told.set_exception(WorkerDiedError())
    else:
        told.set_exception(error)
