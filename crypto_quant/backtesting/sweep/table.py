"""A sweep's results as tables: Parquet for a program, lines for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final

import pyarrow as pa

from crypto_quant.backtesting.engine.columns import MONEY_SCALE
from crypto_quant.backtesting.sweep.called import Failure
from crypto_quant.backtesting.sweep.figures import Figure, Figures
from crypto_quant.backtesting.sweep.plan import Axis, Cell, Scalar
from crypto_quant.runtime.config import RunConfig, TickConfig

Cells = Sequence[Cell[TickConfig] | Cell[RunConfig]]
Found = Mapping[int, Figures | Failure]

MOST_LINES: Final = 40
"""More rows do not fit a terminal; the files have them."""
_WIDEST: Final = 6
"""Figures that are shown in a terminal, the first of each cell."""


def parquet_table(cells: Cells, axes: Sequence[Axis], found: Found) -> pa.Table:
    """Return a row a cell: number, values, figures, digest, error; money is decimal."""
    ran = {n: each for n, each in found.items() if isinstance(each, Figures)}
    columns: dict[str, pa.Array] = {"cell": pa.array([cell.number for cell in cells], pa.int64())}
    for axis in axes:
        columns[axis.key] = _values([cell.values[axis.key] for cell in cells])
    for name in _names(found):
        columns[name] = _figures(
            [ran[c.number].shown.get(name) if c.number in ran else None for c in cells]
        )
    digests = [ran[c.number].digest if c.number in ran else None for c in cells]
    columns["digest"] = pa.array(digests, pa.string())
    columns["error"] = pa.array([error(found[cell.number]) for cell in cells], pa.string())
    return pa.table(columns)


def lines(cells: Cells, axes: Sequence[Axis], found: Found) -> Iterator[str]:
    """Yield the table that a terminal shows: values and the first figures of each cell."""
    names = _names(found)[:_WIDEST]
    head = ["cell", *(axis.key for axis in axes), *names]
    rows = []
    for cell in cells[:MOST_LINES]:
        values = [str(value) for value in cell.values.values()]
        came_to = found[cell.number]
        if isinstance(came_to, Figures):
            figures = [_shown(came_to.shown.get(name)) for name in names]
        else:
            figures = ["failed", *[""] * (len(names) - 1)] if names else []
        rows.append([str(cell.number), *values, *figures])
    widths = [max(len(row[n]) for row in [head, *rows]) for n in range(len(head))]
    for row in [head, *rows]:
        line = "  ".join(text.rjust(width) for text, width in zip(row, widths, strict=True))
        yield line.rstrip()
    if len(cells) > MOST_LINES:
        yield f"… {len(cells) - MOST_LINES:,} more in cells.parquet"


def error(came_to: Figures | Failure) -> str | None:
    """Return why a cell has no figures; ``None`` if it has."""
    return came_to.text if isinstance(came_to, Failure) else None


def _names(found: Found) -> list[str]:
    first = next((each for each in found.values() if isinstance(each, Figures)), None)
    return [] if first is None else list(first.shown)


def _values(values: Sequence[Scalar]) -> pa.Array:
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):  # words, or beyond 64 bits
        return pa.array([str(value) for value in values])


def _figures(values: Sequence[Figure]) -> pa.Array:
    if any(isinstance(value, str) for value in values):
        money = [None if value is None else Decimal(value) for value in values]
        return pa.array(money, pa.decimal128(38, MONEY_SCALE))
    return pa.array(values)


def _shown(value: Figure) -> str:
    if value is None:
        return "none"
    if isinstance(value, str):
        return f"{Decimal(value):,.2f}"
    return f"{value:,}" if isinstance(value, int) else f"{value:#.4g}"
