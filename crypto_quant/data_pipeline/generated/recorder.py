"""The native recorder of the made-up market, set up from parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from crypto_quant import _native
from crypto_quant.core.errors import ConfigError

SYMBOL: Final = "BTCUSDT"
START_NS: Final = 1_672_531_200 * 10**9
"""2023-01-01, an arbitrary Sunday."""

SPEED_MS: Final = 100
"""Time between book updates: the fastest that the venue documents."""

_GRID: Final = {"price_exp": 2, "qty_exp": 3, "tick": 10}
"""Prices as the venue writes them, 0.01, on a tick of 0.1; lots of 0.001."""

_SECOND: Final = 10**9
_PIECE_NS: Final = 5 * _SECOND


def recorder(
    parameters: Mapping[str, Any],
    seed: int,
    start: int = START_NS,
    with_quotes: bool = True,
) -> _native.FlowRecorder:
    """Return a recorder at ``start``, ns UTC.

    Raises
    ------
    ConfigError
        The parameters make no market.
    """
    streams = {"symbol": SYMBOL, "speed_ms": SPEED_MS, "with_quotes": with_quotes, **_GRID}
    try:
        return _native.FlowRecorder(parameters, parameters["slow"], streams, seed, start)
    except (ValueError, TypeError, KeyError, OverflowError) as err:
        cause = err.__cause__ or err
        raise ConfigError(f"parameters of the flow: {err} ({cause})") from err


def pieces(native: _native.FlowRecorder, until: int) -> Iterator[bytes]:
    """Yield what is recorded to ``until`` (ns UTC) or to the day's end, a few seconds a piece."""
    day = native.now // (86_400 * _SECOND)
    while native.now < until and native.now // (86_400 * _SECOND) == day:
        yield native.record(min(until, native.now + _PIECE_NS))
