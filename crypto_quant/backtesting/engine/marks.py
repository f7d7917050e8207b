"""The price that positions are marked to: the open of the bar that begins then."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from crypto_quant.backtesting.engine.columns import Ints, decimals
from crypto_quant.backtesting.engine.inputs import PERP, SPOT, Inputs
from crypto_quant.runtime.tape import EVER

if TYPE_CHECKING:
    import pyarrow as pa


class Marks:
    """Marks of the run's instruments at any time, carried forward through holes.

    At ``t`` it is the open of the bar that begins at ``t``, or, where none begins, the close
    of the last bar that ended: what the line marks its ledger to.
    """

    def __init__(self, inputs: Inputs) -> None:
        self._inputs = inputs
        self._bars: dict[int, tuple[Ints, Ints, Ints]] = {}
        for n, interval in ((PERP, "1h"), (SPOT, "1m")):
            bars = inputs.loader.bar_columns(n, interval, *EVER)
            self._bars[n] = (bars["ts_event"], bars["open"], bars["close"])

    def at(self, instrument: int, ts: Ints) -> Ints:
        """Return the marks at ``ts`` (n,), grid integers."""
        begin, opens, closes = self._bars[instrument]
        at = np.searchsorted(begin, ts, side="right") - 1
        inside = np.maximum(at, 0)
        begins = begin[inside] == ts
        marks: Ints = np.where(begins, opens[inside], closes[inside])
        return marks

    def has_hour(self, ts: Ints) -> NDArray[np.bool_]:
        """Tell whether the perpetual has a bar that begins at each ``ts`` (n,)."""
        begin = self._bars[PERP][0]
        at = np.minimum(np.searchsorted(begin, ts), len(begin) - 1)
        found: NDArray[np.bool_] = begin[at] == ts
        return found

    def decimals(self, instrument: int, ts: Ints) -> pa.Array:
        """Return the marks at ``ts`` as exact prices."""
        return decimals(self.at(instrument, ts), self._inputs.instruments[instrument].price_exp)
