"""Rows on another scale than those around them: whole stretches, and single rows."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from crypto_quant.data_pipeline.cleaners.levels import WINDOW, levels, local
from crypto_quant.data_pipeline.cleaners.rows import Bools, Floats, Ints

_BLOCK: Final = 32


class Marks(NamedTuple):
    """How rows stand out, shape (n,) each.

    ``offset`` and ``doubt`` are as in ``Levels``, 0 where there is nothing to measure;
    ``single`` is +1 for single rows above the rest of their stretch, -1 below.
    ``limit`` is how far a stretch may be off.
    """

    offset: Floats
    doubt: Floats
    single: Ints
    limit: float

    def stretches(self, usual: float = 0.0) -> Ints:
        """Return +1 for rows of stretches that are too high, -1 too low, else 0.

        ``usual`` is how far most rows are off themselves; then, rows that are nearer to being
        right than to them are right.
        """
        if usual == 0 and not self.offset.any() and not self.doubt.any():
            return np.zeros(self.offset.size, dtype=np.int64)
        offset = np.where(self.doubt != 0, self.doubt if usual == 0 else 0.0, self.offset)
        is_off = np.abs(offset + usual) > (abs(usual) / 2 if usual else self.limit)
        return np.where(is_off, np.sign(offset + usual), 0.0).astype(np.int64)


def log(values: Floats) -> Floats:
    """Return decimal logarithms; NaN where there is nothing to measure."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(values > 0, np.log10(values), np.nan)


def marks(scale: Floats, limit: float, there: Bools) -> Marks:
    """Find stretches and, these put right, single rows on another scale.

    Parameters
    ----------
    scale : Floats
        Decimal logarithms, shape (n,); NaN where unknown.
    limit : float
        Least size of what is found.
    there : Bools
        Rows that are as the stretch around them though their own scale is unknown, shape (n,).
    """
    found = none(scale.size, limit)
    known = np.flatnonzero(np.isfinite(scale))
    values = scale[known]
    if values.size < 2 * WINDOW:
        return found
    rough = values - levels(values, limit).offset
    apart = rough - _block_medians(rough)
    above, below = _tail(apart, limit), _tail(-apart, limit)
    level = levels(values, max(above, below))
    found.offset[known], found.doubt[known] = level
    found.single[known] = _single(values - level.offset, above, below)
    found.single[known[level.doubt != 0]] = 0
    between = np.flatnonzero(there & ~np.isfinite(scale))
    right = np.searchsorted(known, between)
    is_inside = (right > 0) & (right < known.size)
    between, left, right = between[is_inside], right[is_inside] - 1, right[is_inside]
    alike = level.offset[left] == level.offset[right]
    found.offset[between] = np.where(alike, level.offset[right], 0.0)
    found.doubt[between] = np.where(level.doubt[left] != 0, level.doubt[left], level.doubt[right])
    return found


def none(size: int, limit: float) -> Marks:
    """Return marks of rows of which none stands out."""
    return Marks(np.zeros(size), np.zeros(size), np.zeros(size, dtype=np.int64), limit)


def _single(values: Floats, above: float, below: float) -> Ints:
    """Return what single values are: cheaply against medians of blocks, where odd exactly."""
    apart = values - _block_medians(values)
    odd = np.flatnonzero((apart > 0.7 * above) | (apart < -0.7 * below))
    near = values[odd] - local(values, odd)
    single = np.zeros(values.size, dtype=np.int64)
    single[odd[near > above]] = 1
    single[odd[near < -below]] = -1
    return single


def _tail(apart: Floats, limit: float) -> float:
    """Return how far values may stand out: thin markets have wild volumes of their own.

    Thrice what one in twenty of the values above the usual exceed is five deviations of a
    normal distribution, and is not moved by a few wrong rows.
    """
    own = apart[apart > 0]
    return max(limit, 3.0 * float(np.quantile(own, 0.95))) if own.size else limit


def _block_medians(values: Floats) -> Floats:
    blocks = -(-values.size // _BLOCK)
    padded = np.pad(values, (0, blocks * _BLOCK - values.size), mode="edge")
    each = np.median(padded.reshape(blocks, _BLOCK), axis=1)
    smooth = np.pad(each, 1, mode="edge")
    three = np.median(np.stack([smooth[:-2], smooth[1:-1], smooth[2:]]), axis=0)
    return np.repeat(three, _BLOCK)[: values.size]
