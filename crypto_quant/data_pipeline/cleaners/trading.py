"""How a market trades in some rows, against what is usual around them."""

from __future__ import annotations

from typing import Final

import numpy as np

from crypto_quant.data_pipeline.cleaners.rows import Bools, Floats, Ints, Rows

_AROUND: Final = 24
_FEW: Final = 0.2
"""A bar with less than this share of the usual volume is cut, if its range is small as well."""
_SMALL: Final = 0.5


def turnover(rows: Rows) -> Floats | None:
    """Return traded volume, of the base or else of the quote; ``None`` where neither is known."""
    names = [name for name in ("volume", "quote_volume") if rows.has(name)]
    return rows.floats(names[0]) if names else None


def range_against_usual(rows: Rows, at: Ints) -> Floats:
    """Return the logarithm of high over low of some bars against those around, shape (m,)."""
    if not at.size:
        return np.empty(0)
    first = max(0, int(at.min()) - _AROUND)
    part = slice(first, int(at.max()) + _AROUND + 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        ranges = np.log(rows.floats("high")[part] / rows.floats("low")[part])
    return against_usual(ranges, at - first)


def against_usual(values: Floats, at: Ints, around: int = _AROUND) -> Floats:
    """Return values at some rows as shares of the median of those around each.

    Parameters
    ----------
    values : Floats
        One value a row, shape (n,).
    at : Ints
        The rows asked about, shape (m,).
    around : int
        How many rows to look at on each side.

    Returns
    -------
    Floats
        Shape (m,); infinite where the usual value is zero, not a number where unknown.
    """
    beside = at[:, None] + np.r_[-around:0, 1 : around + 1]
    inside = (beside >= 0) & (beside < values.size)
    near = np.where(inside, values[np.clip(beside, 0, values.size - 1)], np.nan)
    usual = np.full(at.size, np.nan)
    some = np.isfinite(near).any(axis=1)
    usual[some] = np.nanmedian(near[some], axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(values[at] / usual, dtype=np.float64)


def hardly_traded(rows: Rows, at: Ints) -> Bools:
    """Return which of some bars have no trade, or so few that price hardly moved either.

    A volume in a wrong unit leaves the range as it was; a market that paused does not.
    """
    volume = turnover(rows)
    if volume is None:
        return np.zeros(at.size, dtype=bool)
    few = against_usual(volume, at) < _FEW
    small = range_against_usual(rows, at) < _SMALL
    return np.asarray((volume[at] == 0) | (few & small), dtype=bool)
