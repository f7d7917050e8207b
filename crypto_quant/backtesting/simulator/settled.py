"""Funding of a market in memory: all that is due must be there."""

from __future__ import annotations

from typing import Final

import numpy as np

from crypto_quant.core.clock import iso
from crypto_quant.core.errors import ConfigError, DataError
from crypto_quant.core.instruments import Instrument
from crypto_quant.runtime.tape import Settlements, unsettled

_COLUMNS: Final = ("ts_event", "ts_recv", "rate")
_DIGITS: Final = 28
"""Decimals that a rate may have."""


def all_settled(
    instrument: Instrument, given: Settlements | None, start: int, end: int
) -> Settlements | None:
    """Return what was settled, if that is all of what is due.

    Parameters
    ----------
    instrument
        What is traded.
    given
        What was settled; columns of another type are left to the line, which refuses them.
    start, end
        When positions can be held, ns UTC, inclusive.

    Raises
    ------
    DataError
        A column is missing, or a settlement.
    ConfigError
        What is given is something else, or the instrument has no funding.
    """
    times = np.empty(0, dtype=np.int64)
    if given is not None:
        _check(instrument, given)
        times = np.asarray(given.columns["ts_event"])
    if times.dtype != np.int64:
        return given
    if due := unsettled(instrument, times, start, end):
        raise DataError(
            f"{instrument.id}: funding is due at {iso(due[0])} and no rate of it is given: give "
            'what was settled (funding=Settlements(...)), or say that none is paid (funding="none")'
        )
    return given


def _check(instrument: Instrument, given: object) -> None:
    what = f"{instrument.id}: funding"
    if not isinstance(given, Settlements):
        was = repr(given) if isinstance(given, str) else type(given).__name__
        raise ConfigError(f'{what}: expected Settlements, "none" or nothing, was {was}')
    if instrument.contract == "spot":
        raise ConfigError(f"{what}: expected nothing, as spot has none, was Settlements")
    if lacks := [f"without {name}" for name in _COLUMNS if name not in given.columns]:
        raise DataError(f"{what}: expected columns {', '.join(_COLUMNS)}, was {', '.join(lacks)}")
    if not isinstance(given.exp, int) or not 0 <= given.exp <= _DIGITS:
        raise DataError(f"{what}: expected rates of 0 to {_DIGITS} decimals, was {given.exp!r}")
