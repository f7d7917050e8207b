"""Rows of QuantConnect LEAN's bars: trades of 6 cells, quotes of 11, whatever their length."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from crypto_quant.core.errors import DataError
from crypto_quant.core.instruments import Instrument
from crypto_quant.data_pipeline.collectors import ticksize
from crypto_quant.data_pipeline.collectors.facts import Facts, period
from crypto_quant.data_pipeline.collectors.file import File
from crypto_quant.data_pipeline.collectors.layouts.bars import Columns, Plan, bar_batch
from crypto_quant.data_pipeline.collectors.table import pieces
from crypto_quant.data_pipeline.storage import flags
from crypto_quant.data_pipeline.storage.grid import to_grid
from crypto_quant.data_pipeline.storage.kinds import KINDS, Batch, Exps

TIME: Final = "time"
"""Name given to the first cell; the files have no header."""

_TRADE: Final = (TIME, "open", "high", "low", "close", "volume")
_QUOTE: Final = (
    TIME,
    *(f"bid_{name}" for name in ("open", "high", "low", "close", "qty")),
    *(f"ask_{name}" for name in ("open", "high", "low", "close", "qty")),
)


def first_cells(file: File) -> list[str] | None:
    """Return the times of the first two rows; ``None`` if this is no zip of LEAN's bars."""
    if file.container != "zip" or len(file.members) != 1 or file.columns:
        return None
    rows = [row for row in (file.row(0), file.row(1)) if row]
    if not rows or any(len(row) not in (len(_TRADE), len(_QUOTE)) for row in rows):
        return None
    return [row[0] for row in rows]


def read_rows(file: File, facts: Facts) -> pa.Table:
    """Read the cells as text, with the column ``TIME``.

    Raises
    ------
    DataError
        The rows are not of the kind or the stamp that was said.
    """
    is_quote = len(file.row(0)) == len(_QUOTE)
    made = "quote_bar" if is_quote else "bar"
    if facts.kind not in (None, made):
        raise DataError(f"{file.path}: holds {made} rows, not {facts.kind}")
    if facts.stamp == "close":
        raise DataError(f"{file.path}: LEAN stamps a bar at its open (stamp=open)")
    return pa.concat_tables(list(pieces(file, names=_QUOTE if is_quote else _TRADE)))


def batch(
    file: File,
    facts: Facts,
    instruments: Mapping[str, Instrument],
    table: pa.Table,
    times: NDArray[np.int64],
    interval: int,
) -> Batch:
    """Make bars of a table that ``read_rows`` gave.

    Parameters
    ----------
    file, facts, instruments
        As ``Layout.read`` has them.
    table : pa.Table
        The rows, shape (n,).
    times : NDArray[np.int64]
        When the bars open, ns UTC, shape (n,).
    interval : int
        Length of a bar, ns.

    Raises
    ------
    DataError
        The times do not grow, or a number cannot be kept.
    """
    if not (np.diff(times) > 0).all():
        row = int((np.diff(times) <= 0).argmax()) + 1
        raise DataError(
            f"{file.path}: row {row}: {np.datetime64(int(times[row]), 'ns')} is not later than "
            "the row before"
        )
    rules = instruments.get(facts.instrument)
    if table.column_names == list(_QUOTE):
        return _quotes(file, facts, rules, table, times, interval)
    plan = Plan(
        kind="bar",
        instrument=facts.instrument,
        rules=rules,
        interval=interval,
        is_close_stamped=False,
        volume_unit=facts.volume,
        columns=Columns(TIME, ("open", "high", "low", "close"), "volume"),
    )
    return bar_batch(file, plan, table, times, {})


def _quotes(
    file: File,
    facts: Facts,
    rules: Instrument | None,
    table: pa.Table,
    times: NDArray[np.int64],
    interval: int,
) -> Batch:
    if facts.volume == "base" and rules is not None and rules.multiplier != 1:
        raise DataError(f"{file.path}: sizes of {rules.id} are contracts; give volume=contracts")
    prices = [name for name in _QUOTE[1:] if not name.endswith("qty")]
    made: dict[str, pa.Array] = {}
    exps = Exps(price=rules.price_exp if rules else 0, qty=rules.qty_exp if rules else 0)
    for name in _QUOTE[1:]:
        least = exps.price if name in prices else exps.qty
        made[name], exp = to_grid(table.column(name), least, f"{file.path}: {name}")
        field = "price" if name in prices else "qty"
        exps = exps.widest(Exps(**{field: exp}))
    for name in made:  # the widest grid is known only now
        least = exps.price if name in prices else exps.qty
        made[name] = to_grid(table.column(name), least, name)[0]
    columns = [made[name] for name in prices]
    found = ticksize.findings(rules, times, columns, exps.price, [], exps.qty)
    arrays = {
        "ts_event": pa.array(times),
        "ts_recv": pa.array(times + interval),
        **made,
        "flags": pa.array(np.full(times.size, flags.SYNTHETIC_RECV, dtype=np.uint32)),
    }
    schema = KINDS["quote_bar"].schema()
    data = pa.record_batch([arrays[name] for name in schema.names], schema=schema)
    key = f"{facts.instrument}/{period(interval)}"
    return Batch("quote_bar", key, data, exps, "open + interval", interval, found)
