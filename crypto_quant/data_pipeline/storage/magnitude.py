"""Magnitude of numbers, looked at before they are put on a grid."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from crypto_quant.core.errors import DataError

_LIMIT: Final = 2**63
_LONG: Final = r"[eE]|[0-9]{19}"
"""Text without an exponent or 19 digits in a row is below the limit."""


def refuse_too_large(values: pa.Array, what: str) -> None:
    """Refuse numbers that no grid holds: scaling such text wraps around to 0.

    Parameters
    ----------
    values : pa.Array
        float64/float32, integer, decimal or string, shape (n,).
    what : str
        Where the values come from, for the error.

    Raises
    ------
    DataError
        A value does not fit 64 bits.
    """
    row = _too_large(values)
    if row is not None:
        raise DataError(f"{what}: row {row}: {_short(values[row])} does not fit 64 bits")


def _too_large(values: pa.Array) -> int | None:
    """Return the first row whose value is finite and beyond int64 without any decimals."""
    kind = values.type
    if pa.types.is_floating(kind):
        floats = values.cast(pa.float64()).to_numpy(zero_copy_only=False)
        rows = np.flatnonzero(np.isfinite(floats) & (np.abs(floats) >= _LIMIT))
    elif pa.types.is_decimal(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind):
        texts = values.cast(pa.string())
        long = pc.match_substring_regex(texts, _LONG).fill_null(False)
        rows = np.flatnonzero(long.to_numpy(zero_copy_only=False))
        rows = rows[[_is_large(texts[int(row)].as_py()) for row in rows]] if rows.size else rows
    else:
        return None
    return int(rows[0]) if rows.size else None


def _is_large(text: str) -> bool:
    try:
        number = Decimal(text)
    except ArithmeticError:
        return False  # no number at all, which the grid says
    return number.is_finite() and not -_LIMIT <= number < _LIMIT


def _short(value: pa.Scalar) -> str:
    text = str(value.as_py())
    return text if len(text) <= 24 else f"{text[:24]}…"
