"""Ctrl-C and SIGTERM, held back where they would break what cannot be broken off."""

from __future__ import annotations

import atexit
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_SENT: Final = frozenset({signal.SIGINT, signal.SIGTERM})


@contextmanager
def held() -> Iterator[None]:
    """Hold Ctrl-C and SIGTERM back until the end of the block, where they are raised.

    An import of a C extension that is interrupted may swallow the interrupt or fail with
    another error; a process that is being started would print a traceback of its own. What
    is held back is held in this thread, and in the threads and processes that it starts.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SENT)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def terminate_as_interrupt() -> None:
    """Let SIGTERM end the process as Ctrl-C does: what it has begun is tidied up and said.

    Its default is to end it where it stands, which leaves half-written files behind.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def ignored_at_exit() -> None:
    """Let Ctrl-C do nothing once the process ends: its work is done and was reported.

    The interpreter takes its handlers away while it ends; a late Ctrl-C would kill the
    process, and a command that has done what it said would seem to have failed.
    """
    atexit.register(signal.signal, signal.SIGINT, signal.SIG_IGN)


def leave_to_parent() -> None:
    """Initialise a worker process: what ends it does so without a word, its parent says it."""
    for sent in _SENT:
        signal.signal(sent, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SENT)
