"""Rows of one kind: cut, put together, and changed one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from crypto_quant.backtesting.stress.tape import Changed, Parts, SessionTape
from crypto_quant.runtime.segments import Span
from crypto_quant.runtime.tape import Columns, Ints

Change = Callable[[Columns], Columns]
"""Changes rows of one kind, each for itself."""


class Reach:
    """How far a column has come, over all rows so far."""

    def __init__(self) -> None:
        self._last: Ints = np.empty(0, dtype=np.int64)

    def take(self, values: Ints) -> Ints:
        """Take the next rows' values; return the largest up to each, (n,)."""
        kept = self._last.size
        reached: Ints = np.maximum.accumulate(np.concatenate([self._last, values]))
        self._last = reached[-1:]
        return reached[kept:]


def joined(*parts: Columns) -> Columns:
    """Put rows of one kind one after another."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def cut(columns: Columns, chosen: Ints | slice) -> Columns:
    """Choose rows."""
    return {name: values[chosen] for name, values in columns.items()}


def stamped(columns: Columns, ts_event: int, ts_recv: int) -> Columns:
    """Return the same rows as of another time."""
    n = len(next(iter(columns.values())))
    stamps = {"ts_event": ts_event, "ts_recv": ts_recv}
    return {**columns, **{name: np.full(n, ts, dtype=np.int64) for name, ts in stamps.items()}}


def gaps_of(tape: SessionTape, index: int) -> Ints:
    """Return from when on events of an instrument are missing, ns UTC, (n_gaps,)."""
    none: Ints = np.empty(0, dtype=np.int64)
    parts = tape.streams.get(("gap", index), ())
    return np.concatenate([none, *(part["ts_event"] for part in parts)])


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
