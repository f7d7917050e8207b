"""Counting rows that lie off the instrument's tick or lot; they are kept as they are."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from crypto_quant.core.instruments import Dated, Instrument


def findings(
    instrument: Instrument | None,
    times: NDArray[np.int64],
    prices: list[pa.Array],
    price_exp: int,
    quantities: list[pa.Array],
    qty_exp: int,
) -> dict[str, int]:
    """Count rows with any price off the tick, or any quantity off the lot, then in force.

    Before the first sourced rule nothing is known to be off; those rows are counted apart.

    Parameters
    ----------
    instrument : Instrument or None
        Rules; without them nothing is known to be off.
    times : NDArray[np.int64]
        Row times, ns UTC, shape (n,).
    prices, quantities : list[pa.Array]
        Columns of integers on 10**-exp, shape (n,); nulls are not counted.
    price_exp, qty_exp : int
        Decimals of the grids.
    """
    if instrument is None:
        return {}
    found = {
        "off_tick_rows": _off(instrument.tick, times, prices, price_exp),
        "off_lot_rows": _off(instrument.lot, times, quantities, qty_exp),
        "tick_not_sourced_rows": 0,
    }
    if instrument.tick is not None:
        since = instrument.tick.rows[0].valid_from
        found["tick_not_sourced_rows"] = int(np.count_nonzero(times < since))
    return {name: count for name, count in found.items() if count}


def _off(
    table: Dated[Decimal] | None, times: NDArray[np.int64], columns: list[pa.Array], exp: int
) -> int:
    if table is None or not columns:
        return 0
    off = np.zeros(times.size, dtype=bool)
    for rows, step in _spans(table, times):
        # The step may be finer than the grid: compare on whichever is finer.
        finer = max(0, -int(step.normalize().as_tuple().exponent) - exp)
        unit = int(step.scaleb(exp + finer))
        if unit == 1:
            continue  # every integer of the grid is a multiple
        for column in columns:
            filled = column.fill_null(0) if column.null_count else column
            values = filled.to_numpy(zero_copy_only=False)[rows]
            scaled = values if finer == 0 else values * 10**finer
            off[rows] |= scaled // unit * unit != scaled  # half the time of a remainder
    return int(np.count_nonzero(off))


def _spans(
    table: Dated[Decimal], times: NDArray[np.int64]
) -> Iterator[tuple[NDArray[np.bool_] | slice, Decimal]]:
    """Yield which rows each dated value governs; mostly one value governs all."""
    if not times.size:
        return
    first, last = int(times.min()), int(times.max())
    ends = [row.valid_from for row in table.rows[1:]] + [2**63 - 1]
    for row, end in zip(table.rows, ends, strict=True):
        if row.valid_from <= first and last < end:
            yield slice(None), row.value
        elif row.valid_from <= last and first < end:
            yield (times >= row.valid_from) & (times < end), row.value
