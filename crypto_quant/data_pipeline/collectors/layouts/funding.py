"""Tables of settled funding rates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from crypto_quant.core.errors import DataError
from crypto_quant.core.instruments import Instrument
from crypto_quant.data_pipeline.collectors.claims import check_interval, check_names
from crypto_quant.data_pipeline.collectors.facts import Facts, duration
from crypto_quant.data_pipeline.collectors.file import File
from crypto_quant.data_pipeline.collectors.table import (
    TIME_NAMES,
    Order,
    find_column,
    in_time_order,
)
from crypto_quant.data_pipeline.storage import flags
from crypto_quant.data_pipeline.storage.grid import to_grid
from crypto_quant.data_pipeline.storage.kinds import KINDS, Batch, Exps

_HOUR: Final = 3_600 * 10**9
_RATES: Final = ("last_funding_rate", "fundingrate", "funding_rate", "funding rate", "rate")
_HOURS: Final = ("funding_interval_hours", "interval_h", "interval")
_FRACTIONS: Final = ("last_funding_rate",)
"""Columns whose unit their venue documents: a fraction per interval."""

_TELLING: Final = 4
_SHARE: Final = 0.1

_LEAST_EXP: Final = 8
"""Venues quote rates to eight decimals."""


class FundingTable:
    """A time and a rate per row, in a Parquet, Feather or CSV table with named columns.

    A table of candles whose open is the rate (as freqtrade keeps funding) counts too,
    where the kind is given as funding.
    """

    kinds = frozenset({"funding"})
    title = "table of funding rates"

    def recognise(self, file: File) -> bool:
        """Look for a time column and one that is named as a funding rate."""
        return find_column(file, TIME_NAMES) is not None and _rate(file) is not None

    def needs(self, file: File, facts: Facts) -> tuple[str, ...]:
        """Venue, symbol and unit; the interval, where no column holds it."""
        interval = () if find_column(file, _HOURS) else ("interval",)
        rate = () if find_column(file, _FRACTIONS) else ("rate",)
        return ("venue", "symbol", *interval, *rate)

    def read(
        self, file: File, facts: Facts, instruments: Mapping[str, Instrument]
    ) -> Iterator[Batch]:
        """Yield the settlements in time order, at the times that were recorded."""
        time, rate = find_column(file, TIME_NAMES), _rate(file)
        if time is None or rate is None:
            raise DataError(f"{file.path}: the columns are no funding rates")
        check_names(file, facts)
        hours = find_column(file, _HOURS)
        order = Order.of(file, time)
        found = order.findings()
        columns = [rate, *([hours] if hours else [])]
        lengths: Counter[int] = Counter()
        for table, times in in_time_order(file, order, columns):
            values, exp = to_grid(table.column(rate), _LEAST_EXP, f"{file.path}: {rate}")
            if values.null_count:
                row = int(values.is_null().to_numpy(zero_copy_only=False).argmax())
                at = np.datetime64(int(times[row]), "ns")
                raise DataError(f"{file.path}: {rate}: the rate at {at} is missing or NaN")
            if facts.rate == "percent":
                exp += 2
            each = _hours(file, facts, table, hours)
            data = {
                "ts_event": pa.array(times),
                "ts_recv": pa.array(times),
                "rate": values,
                "interval_h": each,
                "flags": pa.array(np.full(times.size, flags.SYNTHETIC_RECV, dtype=np.uint32)),
            }
            yield Batch(
                kind="funding",
                key=facts.instrument,
                data=pa.record_batch(list(data.values()), schema=KINDS["funding"].schema()),
                exps=Exps(rate=exp),
                recv="settlement time as recorded",
                interval=_usual(facts, each),
                findings=found,
            )
            found = {}
            lengths.update(each.to_pylist() if hours else _steps(times))
        _check_hours(file, facts, hours or time, lengths)


def _rate(file: File) -> str | None:
    named = find_column(file, _RATES)
    if named is not None:
        return named
    candles = all(find_column(file, (name,)) for name in ("open", "high", "low", "close"))
    return find_column(file, ("open",)) if candles else None


def _hours(file: File, facts: Facts, table: pa.Table, column: str | None) -> pa.Array:
    """Return the hours between settlements of each row: from its column, else as told."""
    if column is None:
        hours, rest = divmod(duration(facts.need("interval"), "interval"), _HOUR)
        if rest or not hours:
            raise DataError(f"{file.path}: funding settles every whole number of hours")
        return pa.array(np.full(table.num_rows, hours, dtype=np.int64))
    values = table.column(column).combine_chunks()
    if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
        words = pc.extract_regex(values, r"(?P<hours>\d+)\s*(?:h|hours?)?$").field("hours")
        if words.null_count:
            row = int(words.is_null().to_numpy(zero_copy_only=False).argmax())
            raise DataError(f"{file.path}: {column}: row {row} names no number of hours")
        values = words
    return values.cast(pa.int64())


def _steps(times: NDArray[np.int64]) -> list[int]:
    """Return the hours from row to row; too few of them tell nothing, there may be holes."""
    steps: list[int] = np.rint(np.diff(times) / _HOUR).astype(np.int64).tolist()
    return steps if len(steps) >= _TELLING else []


def _check_hours(file: File, facts: Facts, column: str, lengths: Counter[int]) -> None:
    """Refuse an interval that hardly a row has; a venue may change it once in a file."""
    if facts.interval is None or not lengths:
        return
    said = duration(facts.interval, "interval") // _HOUR
    if lengths[said] < _SHARE * lengths.total():
        usual = lengths.most_common(1)[0][0] * _HOUR
        check_interval(str(file.path), f"most rows' {column}", usual, facts)


def _usual(facts: Facts, hours: pa.Array) -> int:
    if facts.interval is not None:
        return duration(facts.interval, "interval")
    counts = pc.value_counts(hours).to_pylist()
    most = max(counts, key=lambda entry: (entry["counts"], entry["values"]))
    return int(most["values"]) * _HOUR
