"""What ``cq`` says when the fault is its own: one line; the rest is in a file."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import version

from crypto_quant.core.errors import InvariantError


@contextmanager
def in_one_line() -> Iterator[None]:
    """Say an error that nothing foresaw in one line and exit 1; raise it under ``CQ_DEBUG``."""
    try:
        yield
    except Exception as err:
        if os.environ.get("CQ_DEBUG"):
            raise
        path = _kept(err)
        report = f"please report it with {path}" if path else "CQ_DEBUG=1 shows where"
        sys.stderr.write(f"cq: {_what(err)}; a fault of cq itself, {report}\n")
        sys.exit(1)


def _what(err: Exception) -> str:
    words = " ".join(str(err).split())
    if isinstance(err, InvariantError):
        return words
    return f"{type(err).__name__}: {words}" if words else type(err).__name__


def _kept(err: Exception) -> str | None:
    """Write everything about an error into a file; ``None`` where there is no place for it."""
    system = f"Python {platform.python_version()}, {platform.platform()}"
    head = f"cq {' '.join(sys.argv[1:])}\ncrypto-quant {version('crypto-quant')}, {system}\n\n"
    text = head + "".join(traceback.format_exception(err))
    with suppress(OSError):
        handle, path = tempfile.mkstemp(prefix="cq-fault-", suffix=".txt")
        with os.fdopen(handle, "w") as file:
            file.write(text)
        return path
    return None
