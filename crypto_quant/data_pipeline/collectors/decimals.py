"""Decimals of files as grid integers, after a look at their magnitude."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from crypto_quant.core.errors import DataError
from crypto_quant.data_pipeline.storage import grid

_LIMIT: Final = 2**63
_LONG: Final = r"[eE]|[0-9]{19}"
"""Text without an exponent or 19 digits in a row is below the limit."""


def to_grid(values: pa.Array, least: int, what: str) -> tuple[pa.Array, int]:
    """Turn decimals into integers on the coarsest sufficient grid, as ``grid.to_grid`` does.

    Numbers that no grid holds are refused first: far beyond 64 bits, scaling text to a
    fixed number of digits wraps around to 0.

    Parameters
    ----------
    values : pa.Array
        float64/float32, integer, decimal or string, shape (n,).
    least : int
        Decimals the grid has at least.
    what : str
        Where the values come from, for the error.

    Returns
    -------
    tuple
        int64 array of shape (n,) and the grid's decimals.

    Raises
    ------
    DataError
        A value does not fit 64 bits, or the grid cannot hold it for another reason.
    """
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    row = _too_large(values)
    if row is not None:
        raise DataError(f"{what}: row {row}: {_short(values[row])} does not fit 64 bits")
    return grid.to_grid(values, least, what)


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
