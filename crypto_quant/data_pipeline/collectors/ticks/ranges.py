"""What columns of other systems may hold; anything else is refused with its row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from crypto_quant.core.errors import DataError

_FIRST, _LAST = 10**18, 5 * 10**18
TIMES: Final = "ns of 2001 to 2128"
"""What ``is_time`` takes: stamps of another unit are outside of it, as in captures."""


def is_time(stamps: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Say which stamps are nanoseconds of the years that recordings are of, shape (n,)."""
    return (stamps >= _FIRST) & (stamps < _LAST)


def demand(
    good: NDArray[np.bool_],
    expected: str,
    values: Sequence[object] | NDArray[np.generic],
    rows: Sequence[int],
    what: str,
) -> None:
    """Refuse the first value that is not good.

    Parameters
    ----------
    good : NDArray
        Which values may stay, shape (n,).
    expected : str
        What they should be, for the error.
    values, rows : Sequence
        The values as the file has them, and the numbers of their rows in it, shape (n,).
    what : str
        File and column, for the error.

    Raises
    ------
    DataError
        A value is not good.
    """
    if not good.all():
        at = int(np.argmin(good))
        raise DataError(f"{what}: row {rows[at]}: expected {expected}, was {values[at]}")
