"""Decimals of files as integers on a grid, exactly; and from one grid to a finer one."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from crypto_quant.core.errors import DataError
from crypto_quant.data_pipeline.storage.kinds import KINDS, Exps
from crypto_quant.data_pipeline.storage.magnitude import refuse_too_large

MAX_EXP = 12
"""Most decimals kept; beyond them a value is float noise and the file is refused."""

_SAFE = 1e15
"""Decimals of up to 15 digits survive float64 and back; longer ones take the exact path."""


def to_grid(values: pa.Array, least: int, what: str) -> tuple[pa.Array, int]:
    """Turn decimals into integers on the coarsest sufficient grid.

    Floats stand for their shortest decimal text (``repr``), text and decimals for
    themselves; NaN and empty text are null.

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
        A value is no number, infinite, needs more than 12 decimals or overflows int64.
    """
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    refuse_too_large(values, what)
    kind = values.type
    if pa.types.is_null(kind):
        return pa.nulls(len(values), pa.int64()), least
    if pa.types.is_floating(kind):
        return _from_floats(values.cast(pa.float64()), least, what)
    if pa.types.is_integer(kind):
        return _shift(values.cast(pa.int64()), least, what), least
    if pa.types.is_decimal(kind):
        values = values.cast(pa.string())
    if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
        return _from_text(values.cast(pa.string()), least, what)
    raise DataError(f"{what}: expected numbers, found {kind}")


def settle(values: pa.Array) -> tuple[pa.Array, int]:
    """Take float sums of volume back to 15 significant digits and count the rows changed.

    Adding float64 turnover leaves noise past the 15th digit (33512.719300000004). Only for
    volumes: a price is never touched.
    """
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if not pa.types.is_floating(values.type):
        return values, 0
    floats = values.cast(pa.float64()).to_numpy(zero_copy_only=False)
    known = np.isfinite(floats) & (floats != 0)
    size = np.where(known, np.abs(floats), 1.0)
    power = 10.0 ** np.clip(14 - np.floor(np.log10(size)), 0, MAX_EXP)
    clean = np.where(known, np.rint(floats * power) / power, floats)
    noisy = known & (clean != floats)
    return pa.array(clean, mask=np.isnan(floats)), int(noisy.sum())


def rescale(data: pa.Table, kind: str, have: Exps, want: Exps) -> pa.Table:
    """Multiply grid columns up to ``want``; exact, or ``DataError`` on overflow."""
    if have == want:
        return data
    for name, grid in KINDS[kind].grids().items():
        by = want.of(grid) - have.of(grid)
        at = data.schema.get_field_index(name)
        if by > 0 and at >= 0:
            column = _shift(data.column(at), by, name)
            data = data.set_column(at, data.schema.field(at), column)
    return data


def _shift(values: pa.Array, by: int, what: str) -> pa.Array:
    if by == 0:
        return values
    try:
        return pc.multiply_checked(values, pa.scalar(10**by, pa.int64()))
    except pa.ArrowInvalid as err:
        raise DataError(f"{what}: a value with {by} more decimals does not fit 64 bits") from err


def _from_floats(values: pa.Array, least: int, what: str) -> tuple[pa.Array, int]:
    floats = values.to_numpy(zero_copy_only=False)
    null = np.isnan(floats)
    if null.any():
        floats = np.where(null, 0.0, floats)
    if np.isinf(floats).any():
        raise DataError(f"{what}: row {int(np.isinf(floats).argmax())} is infinite")
    exp = _decimals(floats, least, what)
    scaled = np.rint(floats * 10.0**exp)
    long = np.abs(scaled) >= _SAFE
    ints = np.where(long, 0.0, scaled).astype(np.int64)
    for row in np.flatnonzero(long):
        ints[row] = _fit(int(Decimal(repr(float(floats[row]))).scaleb(exp)), what)
    return pa.array(ints, mask=null if null.any() else None), exp


def _decimals(floats: NDArray[np.float64], least: int, what: str) -> int:
    """Return the fewest decimals, at least ``least``, on which all floats are exact."""
    rest, exp = floats, least
    while True:
        power = 10.0**exp
        scaled = np.rint(rest * power)
        long = np.abs(scaled) >= _SAFE
        slow = rest[long]
        if slow.size:
            need = max(_text_decimals(float(value)) for value in slow)
            exp_slow = max(exp, need)
        else:
            exp_slow = exp
        rest = rest[~long & (scaled / power != rest)]
        if exp_slow > MAX_EXP or (rest.size and exp >= MAX_EXP):
            worst = rest[0] if rest.size else slow[0]
            raise DataError(
                f"{what}: {float(worst)!r} has more than {MAX_EXP} decimals and cannot be kept "
                "exactly; round it in the source"
            )
        if exp_slow > exp:
            exp = exp_slow
        elif not rest.size:
            return exp
        else:
            exp += 1


def _text_decimals(value: float) -> int:
    exponent = Decimal(repr(value)).normalize().as_tuple().exponent
    return max(0, -int(exponent))


def _fit(value: int, what: str) -> int:
    if not -(2**63) <= value < 2**63:
        raise DataError(f"{what}: {value} does not fit 64 bits on this grid")
    return value


def _from_text(values: pa.Array, least: int, what: str) -> tuple[pa.Array, int]:
    values = pc.utf8_trim_whitespace(values)
    values = pc.if_else(pc.equal(values, ""), pa.scalar(None, pa.string()), values)
    plain = pc.match_substring_regex(values, r"^[+-]?[0-9]+(\.[0-9]*)?$")
    if not pc.all(plain, min_count=0).as_py():
        values = _plain_text(values, what)
    dotted = pc.find_substring(values, ".")
    trimmed = pc.if_else(pc.greater_equal(dotted, 0), pc.utf8_rtrim(values, "0"), values)
    length = pc.subtract(pc.utf8_length(trimmed), 1)
    decimals = pc.if_else(pc.greater_equal(dotted, 0), pc.subtract(length, dotted), 0)
    exp = max(least, int(pc.max(decimals).as_py() or 0))
    if exp > MAX_EXP:
        raise DataError(f"{what}: a value has {exp} decimals, at most {MAX_EXP} are kept exactly")
    # A full stop without digits after it is valid in files and not for the cast.
    wide = pc.cast(pc.utf8_rtrim(trimmed, "."), pa.decimal128(38, exp))
    return _unscaled(wide, what), exp


def _plain_text(values: pa.Array, what: str) -> pa.Array:
    """Rewrite exponents (``5e-05``) as plain decimals; anything else is no number."""
    out: list[str | None] = []
    for row, text in enumerate(values.to_pylist()):
        if text is None:
            out.append(None)
            continue
        try:
            number = Decimal(text)
        except ArithmeticError:
            raise DataError(f"{what}: row {row}: {text!r} is not a number") from None
        if number.is_nan():
            out.append(None)
        elif number.is_infinite():
            raise DataError(f"{what}: row {row} is infinite")
        else:
            out.append(f"{number:f}")
    return pa.array(out, pa.string())


def _unscaled(values: pa.Array, what: str) -> pa.Array:
    """Return the integers inside a decimal128 array, which must fit 64 bits."""
    halves = np.frombuffer(values.buffers()[1], dtype=np.int64).reshape(-1, 2)
    halves = halves[values.offset : values.offset + len(values)]
    null = values.is_null().to_numpy(zero_copy_only=False)
    low, high = halves[:, 0], halves[:, 1]
    if ((high != low >> 63) & ~null).any():
        raise DataError(f"{what}: a value does not fit 64 bits on this grid")
    ints = np.where(null, 0, low)
    return pa.array(ints, mask=null if null.any() else None)
