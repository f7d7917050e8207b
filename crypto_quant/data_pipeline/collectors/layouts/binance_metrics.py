"""Open interest and long/short ratios of the Binance archive (``metrics``), every 5 minutes.

References
----------
https://github.com/binance/binance-public-data
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np
import pyarrow as pa

from crypto_quant.core.instruments import Instrument
from crypto_quant.data_pipeline.collectors.claims import check_interval, check_names
from crypto_quant.data_pipeline.collectors.facts import Facts
from crypto_quant.data_pipeline.collectors.file import File
from crypto_quant.data_pipeline.collectors.table import Order, in_time_order
from crypto_quant.data_pipeline.storage import flags
from crypto_quant.data_pipeline.storage.kinds import KINDS, Batch, Exps

_VALUES: Final = (
    "sum_open_interest",
    "sum_open_interest_value",
    "count_toptrader_long_short_ratio",
    "sum_toptrader_long_short_ratio",
    "count_long_short_ratio",
    "sum_taker_long_short_vol_ratio",
)
_PERIOD: Final = 300 * 10**9


class BinanceMetrics:
    """Statistics, not money: float64, null where the venue left the cell empty."""

    kinds = frozenset({"metrics"})
    title = "Binance archive metrics"

    def recognise(self, file: File) -> bool:
        """Look for the archive's column names."""
        return {"create_time", *_VALUES} <= set(file.columns)

    def needs(self, file: File, facts: Facts) -> tuple[str, ...]:
        """Ask for the contract."""
        return ("venue", "symbol")

    def read(
        self, file: File, facts: Facts, instruments: Mapping[str, Instrument]
    ) -> Iterator[Batch]:
        """Yield rows in time order, known one period after their stamp.

        The archive does not say whether a stamp begins or ends the period of the ratios;
        the later reading is taken.
        """
        check_names(file, facts)
        check_interval(str(file.path), "the layout", _PERIOD, facts)
        order = Order.of(file, "create_time")
        found = order.findings()
        for table, times in in_time_order(file, order, _VALUES):
            arrays = [
                pa.array(times),
                pa.array(times + _PERIOD),
                pa.array(np.full(times.size, flags.SYNTHETIC_RECV, dtype=np.uint32)),
                *(table.column(name).combine_chunks().cast(pa.float64()) for name in _VALUES),
            ]
            schema = KINDS["metrics"].schema(_VALUES)
            yield Batch(
                kind="metrics",
                key=f"{facts.instrument}/5m",
                data=pa.record_batch(arrays, schema=schema),
                exps=Exps(),
                recv="stamp + 5m",
                interval=_PERIOD,
                findings=found,
            )
            found = {}
