"""Panics of the native core, as errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from crypto_quant import _native
from crypto_quant.core.errors import InvariantError


@contextmanager
def as_errors() -> Iterator[None]:
    """Turn a panic of the native core into an error that notes where it was.

    A panic is no ``Exception`` and cannot be pickled: what a worker sends of it says
    nothing of it. From the first block on Rust no longer prints panics itself.

    Raises
    ------
    InvariantError
        The core panicked.
    """
    _native.keep_panics()
    try:
        yield
    except _native.PanicException as err:
        error = InvariantError(str(err))
        error.add_note(_native.last_panic() or "")
        raise error from err
