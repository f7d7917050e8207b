"""Files of QuantConnect LEAN: a zip with one CSV without header.

Rows are (time, OHLC, volume) for trades and (time, bid OHLC, bid size, ask OHLC, ask size)
for quotes; crypto prices are not scaled, times are UTC and those at which bars open. A
minute file is of one day, which is only in the name of the file inside, and its times are
ms of that day. Hour and daily files hold all there is, their times are
``20180101 08:00``; that they hold hours, or days, is only in the name of their folder.

References
----------
https://github.com/QuantConnect/Lean/blob/master/Data/crypto/readme.md
https://www.quantconnect.com/docs/v2/lean-engine/data-format/crypto
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from crypto_quant.core.errors import DataError
from crypto_quant.core.instruments import Instrument
from crypto_quant.data_pipeline.collectors.aligned import check_aligned
from crypto_quant.data_pipeline.collectors.facts import Facts, duration
from crypto_quant.data_pipeline.collectors.file import File
from crypto_quant.data_pipeline.collectors.layouts.lean_rows import (
    TIME,
    batch,
    first_cells,
    read_rows,
)
from crypto_quant.data_pipeline.collectors.times import to_ns
from crypto_quant.data_pipeline.storage.grid import to_grid
from crypto_quant.data_pipeline.storage.kinds import Batch

_DAY_MS: Final = 86_400_000
_MINUTE: Final = 60 * 10**9
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR
_STAMP: Final = r"^(\d{4})(\d{2})(\d{2}) (\d{2}:\d{2})$"


class LeanMinutes:
    """One day of trade or quote bars."""

    kinds = frozenset({"bar", "quote_bar"})
    title = "LEAN minute file"

    def recognise(self, file: File) -> bool:
        """Look for a zip of 6 or 11 cells a row, the first a growing ms of the day."""
        cells = first_cells(file)
        if cells is None or len(cells) < 2 or not all(cell.isdigit() for cell in cells):
            return False
        first, second = map(int, cells)
        return first < second < _DAY_MS and first % 1000 == 0 and second % 1000 == 0

    def needs(self, file: File, facts: Facts) -> tuple[str, ...]:
        """Contract and unit; the date, where the file inside does not begin with it."""
        date = () if _dated(file) else ("date",)
        return ("venue", "symbol", "volume", *date)

    def read(
        self, file: File, facts: Facts, instruments: Mapping[str, Instrument]
    ) -> Iterator[Batch]:
        """Yield the day's bars."""
        table = read_rows(file, facts)
        if facts.interval is not None and duration(facts.interval, "interval") != _MINUTE:
            raise DataError(f"{file.path}: holds minutes (interval=1m), not {facts.interval}")
        day = int(to_ns(pa.chunked_array([[facts.date or _dated(file)]]), f"{file.path}: date")[0])
        what = f"{file.path}: ms of the day"
        ms = to_grid(table.column(TIME), 0, what)[0]
        if ms.null_count:
            raise DataError(f"{what}: a time is missing")
        times = ms.to_numpy(zero_copy_only=False) * 10**6 + day
        check_aligned(times, _MINUTE, what, "second files of LEAN are not read")
        yield batch(file, facts, instruments, table, times, _MINUTE)


class LeanHours:
    """Hours, or days, of trade or quote bars."""

    kinds = frozenset({"bar", "quote_bar"})
    title = "LEAN hour or daily file"

    def recognise(self, file: File) -> bool:
        """Look for a zip of 6 or 11 cells a row, the first written as ``20180101 08:00``."""
        cells = first_cells(file)
        return cells is not None and all(re.match(_STAMP, cell) for cell in cells)

    def needs(self, file: File, facts: Facts) -> tuple[str, ...]:
        """Contract, unit and length of a bar: nothing in the file says them."""
        return ("venue", "symbol", "interval", "volume")

    def read(
        self, file: File, facts: Facts, instruments: Mapping[str, Instrument]
    ) -> Iterator[Batch]:
        """Yield the file's bars."""
        interval = duration(facts.need("interval"), "interval")
        if interval not in (_HOUR, _DAY):
            raise DataError(f"{file.path}: holds hours or days (1h, 1d), not {facts.interval}")
        table = read_rows(file, facts)
        what = f"{file.path}: time"
        iso = pc.replace_substring_regex(table.column(TIME), _STAMP, r"\1-\2-\3 \4")
        times = to_ns(iso, what)
        check_aligned(times, interval, what, "hour files hold 1h bars, daily files 1d bars")
        if interval == _HOUR and _are_days(times):
            raise DataError(f"{file.path}: every row begins a day: these are days (interval=1d)")
        yield batch(file, facts, instruments, table, times, interval)


def _are_days(times: NDArray[np.int64]) -> bool:
    """Tell days from hours, whose values would be taken to be known 23 hours early."""
    return times.size > 1 and bool((times % _DAY == 0).all())


def _dated(file: File) -> str | None:
    found = re.match(r"(\d{4})(\d{2})(\d{2})_", file.members[0].rpartition("/")[2])
    return "-".join(found.groups()) if found else None
