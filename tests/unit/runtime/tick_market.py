"""A made-up recording in a catalog: a book that leans, trades at its middle, gaps at will."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from crypto_quant.core.instruments import Instrument
from crypto_quant.core.messages import Decision
from crypto_quant.data_pipeline.storage import KINDS, Catalog, Exps, SourceInfo
from crypto_quant.data_pipeline.storage.flags import LAST, SNAPSHOT
from crypto_quant.runtime.tape import Columns
from crypto_quant.venues.rules import load_instruments

MS = 10**6
SECOND = 10**9
T0 = 1_700_000_000 * SECOND
BID, ASK = 10_000_000, 10_000_010
"""100,000.00 and 100,000.10 on the grid of cents."""

PERP: Instrument = load_instruments()["BTCUSDT-PERP.BINANCE"]
GRID = Exps(price=2, qty=3)
Update = tuple[int, int | None, int, list[tuple[int, int, int]], int]
"""ms since T0, id of the update before, own id, rows of (side, px, qty), marks."""


class Sink:
    """Keeps every decision."""

    def __init__(self) -> None:
        self.decisions: list[Decision] = []

    def append(self, decision: Decision) -> None:
        self.decisions.append(decision)


def levels(bid_qty: int, ask_qty: int, up: int = 0) -> list[tuple[int, int, int]]:
    """Return five levels a side, moved ``up`` by grid units."""
    bids = [(1, BID + up - 10 * n, bid_qty) for n in range(5)]
    return bids + [(-1, ASK + up + 10 * n, ask_qty) for n in range(5)]


def snapshot(ms: int, last_id: int, rows: list[tuple[int, int, int]]) -> Update:
    return (ms, None, last_id, rows, SNAPSHOT)


def book(updates: Sequence[Update], latency_ms: int) -> pa.Table:
    """Return rows of kind ``delta``."""
    rows = []
    for ms, before, own, changes, marks in updates:
        for at, (side, px, qty) in enumerate(changes):
            last = LAST if at + 1 == len(changes) else 0
            stamps = (T0 + ms * MS, T0 + (ms + latency_ms) * MS)
            rows.append((*stamps, own, own, before, side, px, qty, marks | last))
    return table("delta", rows)


def trades(times_ms: Sequence[int], latency_ms: int, ids: Sequence[int] | None = None) -> pa.Table:
    """Return one trade at the ask at each of these times."""
    numbers = range(len(times_ms)) if ids is None else ids
    rows = [
        (T0 + ms * MS, T0 + (ms + latency_ms) * MS, number, ASK, 10, 1, 0)
        for ms, number in zip(times_ms, numbers, strict=True)
    ]
    return table("trade", rows)


def table(kind: str, rows: Sequence[tuple[Any, ...]]) -> pa.Table:
    """Return rows as a table of a kind."""
    schema = KINDS[kind].schema()
    columns = list(zip(*rows, strict=True))
    arrays = [pa.array(c, f.type) for c, f in zip(columns, schema, strict=True)]
    return pa.table(arrays, schema=schema)


def keep(root: Path, kind: str, rows: pa.Table, name: str, recv: str, exps: Exps = GRID) -> Catalog:
    """Write rows of the perpetual into the catalog as one file of a recorder."""
    catalog = Catalog(root)
    source = SourceInfo(name, f"hash of {kind} {name}", 1, "test")
    catalog.write(kind, PERP.id, rows, source, exps, recv)
    return catalog


def whole(parts: Iterable[Columns]) -> Columns:
    """Return a stream's parts as one."""
    held = list(parts)
    return {name: np.concatenate([part[name] for part in held]) for name in held[0]}
