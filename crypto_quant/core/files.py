"""Files that appear whole or not at all, and folders that one process writes at a time."""

from __future__ import annotations

import fcntl
import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from crypto_quant.core.errors import DataError

UNFINISHED: Final = ".part"
"""Ends the name of a file that is not whole yet; a process that is killed leaves it behind."""


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Give a name to write to; it becomes ``path`` when the block ends well, else it goes.

    The name is this call's own: two processes that write the same file do not meet, and the
    last one's is there whole.
    """
    part = _own(path)
    try:
        yield part
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _own(path: Path) -> Path:
    """Make an empty file beside ``path`` that nobody else has."""
    for n in itertools.count():
        part = path.with_name(f".{path.name}.{os.getpid()}-{n}{UNFINISHED}")
        try:
            os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        except FileExistsError:
            continue
        return part
    raise AssertionError("unreachable")


def claim(folder: Path) -> int:
    """Take a folder for writing; a handle, or -1 if another process has it.

    The lock is on the folder itself and ends with the handle, or the process.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Its owner before may have removed the folder after it was opened here.
        if os.path.samestat(os.fstat(handle), folder.stat()):
            return handle
    except BlockingIOError:
        pass
    except OSError:
        os.close(handle)
        raise
    os.close(handle)
    return -1


@contextmanager
def owned(folder: Path, taken: str) -> Iterator[None]:
    """Make a folder and hold it: one process writes there at a time.

    Raises
    ------
    DataError
        Another process is writing there, which ``taken`` says in words, or it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = claim(folder)
    except OSError as err:
        raise DataError(f"{folder}: cannot be written ({err.strerror or err})") from err
    if handle < 0:
        raise DataError(f"{folder}: {taken}; wait until it ends")
    try:
        yield
    finally:
        os.close(handle)
