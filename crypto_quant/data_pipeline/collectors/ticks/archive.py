"""Tick files of Binance's public archive: trades, aggTrades, bookTicker; CSV, plain or packed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pyarrow as pa

from crypto_quant.core.errors import DataError
from crypto_quant.core.instruments import Instrument
from crypto_quant.data_pipeline.collectors.facts import Facts
from crypto_quant.data_pipeline.collectors.file import File
from crypto_quant.data_pipeline.collectors.ticks.frames import grid_of, off_grid
from crypto_quant.data_pipeline.collectors.ticks.reader import Layout, TickReader
from crypto_quant.data_pipeline.storage.grid import rescale
from crypto_quant.data_pipeline.storage.kinds import Batch, Exps

_TRADES: Final = ("id", "price", "qty")
_AGG_TRADES: Final = ("agg_trade_id", "price", "quantity")
_BOOK_TICKER: Final = ("update_id", "best_bid_price", "best_bid_qty")
_BOOLEANS: Final = frozenset({"true", "false"})
_RECV: Final = {
    "trade": "synthetic: ts_event (the archive has no receive time)",
    "agg_trade": "synthetic: ts_event (the archive has no receive time)",
    "quote": "synthetic: the venue's event_time (the archive has no receive time)",
}


@dataclass(frozen=True, slots=True)
class BinanceArchive:
    """One kind of tick file, with a header row or, as before 2022 and on spot, without.

    Without a header the kinds are told apart by where the booleans stand.
    """

    layout: Layout
    kind: str
    columns: tuple[str, str, str]
    flags_at: tuple[int, ...]
    lengths: tuple[int, ...]
    title: str

    @property
    def kinds(self) -> frozenset[str]:
        """The one kind it makes."""
        return frozenset({self.kind})

    def recognise(self, file: File) -> bool:
        """By the header's first names, else by the shape of the first row."""
        if file.schema is not None or len(file.members) > 1:
            return False
        if file.columns:
            return file.columns[:3] == self.columns
        row = file.row(0)
        if len(row) not in self.lengths or not all(_is_plain(cell) for cell in row[:5]):
            return False
        flags = tuple(n for n, cell in enumerate(row) if cell.lower() in _BOOLEANS)
        return flags in (self.flags_at, (*self.flags_at, len(row) - 1)) and flags != ()

    def needs(self, file: File, facts: Facts) -> tuple[str, ...]:
        """Ask for what the rows do not name."""
        return ("venue", "symbol")

    def read(
        self, file: File, facts: Facts, instruments: Mapping[str, Instrument]
    ) -> Iterator[Batch]:
        """Yield the rows; those of a bookTicker file are put in order of update id."""
        key = facts.instrument
        rules = instruments.get(key)
        reader = TickReader(file, self.layout, "", grid_of(rules))
        held: Batch | None = None
        for rows, exps in self._rows(reader, file):
            if held is not None:
                yield held
            found = off_grid(rules, self.kind, rows, exps)
            held = Batch(self.kind, key, rows, exps, _RECV[self.kind], findings=found)
        if held is None:
            raise DataError(f"{file.path}: the file has no rows")
        gaps = reader.stats["trade_breaks"] + reader.stats["agg_breaks"]
        found = {**held.findings, "trade_id_gaps": gaps} if gaps else dict(held.findings)
        yield replace(held, findings=found)

    def _rows(self, reader: TickReader, file: File) -> Iterator[tuple[pa.RecordBatch, Exps]]:
        """Yield rows and their grid; quotes in order of update id, on one grid."""
        if self.kind != "quote":
            yield from ((rows.data, rows.exps) for rows in reader)
            return
        tables = ((pa.Table.from_batches([rows.data]), rows.exps) for rows in reader)
        yield from in_order(tables, str(file.path))


def _is_plain(cell: str) -> bool:
    return bool(cell) and cell.replace(".", "", 1).isdigit()


WINDOW: Final = 1 << 18
"""Rows that a late row may be late by."""


def in_order(
    tables: Iterator[tuple[pa.Table, Exps]], where: str
) -> Iterator[tuple[pa.RecordBatch, Exps]]:
    """Yield quotes in order of update id, holding back a window for late ones.

    Raises
    ------
    DataError
        A row is later than the window can mend.
    """
    waiting, grid = pa.table({}), Exps()
    reached = -(2**63)
    for rows, exps in tables:
        held = rescale(waiting, "quote", grid, exps) if waiting.num_columns else rows.slice(0, 0)
        waiting, grid = pa.concat_tables([held, rows]), exps
        ids = waiting.column("update_id").to_numpy()
        if (np.diff(ids) < 0).any():
            waiting = waiting.take(pa.array(np.argsort(ids, kind="stable")))
            ids = waiting.column("update_id").to_numpy()
        if ids[0] < reached:
            raise DataError(f"{where}: update_id {ids[0]} comes more than {WINDOW} rows too late")
        ready = waiting.num_rows - WINDOW
        if ready > 0:
            reached = int(ids[ready - 1])
            for batch in waiting.slice(0, ready).combine_chunks().to_batches():
                yield batch, grid
            waiting = waiting.slice(ready)
    for batch in waiting.combine_chunks().to_batches():
        yield batch, grid


TRADES: Final = BinanceArchive("trades", "trade", _TRADES, (5,), (6, 7), "Binance archive trades")
AGG_TRADES: Final = BinanceArchive(
    "agg_trades", "agg_trade", _AGG_TRADES, (6,), (7, 8), "Binance archive aggTrades"
)
BOOK_TICKER: Final = BinanceArchive(
    "book_ticker", "quote", _BOOK_TICKER, (), (), "Binance archive bookTicker"
)
