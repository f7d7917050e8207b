"""Candles of the Binance public archive: CSV or zip, with or without header, ms or us.

References
----------
https://github.com/binance/binance-public-data (klines, markPriceKlines, indexPriceKlines,
premiumIndexKlines): twelve columns; stamps of spot files are in us from 2025-01-01.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np
import pyarrow as pa

from crypto_quant.core.errors import DataError
from crypto_quant.core.instruments import Instrument
from crypto_quant.data_pipeline.collectors.claims import check_interval
from crypto_quant.data_pipeline.collectors.facts import Facts, ask
from crypto_quant.data_pipeline.collectors.file import File
from crypto_quant.data_pipeline.collectors.layouts.bars import BAR_KINDS, Columns, Plan, read_bars
from crypto_quant.data_pipeline.collectors.times import to_ns
from crypto_quant.data_pipeline.storage.kinds import Batch

_NAMES: Final = (
    "open_time",
    "open",
    "high",
    "low",
    "close",
    "volume",
    "close_time",
    "quote_volume",
    "count",
    "taker_buy_volume",
    "taker_buy_quote_volume",
    "ignore",
)


class BinanceKlines:
    """Candles that carry their own close time: the interval is read, not asked for."""

    kinds = BAR_KINDS
    title = "Binance archive candles"

    def recognise(self, file: File) -> bool:
        """Twelve cells a row, the seventh the end of the bar that the first begins."""
        if file.schema is not None or (file.columns and file.columns[0] != "open_time"):
            return False
        return _interval(file) is not None

    def needs(self, file: File, facts: Facts) -> tuple[str, ...]:
        """Ask for market, contract and kind: price candles of all kinds look the same."""
        return ("venue", "symbol", "kind")

    def read(
        self, file: File, facts: Facts, instruments: Mapping[str, Instrument]
    ) -> Iterator[Batch]:
        """Yield the bars in time order."""
        interval = _interval(file)
        if interval is None:
            raise DataError(f"{file.path}: not candles of the archive")
        check_interval(str(file.path), "the close time of its bars", interval, facts)
        kind = facts.need("kind")
        rules = instruments.get(facts.instrument)
        has_volume = kind == "bar"
        names = file.columns or _NAMES  # places are fixed, the words of headers are not
        plan = Plan(
            kind=kind,
            instrument=facts.instrument,
            rules=rules,
            interval=interval,
            is_close_stamped=False,
            volume_unit=_unit(file, facts, rules) if has_volume else None,
            columns=Columns(
                time=names[0],
                prices=(names[1], names[2], names[3], names[4]),
                volume=names[5] if has_volume else None,
                turnover=names[7] if has_volume else None,
                count=names[8] if has_volume else None,
                taker_buy=names[9] if has_volume else None,
            ),
            names=names,
        )
        yield from read_bars(file, plan)


def _interval(file: File) -> int | None:
    cells = file.numbers()
    if len(cells) != len(_NAMES) or not (cells[0].isdigit() and cells[6].isdigit()):
        return None
    begin, last, after = to_ns(
        pa.chunked_array([[cells[0], cells[6], str(int(cells[6]) + 1)]]), str(file.path)
    )
    interval = int(after) - int(begin)
    return interval if last > begin and interval % 10**9 == 0 else None


def _unit(file: File, facts: Facts, rules: Instrument | None) -> str:
    """Say what volume counts: coin-margined files count contracts, the others coins.

    Where turnover over volume lies inside the bar's prices, volume is in base coins.
    """
    if facts.volume is not None:
        return facts.volume
    if rules is not None:
        return "contracts" if rules.contract == "inverse" else "base"
    cells = [float(cell) for cell in file.numbers()]
    low, high, volume, turnover = cells[3], cells[2], cells[5], cells[7]
    if volume > 0 and np.float64(low) * 0.999 <= turnover / volume <= high * 1.001:
        return "base"
    raise DataError(f"{file.path}: the unit of volume does not show; {ask(['volume'])}")
