"""Many calls of one function over an executor, given back as they end or in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Generic, NamedTuple, TypeVar

from crypto_quant.core.errors import WorkerDiedError
from crypto_quant.core.ports import Executor

T = TypeVar("T")
R = TypeVar("R")


class Ended(NamedTuple, Generic[R]):
    """A call that has ended: its position, and its future."""

    position: int
    future: Future[R]


def ended(
    executor: Executor, work: Callable[..., R], shared: object, jobs: Sequence[T]
) -> Iterator[Ended[R]]:
    """Call ``work(shared, job)`` for each job, and yield the calls in the order they end.

    No more calls are queued than are needed to keep the executor busy, so leaving early
    leaves little behind. Of the calls that were under way when a process died nobody knows
    which one killed it: each is made once more, alone, and only the one that does it again
    fails with ``WorkerDiedError``.
    """
    waiting, running = deque(range(len(jobs))), dict[Future[R], int]()
    again: list[int] = []
    while waiting or running:
        while waiting and not again and len(running) <= executor.at_once:
            position = waiting.popleft()
            running[executor.submit(work, shared, jobs[position])] = position
        done, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in sorted(done, key=running.__getitem__):
            position = running.pop(future)
            if isinstance(future.exception(), WorkerDiedError):
                again.append(position)
            else:
                yield Ended(position, future)
        if not running:
            for position in sorted(again):
                future = executor.submit(work, shared, jobs[position])
                wait([future])
                yield Ended(position, future)
            again.clear()


def in_order(
    executor: Executor, work: Callable[..., R], jobs: Sequence[T], *shared: object
) -> Iterator[R]:
    """Call ``work(*shared, job)`` for each job, and yield the results in the order of ``jobs``.

    All are queued at once, but for an executor that makes a call when it is submitted: there
    each result is read before the next call begins.
    """
    calls = (executor.submit(work, *shared, job) for job in jobs)
    for call in list(calls) if executor.at_once else calls:
        yield call.result()
