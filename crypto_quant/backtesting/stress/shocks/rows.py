"""Rows of one kind: cut, put together, and changed within a span."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from crypto_quant.backtesting.stress.tape import Changed, Parts
from crypto_quant.runtime.segments import Span
from crypto_quant.runtime.tape import Columns, Ints

Change = Callable[[Columns], Columns]
"""Changes rows of one kind, each for itself."""


def joined(*parts: Columns) -> Columns:
    """Put rows of one kind one after another."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def cut(columns: Columns, chosen: Ints | slice) -> Columns:
    """Choose rows."""
    return {name: values[chosen] for name, values in columns.items()}


def within(columns: Columns, span: Span, change: Change) -> Columns:
    """Change the rows that happen in a span."""
    inside = np.flatnonzero((columns["ts_event"] >= span.start) & (columns["ts_event"] < span.end))
    new = change(cut(columns, inside))
    out = {name: values.copy() for name, values in columns.items()}
    for name in out:
        out[name][inside] = new[name]
    return out


def each(parts: Parts, change: Change) -> Changed:
    """Change a stream part by part."""

    def go(parts: Parts) -> Iterator[Columns]:
        return map(change, parts)

    return Changed(parts, go)


def inside(parts: Parts, span: Span, change: Change) -> Changed:
    """Change the rows of a stream that happen in a span."""
    return each(parts, lambda rows: within(rows, span, change))
