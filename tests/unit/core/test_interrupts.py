"""Ctrl-C that is held back is raised once it may be."""

from __future__ import annotations

import subprocess
import sys

import pytest

SCRIPT = """
import os, signal, sys
from crypto_quant.core.interrupts import held, terminate_as_interrupt

terminate_as_interrupt()
sent = signal.Signals[sys.argv[1]]
try:
    with held(), held():
        os.kill(os.getpid(), sent)
        print("the block went on to its end")
    print("and what follows it too")
except KeyboardInterrupt:
    print("interrupted")
blocked = signal.pthread_sigmask(signal.SIG_BLOCK, ())
print("still held" if sent in blocked else "free again")
"""


@pytest.mark.parametrize("sent", ["SIGINT", "SIGTERM"])
def test_an_interrupt_inside_the_block_is_raised_at_its_end(sent: str) -> None:
    # A process of its own: the mask is a thread's, and a test runner has several.
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", SCRIPT, sent], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.splitlines() == ["the block went on to its end", "interrupted", "free again"]
