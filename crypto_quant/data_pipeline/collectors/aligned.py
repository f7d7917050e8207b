"""Stamps of bars against the length of a bar."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from crypto_quant.core.errors import DataError
from crypto_quant.data_pipeline.collectors.facts import period


def check_aligned(
    times: NDArray[np.int64], interval: int, what: str, advice: str = "check interval and stamp"
) -> None:
    """Refuse stamps that no bar of this length has: the interval or the stamp is wrong.

    Parameters
    ----------
    times : NDArray[np.int64]
        When the bars open, ns UTC, shape (n,).
    interval : int
        Length of a bar, ns.
    what : str
        Where the stamps come from, for the error.
    advice : str
        What to do, for the error.

    Raises
    ------
    DataError
        A stamp is no multiple of the interval (for weeks: no Monday).
    """
    # Weeks begin on Monday; 1970-01-01 was a Thursday.
    origin = 4 * 86_400 * 10**9 if interval % (7 * 86_400 * 10**9) == 0 else 0
    off = (times - origin) % interval != 0
    if off.any():
        row = int(off.argmax())
        raise DataError(
            f"{what}: {np.datetime64(int(times[row]), 'ns')} is no start of a "
            f"{period(interval)} bar; {advice}"
        )
