"""Ctrl-C, held back where it would break what cannot be broken off."""

from __future__ import annotations

import atexit
import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def held() -> Iterator[None]:
    """Hold Ctrl-C back until the end of the block, where it is raised.

    An import of a C extension that is interrupted may swallow the interrupt or fail with
    another error; a process that is being started would print a traceback of its own. What
    is held back is held in this thread, and in the threads and processes that it starts.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def ignored_at_exit() -> None:
    """Let Ctrl-C do nothing once the process ends: its work is done and was reported.

    The interpreter takes its handlers away while it ends; a late Ctrl-C would kill the
    process, and a command that has done what it said would seem to have failed.
    """
    atexit.register(signal.signal, signal.SIGINT, signal.SIG_IGN)


def leave_to_parent() -> None:
    """Initialise a worker process: Ctrl-C ends it without a word, its parent says the line."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
