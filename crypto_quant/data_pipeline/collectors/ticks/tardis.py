"""Tardis.dev downloadable CSV files: one data type and symbol a file, stamps in us.

``timestamp`` is the venue's time (``local_timestamp`` where the venue gives none), and
``local_timestamp`` when Tardis' recorder had it, on a clock of its own.

References
----------
https://docs.tardis.dev/downloadable-csv-files
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from crypto_quant.core.errors import DataError, DecodeError
from crypto_quant.core.instruments import Instrument
from crypto_quant.data_pipeline.collectors.claims import Named
from crypto_quant.data_pipeline.collectors.facts import Facts
from crypto_quant.data_pipeline.collectors.file import File
from crypto_quant.data_pipeline.collectors.table import pieces
from crypto_quant.data_pipeline.collectors.times import to_ns
from crypto_quant.data_pipeline.storage import flags
from crypto_quant.data_pipeline.storage.grid import to_grid
from crypto_quant.data_pipeline.storage.kinds import Batch, Exps

_HEAD: Final = ("exchange", "symbol", "timestamp", "local_timestamp")
_RECV: Final = "tardis local_timestamp"
_SIDES: Final = {"buy": 1, "bid": 1, "sell": -1, "ask": -1, "unknown": 0}
_TRADES: Final = ("trade", "liquidation")
_BOOK_ROW: Final = ("is_snapshot", "side", "price", "amount")

Made = tuple[dict[str, pa.Array], Exps, dict[str, int]]


class Piece:
    """A piece of a file, its two times, and where it comes from.

    ``first`` is the number of its first row in the file; trades without a numeric id are
    numbered by it. ``least`` is the grid of the instrument's rules.
    """

    def __init__(self, table: pa.Table, first: int, where: str, least: Exps) -> None:
        self.table, self.first, self.where, self.least = table, first, where, least
        self.event = to_ns(table.column("timestamp"), f"{where}: timestamp")
        self.recv = to_ns(table.column("local_timestamp"), f"{where}: local_timestamp")

    def grid(self, name: str, least: int) -> tuple[pa.Array, int]:
        """Return a column of decimals as grid integers, and the grid's decimals."""
        return to_grid(self.table.column(name), least, f"{self.where}: {name}")

    def sides(self) -> NDArray[np.int8]:
        """Return +1 for buys and bids, -1 for sells and asks, 0 for unknown."""
        text = self.table.column("side").to_pylist()
        try:
            return np.array([_SIDES[side] for side in text], dtype=np.int8)
        except KeyError as err:
            raise DataError(f"{self.where}: side: expected buy, sell, was {err}") from err

    def rows(
        self, columns: Mapping[str, pa.Array], kept: NDArray[np.bool_] | None = None
    ) -> dict[str, pa.Array]:
        """Put the times and empty marks beside columns; keep only some rows, if said."""
        n = len(self.event)
        full = {"ts_event": pa.array(self.event), "ts_recv": pa.array(self.recv), **columns}
        full.setdefault("flags", pa.array(np.zeros(n, dtype=np.uint32)))
        if kept is None:
            return full
        return {name: values.filter(pa.array(kept)) for name, values in full.items()}


def _trades(piece: Piece) -> Made:
    px, price = piece.grid("price", piece.least.price)
    qty, size = piece.grid("amount", piece.least.qty)
    columns = {"id": _ids(piece), "px": px, "qty": qty, "side": pa.array(piece.sides())}
    return piece.rows(columns), Exps(price=price, qty=size), {}


def _ids(piece: Piece) -> pa.Array:
    """Return the venue's ids; where they are no numbers, the number of the row."""
    ids = piece.table.column("id").combine_chunks()
    if ids.null_count == 0 and pc.all(pc.match_substring_regex(ids, r"^\d{1,18}$")).as_py():
        return ids.cast(pa.int64())
    return pa.array(np.arange(len(ids), dtype=np.int64) + piece.first + 1)


def _changes(piece: Piece) -> Made:
    px, price = piece.grid("price", piece.least.price)
    qty, size = piece.grid("amount", piece.least.qty)
    text = piece.table.column("is_snapshot").to_pylist()
    if not set(text) <= {"true", "false"}:
        raise DataError(f"{piece.where}: is_snapshot: expected true or false")
    is_snapshot = np.array([cell == "true" for cell in text], dtype=bool)
    ends = np.ones(len(is_snapshot), dtype=bool)
    ends[:-1] = (piece.recv[1:] != piece.recv[:-1]) | (is_snapshot[1:] != is_snapshot[:-1])
    columns = {"px": px, "qty": qty, "side": pa.array(piece.sides())}
    columns["flags"] = pa.array(_marks(is_snapshot, ends))
    return piece.rows(columns), Exps(price=price, qty=size), {}


def _marks(is_snapshot: NDArray[np.bool_], ends: NDArray[np.bool_]) -> NDArray[np.uint32]:
    return (is_snapshot * flags.SNAPSHOT + ends * flags.LAST).astype(np.uint32)


def _snapshots(piece: Piece) -> Made:
    """Turn rows of N levels a side into snapshots of up to 2 N rows."""
    names = piece.table.column_names
    depth = sum(name.startswith("bids[") and name.endswith("].price") for name in names)
    levels = [f"{side}[{n}]" for side in ("bids", "asks") for n in range(depth)]
    cells = [piece.table.column(f"{level}.price") for level in levels]
    px, price = to_grid(_interleaved(cells), piece.least.price, f"{piece.where}: price")
    cells = [piece.table.column(f"{level}.amount") for level in levels]
    qty, size = to_grid(_interleaved(cells), piece.least.qty, f"{piece.where}: amount")
    kept = pc.and_(px.is_valid(), qty.is_valid()).to_numpy(zero_copy_only=False)
    row = np.repeat(np.arange(len(piece.event)), 2 * depth)[kept]
    ends = np.ones(row.size, dtype=bool)
    ends[:-1] = row[1:] != row[:-1]
    side = np.tile(np.repeat(np.array([1, -1], dtype=np.int8), depth), len(piece.event))
    columns = {
        "ts_event": pa.array(piece.event[row]),
        "ts_recv": pa.array(piece.recv[row]),
        "side": pa.array(side[kept]),
        "px": px.filter(pa.array(kept)),
        "qty": qty.filter(pa.array(kept)),
        "flags": pa.array(_marks(np.ones(row.size, dtype=bool), ends)),
    }
    return columns, Exps(price=price, qty=size), {}


def _interleaved(columns: list[pa.ChunkedArray]) -> pa.Array:
    """Return cells row by row."""
    n, width = len(columns[0]), len(columns)
    flat = pa.concat_arrays([column.combine_chunks().cast(pa.string()) for column in columns])
    return flat.take(pa.array(np.arange(n * width).reshape(width, n).T.ravel()))


def _quotes(piece: Piece) -> Made:
    least = piece.least
    bid, bid_exp = piece.grid("bid_price", least.price)
    ask, ask_exp = piece.grid("ask_price", max(least.price, bid_exp))
    bid, bid_exp = piece.grid("bid_price", ask_exp)
    bid_qty, qty_exp = piece.grid("bid_amount", least.qty)
    ask_qty, qty_exp = piece.grid("ask_amount", qty_exp)
    bid_qty, qty_exp = piece.grid("bid_amount", qty_exp)
    columns = {"bid": bid, "bid_qty": bid_qty, "ask": ask, "ask_qty": ask_qty}
    kept = np.ones(len(piece.event), dtype=bool)
    for values in columns.values():
        kept &= values.is_valid().to_numpy(zero_copy_only=False)
    missing = int((~kept).sum())
    found = {"one_sided_quotes_left_out": missing} if missing else {}
    return piece.rows(columns, kept), Exps(price=bid_exp, qty=qty_exp), found


def _marks_of(piece: Piece) -> Made:
    index, exp = piece.grid("index_price", 0)
    mark, exp = piece.grid("mark_price", exp)
    index, exp = piece.grid("index_price", exp)
    rate, rate_exp = piece.grid("funding_rate", 0)
    due = piece.table.column("funding_timestamp").combine_chunks()
    known = due.is_valid()
    times = to_ns(pa.chunked_array([due.drop_null()]), f"{piece.where}: funding_timestamp")
    next_funding = np.zeros(len(due), dtype=np.int64)
    given = known.to_numpy(zero_copy_only=False)
    next_funding[given] = times
    columns = {
        "mark": mark,
        "index": index,
        "rate": rate,
        "next_funding": pa.array(next_funding, mask=~given),
    }
    kept = mark.is_valid().to_numpy(zero_copy_only=False)
    missing = int((~kept).sum())
    found = {"rows_without_mark_left_out": missing} if missing else {}
    return piece.rows(columns, kept), Exps(price=exp, rate=rate_exp), found


_TYPES: Final[tuple[tuple[frozenset[str], str, Callable[[Piece], Made]], ...]] = (
    (frozenset(_BOOK_ROW), "delta", _changes),
    (frozenset({"asks[0].price", "bids[0].price"}), "delta", _snapshots),
    (frozenset({"ask_amount", "ask_price", "bid_price", "bid_amount"}), "quote", _quotes),
    (frozenset({"funding_rate", "mark_price", "index_price"}), "mark", _marks_of),
    (frozenset({"id", "side", "price", "amount"}), "trade", _trades),
)


class TardisCsv:
    """Trades, liquidations, book changes, book snapshots, quotes and derivative tickers.

    Trades and liquidations have the same columns, so which of them a file holds is asked
    for. The side of a liquidation is that of the order that closed the position.
    """

    kinds = frozenset({"trade", "liquidation", "delta", "quote", "mark"})
    title = "Tardis CSV"

    def recognise(self, file: File) -> bool:
        """By the four columns that every file begins with, and one of the types."""
        return file.columns[:4] == _HEAD and _type(file) is not None

    def needs(self, file: File, facts: Facts) -> tuple[str, ...]:
        """Venue and symbol in this catalog's words: Tardis' names are its own."""
        found = _type(file)
        is_trade = found is not None and found[0] == "trade"
        return ("venue", "symbol", *(("kind",) if is_trade else ()))

    def read(
        self, file: File, facts: Facts, instruments: Mapping[str, Instrument]
    ) -> Iterator[Batch]:
        """Yield the rows; prices and quantities are exact, whatever decimals they have."""
        key = facts.instrument
        rules = instruments.get(key)
        least = Exps() if rules is None else Exps(price=rules.price_exp, qty=rules.qty_exp)
        found_type = _type(file)
        if found_type is None:
            raise DecodeError(f"{file.path}: no Tardis data type has these columns")
        kind, make = found_type
        if kind == "trade":
            kind = facts.need("kind")
            if kind not in _TRADES:
                raise DataError(f"{file.path}: holds {' or '.join(_TRADES)} rows, not {kind}")
        first, named = 0, Named(file, facts)
        for table in _whole_frames(pieces(file)):
            named.check(table)
            columns, exps, found = make(Piece(table, first, str(file.path), least))
            first += table.num_rows
            yield Batch(kind, key, pa.record_batch(columns), exps, _RECV, findings=found)
        if not first:
            raise DataError(f"{file.path}: the file has no rows")


def _type(file: File) -> tuple[str, Callable[[Piece], Made]] | None:
    have = set(file.columns)
    if "strike_price" in have:
        return None
    return next(((kind, make) for needed, kind, make in _TYPES if needed <= have), None)


def _whole_frames(tables: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """Cut pieces where the receive time changes: rows of one message stay together."""
    rest: pa.Table | None = None
    for piece in tables:
        table = piece if rest is None else pa.concat_tables([rest, piece])
        stamps = table.column("local_timestamp").combine_chunks()
        other = np.flatnonzero(
            pc.not_equal(stamps, stamps[-1]).fill_null(True).to_numpy(zero_copy_only=False)
        )
        end = int(other[-1]) + 1 if other.size else 0
        if end:
            yield table.slice(0, end).combine_chunks()
        rest = table.slice(end)
    if rest is not None and rest.num_rows:
        yield rest.combine_chunks()
