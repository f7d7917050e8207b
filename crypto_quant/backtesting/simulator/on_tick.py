"""Prices of a tape on whole ticks: what a simulator shows in ticks must be in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from crypto_quant.core.errors import DataError
from crypto_quant.core.instruments import Instrument
from crypto_quant.core.terms import tick_at

Part = dict[str, NDArray[Any]]
Columns = Mapping[str, NDArray[Any]]
_CHECKED: Final = ("delta", "trade")
"""Kinds whose prices are those of orders; a mark is an average, on no tick."""


@dataclass(frozen=True, slots=True)
class OnTick:
    """Parts of a stream, each checked when it is read; see ``check_ticks``."""

    parts: Iterable[Part]
    instrument: Instrument
    kind: str
    since: int

    def __iter__(self) -> Iterator[Part]:
        first = 0
        for part in self.parts:
            check_ticks(self.instrument, self.kind, part, self.since, first)
            first += len(part["ts_recv"])
            yield part


def check_ticks(
    instrument: Instrument, kind: str, columns: Columns, since: int, first: int = 0
) -> None:
    """Check that prices are whole ticks.

    Quantities need not be whole lots: orders of before a change of the lot rest in recorded
    books.

    Parameters
    ----------
    instrument
        Whose they are.
    kind
        That of the stream; only ``delta`` and ``trade`` are checked.
    columns
        With ``px``, int64 (n,) on the instrument's grid; one of another type is left to the
        line, which refuses it.
    since
        When the tick is that of the tape, ns UTC.
    first
        Number of the first row in the stream.

    Raises
    ------
    DataError
        A price is between two ticks.
    ConfigError
        The instrument has no sourced tick, or its grid is too coarse for it.
    """
    if kind not in _CHECKED:
        return
    tick, prices = tick_at(instrument, since), np.asarray(columns["px"])
    if prices.dtype != np.int64 or tick == 1:
        return
    off = prices // tick * tick != prices  # half the time of a remainder
    if off.any():
        row = int(off.argmax())
        step, price = (Decimal(n).scaleb(-instrument.price_exp) for n in (tick, int(prices[row])))
        raise DataError(
            f"{instrument.id}: {kind}, column px, row {first + row}: expected a multiple of the "
            f"tick {step:f}, was {price:f}: correct the row, or the tick in the venue's rules"
        )
