"""Depth within bands around the mid price, of the Binance archive (``bookDepth``).

Bands are sums, never price levels: they never become a book.

References
----------
https://github.com/binance/binance-public-data
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np
import pyarrow as pa

from crypto_quant.core.errors import DataError
from crypto_quant.core.instruments import Instrument
from crypto_quant.data_pipeline.collectors.facts import Facts
from crypto_quant.data_pipeline.collectors.file import File
from crypto_quant.data_pipeline.collectors.table import Order, in_time_order
from crypto_quant.data_pipeline.storage import flags
from crypto_quant.data_pipeline.storage.grid import to_grid
from crypto_quant.data_pipeline.storage.kinds import KINDS, Batch, Exps

_COLUMNS: Final = ("percentage", "depth", "notional")


class BinanceBookDepth:
    """Rows of (time, band in percent of the mid, summed quantity, summed notional)."""

    kinds = frozenset({"depth_band"})
    title = "Binance archive bookDepth"

    def recognise(self, file: File) -> bool:
        """Look for the archive's column names."""
        return file.columns == ("timestamp", *_COLUMNS)

    def needs(self, file: File, facts: Facts) -> tuple[str, ...]:
        """Ask for the contract."""
        return ("venue", "symbol")

    def read(
        self, file: File, facts: Facts, instruments: Mapping[str, Instrument]
    ) -> Iterator[Batch]:
        """Yield the bands, negative below the mid, in basis points."""
        rules = instruments.get(facts.instrument)
        order = Order.of(file, "timestamp")
        for table, times in in_time_order(file, order, _COLUMNS):
            arrays, exps = [], []
            for name, least in zip(_COLUMNS, (2, rules.qty_exp if rules else 0, 0), strict=True):
                values, exp = to_grid(table.column(name), least, f"{file.path}: {name}")
                arrays.append(values)
                exps.append(exp)
            if exps[0] != 2:
                raise DataError(f"{file.path}: percentage: finer than a basis point")
            data = [
                pa.array(times),
                pa.array(times),
                *arrays,
                pa.array(np.full(times.size, flags.SYNTHETIC_RECV, dtype=np.uint32)),
            ]
            yield Batch(
                kind="depth_band",
                key=facts.instrument,
                data=pa.record_batch(data, schema=KINDS["depth_band"].schema()),
                exps=Exps(qty=exps[1], quote=exps[2]),
                recv="snapshot time as recorded",
            )
