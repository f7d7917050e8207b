"""Native columns as Arrow columns: integers and decimals without a detour over floats."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from crypto_quant.core.errors import InvariantError

MONEY_SCALE = 18
Ints = NDArray[np.int64]


def money(table: Mapping[str, object], name: str) -> pa.Array:
    """Return a money column of the native line: ``decimal128(38, 18)``."""
    raw = table[name]
    if not isinstance(raw, bytes):
        raise InvariantError(f"{name} is no money column")
    return pa.Array.from_buffers(
        pa.decimal128(38, MONEY_SCALE), len(raw) // 16, [None, pa.py_buffer(raw)]
    )


def whole(table: Mapping[str, object], name: str) -> Ints:
    """Return an integer column of the native line."""
    values = table[name]
    if not isinstance(values, np.ndarray):
        raise InvariantError(f"{name} is no integer column")
    return values.astype(np.int64, copy=False)


def texts(table: Mapping[str, object], name: str) -> list[str]:
    """Return a text column of the native line."""
    values = table[name]
    if not isinstance(values, list):
        raise InvariantError(f"{name} is no text column")
    return values


def decimals(values: Ints, scale: int, valid: NDArray[np.bool_] | None = None) -> pa.Array:
    """Return grid integers as ``decimal128(38, scale)``; null where not ``valid``."""
    wide = np.empty((len(values), 2), dtype=np.int64)
    wide[:, 0] = values
    wide[:, 1] = values >> 63
    array = pa.Array.from_buffers(
        pa.decimal128(38, scale), len(values), [None, pa.py_buffer(wide.tobytes())]
    )
    if valid is None:
        return array
    return pa.compute.if_else(pa.array(valid), array, pa.scalar(None, array.type))


def product(left: Ints, right: Ints) -> Ints:
    """Return the exact product of integers.

    Raises
    ------
    InvariantError
        It does not fit 64 bits.
    """
    out = left * right
    rough = left.astype(np.float64) * right.astype(np.float64)
    if np.abs(rough).max(initial=0.0) > 9.0e18:
        raise InvariantError("a notional is too large for the grid")
    return out
