"""Tables of outside series: a time and one column of numbers per series."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from crypto_quant.core.errors import DataError
from crypto_quant.core.instruments import Instrument
from crypto_quant.data_pipeline.collectors.facts import Facts, duration
from crypto_quant.data_pipeline.collectors.file import File
from crypto_quant.data_pipeline.collectors.table import (
    TIME_NAMES,
    Order,
    find_column,
    in_time_order,
)
from crypto_quant.data_pipeline.storage.kinds import KINDS, Batch, Exps

_OWN: Final = frozenset({"ts_event", "ts_recv"})


class SeriesTable:
    """Any table with a time column and numbers; what they are, the dataset's name says."""

    kinds = frozenset({"series"})
    title = "table of series"

    def recognise(self, file: File) -> bool:
        """Look for a time column and at least one more."""
        return find_column(file, TIME_NAMES) is not None and len(file.columns) > 1

    def needs(self, file: File, facts: Facts) -> tuple[str, ...]:
        """Name, period and delay; the order of day and month, where dates have slashes."""
        time = find_column(file, TIME_NAMES)
        slashed = False
        if file.schema is None and time is not None:
            at = file.columns.index(time)
            cells = file.numbers()
            slashed = len(cells) > at and "/" in cells[at]
        return ("kind", "dataset", "interval", "available_after", *(("dates",) if slashed else ()))

    def read(
        self, file: File, facts: Facts, instruments: Mapping[str, Instrument]
    ) -> Iterator[Batch]:
        """Yield the rows in time order; rows without any value are left out."""
        time = find_column(file, TIME_NAMES)
        if time is None:
            raise DataError(f"{file.path}: no time column")
        unknown = [name for name in facts.drop if name not in file.columns]
        if unknown:
            raise DataError(f"{file.path}: drop: there is no column {unknown[0]!r}")
        interval = duration(facts.need("interval"), "interval")
        delay = duration(facts.need("available_after"), "available_after")
        order = Order.of(file, time, dates=facts.dates)
        found = order.findings()
        names = [n for n in file.columns if n not in facts.drop and not _is_time(n)]
        for table, times in in_time_order(file, order, names):
            columns = {name: _numbers(file, table.column(name), name) for name in names}
            kept = {name: values for name, values in columns.items() if values is not None}
            if not kept:
                raise DataError(f"{file.path}: no column holds numbers")
            if _OWN & set(kept):
                raise DataError(f"{file.path}: a series cannot be named ts_event or ts_recv")
            yield _batch(facts, interval, delay, times, kept, found)
            found = {}


def _is_time(name: str) -> bool:
    return name.strip().lower() in TIME_NAMES


def _batch(
    facts: Facts,
    interval: int,
    delay: int,
    times: np.ndarray[tuple[int], np.dtype[np.int64]],
    columns: dict[str, pa.Array],
    found: Mapping[str, int],
) -> Batch:
    arrays = [pa.array(times), pa.array(times + interval + delay), *columns.values()]
    data = pa.record_batch(arrays, schema=KINDS["series"].schema(tuple(columns)))
    empty = np.logical_and.reduce(
        [values.is_null().to_numpy(zero_copy_only=False) for values in columns.values()]
    )
    if empty.any():
        data = data.filter(pa.array(~empty))
        found = {**found, "empty_rows_left_out": int(empty.sum())}
    return Batch(
        kind="series",
        key=facts.need("dataset"),
        data=data,
        exps=Exps(),
        recv=f"end of period + {facts.available_after}",
        interval=interval,
        findings=found,
    )


def _numbers(file: File, values: pa.ChunkedArray, name: str) -> pa.Array | None:
    """Return a column as float64 with nulls for NaN; ``None`` for a constant label."""
    values = values.combine_chunks()
    if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
        try:
            values = values.cast(pa.float64())
        except pa.ArrowInvalid:
            if pc.count_distinct(values).as_py() == 1:
                return None
            raise DataError(
                f"{file.path}: column {name!r} holds text; leave it out with drop={name}"
            ) from None
    if not (pa.types.is_integer(values.type) or pa.types.is_floating(values.type)):
        if pa.types.is_null(values.type):
            return pa.nulls(len(values), pa.float64())
        raise DataError(f"{file.path}: column {name!r} holds {values.type}; leave it out with drop")
    floats = values.cast(pa.float64(), safe=False)
    floats = pc.if_else(pc.is_nan(floats), pa.scalar(None, pa.float64()), floats)
    if pc.any(pc.is_inf(floats)).as_py():
        raise DataError(f"{file.path}: column {name!r} holds an infinite value")
    return floats
