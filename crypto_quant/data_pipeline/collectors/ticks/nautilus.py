"""Parquet files of a Nautilus catalog: trades, quotes, book deltas, bars.

Prices and sizes are fixed-point integers, 64-bit with 9 decimals or 128-bit with 16, in
little-endian binary columns; the schema's metadata holds the instrument's precision.
``ts_init`` is when the recorder had the datum.

References
----------
https://nautilustrader.io/docs/latest/concepts/data
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from crypto_quant.core.errors import DataError
from crypto_quant.core.instruments import Instrument
from crypto_quant.data_pipeline.collectors.facts import Facts, duration, period
from crypto_quant.data_pipeline.collectors.file import File
from crypto_quant.data_pipeline.storage import flags
from crypto_quant.data_pipeline.storage.kinds import Batch, Exps

_ROWS: Final = 1 << 16
_DECIMALS: Final = {8: 9, 16: 16}
_TIMES: Final = frozenset({"ts_event", "ts_init"})
_DELETE, _CLEAR = 3, 4
_F_LAST, _F_SNAPSHOT = 1 << 7, 1 << 5
_SIDE: Final = np.array([0, 1, -1], dtype=np.int8)
"""Nautilus' order and aggressor sides: 0 none, 1 buyer, 2 seller."""


class Rows:
    """One batch of a Nautilus file on the grid of its metadata.

    ``first`` is the number of its first row: trades without a numeric id are numbered by it.
    """

    def __init__(self, batch: pa.RecordBatch, first: int, where: str) -> None:
        self.batch, self.first, self.where = batch, first, where
        metadata = batch.schema.metadata or {}
        try:
            price = int(metadata[b"price_precision"])
            self.exps = Exps(price=price, qty=int(metadata[b"size_precision"]))
        except (KeyError, ValueError) as err:
            raise DataError(f"{where}: no price and size precision in its metadata") from err

    def integers(self, name: str) -> NDArray[np.int64]:
        """Return a whole-number column as int64, shape (n,)."""
        values = pc.cast(self.batch.column(name), pa.int64())
        return np.asarray(values.to_numpy(zero_copy_only=False), dtype=np.int64)

    def fixed(self, name: str, exp: int) -> pa.Array:
        """Return a fixed-point column as integers of ``10**-exp``, exactly."""
        column = self.batch.column(name)
        width = 8 if pa.types.is_integer(column.type) else column.type.byte_width
        raw = column.buffers()[1]
        wide = np.frombuffer(raw, dtype="<i8").reshape(-1, width // 8)
        wide = wide[column.offset : column.offset + len(column)]
        halves = np.empty((len(wide), 2), dtype=np.int64)
        halves[:, 0] = wide[:, 0]
        halves[:, 1] = wide[:, 1] if width == 16 else wide[:, 0] >> 63
        scale = _DECIMALS[width]
        buffers = [None, pa.py_buffer(halves.tobytes())]
        exact = pa.Array.from_buffers(pa.decimal128(38, scale), len(halves), buffers)
        try:
            narrow = pc.cast(exact, pa.decimal128(38, exp))
        except pa.ArrowInvalid as err:
            text = f"{self.where}: {name} has more than the {exp} decimals of its metadata"
            raise DataError(text) from err
        low, high = np.frombuffer(narrow.buffers()[1], dtype="<i8").reshape(-1, 2).T
        if (high != low >> 63).any():
            raise DataError(f"{self.where}: {name} does not fit 64 bits")
        return pa.array(low)

    def base(self) -> dict[str, pa.Array]:
        """Return the two times and empty marks."""
        return {
            "ts_event": pa.array(self.integers("ts_event")),
            "ts_recv": pa.array(self.integers("ts_init")),
            "flags": pa.array(np.zeros(len(self.batch), dtype=np.uint32)),
        }


def _trades(rows: Rows) -> dict[str, pa.Array]:
    ids = rows.batch.column("trade_id")
    is_numeric = pc.all(pc.match_substring_regex(ids, r"^\d{1,18}$"), min_count=0).as_py()
    number = pa.array(np.arange(len(ids), dtype=np.int64) + rows.first + 1)
    return rows.base() | {
        "id": ids.cast(pa.int64()) if is_numeric else number,
        "px": rows.fixed("price", rows.exps.price),
        "qty": rows.fixed("size", rows.exps.qty),
        "side": pa.array(_SIDE[rows.integers("aggressor_side")]),
    }


def _quotes(rows: Rows) -> dict[str, pa.Array]:
    return rows.base() | {
        "bid": rows.fixed("bid_price", rows.exps.price),
        "bid_qty": rows.fixed("bid_size", rows.exps.qty),
        "ask": rows.fixed("ask_price", rows.exps.price),
        "ask_qty": rows.fixed("ask_size", rows.exps.qty),
    }


def _deltas(rows: Rows) -> dict[str, pa.Array]:
    """Read book changes; a CLEAR that no snapshot follows leaves no book."""
    action, marks = rows.integers("action"), rows.integers("flags")
    is_clear = action == _CLEAR
    is_snapshot = is_clear | (marks & _F_SNAPSHOT != 0)
    ends = marks & _F_LAST != 0
    columns = rows.base()
    if not ends.any():
        recv = columns["ts_recv"].to_numpy()
        ends = np.ones(len(recv), dtype=bool)
        ends[:-1] = recv[1:] != recv[:-1]
    # A CLEAR is only the head of the snapshot that goes on in the next row.
    heads = np.zeros(len(action), dtype=bool)
    heads[:-1] = is_clear[:-1] & (marks[1:] & _F_SNAPSHOT != 0) & ~is_clear[1:]
    side = np.where(is_clear, np.int8(0), _SIDE[rows.integers("side")])
    qty = rows.fixed("size", rows.exps.qty).to_numpy(zero_copy_only=False).copy()
    qty[(action == _DELETE) | is_clear] = 0
    px = rows.fixed("price", rows.exps.price).to_numpy(zero_copy_only=False).copy()
    px[is_clear] = 0
    bits = is_snapshot * flags.SNAPSHOT + (ends | (is_clear & ~heads)) * flags.LAST
    columns |= {
        "side": pa.array(side),
        "px": pa.array(px),
        "qty": pa.array(qty),
        "flags": pa.array(bits.astype(np.uint32)),
    }
    return {name: values.filter(pa.array(~heads)) for name, values in columns.items()}


def _bars(rows: Rows) -> dict[str, pa.Array]:
    columns = rows.base()
    for name in ("open", "high", "low", "close"):
        columns[name] = rows.fixed(name, rows.exps.price)
    columns["volume"] = rows.fixed("volume", rows.exps.qty)
    return columns


_TYPES: Final[tuple[tuple[frozenset[str], str, Callable[[Rows], dict[str, pa.Array]]], ...]] = (
    (frozenset({"action", "side", "price", "size", "flags"}), "delta", _deltas),
    (frozenset({"price", "size", "aggressor_side", "trade_id"}), "trade", _trades),
    (frozenset({"bid_price", "ask_price", "bid_size", "ask_size"}), "quote", _quotes),
    (frozenset({"open", "high", "low", "close", "volume"}), "bar", _bars),
)


class NautilusParquet:
    """Trade ticks, quote ticks, order book deltas and bars as Nautilus stores them."""

    kinds = frozenset({"trade", "quote", "delta", "bar"})
    title = "Nautilus catalog Parquet"

    def recognise(self, file: File) -> bool:
        """By its columns, two times, and the precision in the schema's metadata."""
        if file.container != "parquet" or file.schema is None or _type(file) is None:
            return False
        return b"price_precision" in (file.schema.metadata or {})

    def needs(self, file: File, facts: Facts) -> tuple[str, ...]:
        """Ids are this catalog's own; for bars also their length and what their stamp is."""
        found = _type(file)
        is_bar = found is not None and found[0] == "bar"
        return ("venue", "symbol", *(("interval", "stamp") if is_bar else ()))

    def read(
        self, file: File, facts: Facts, instruments: Mapping[str, Instrument]
    ) -> Iterator[Batch]:
        """Yield the rows, exact on the file's own precision."""
        found = _type(file)
        if found is None:
            raise DataError(f"{file.path}: no Nautilus type has these columns")
        kind, make = found
        with pq.ParquetFile(file.path) as parquet:
            metadata = parquet.schema_arrow.metadata
            first = 0
            for batch in parquet.iter_batches(_ROWS):
                rows = Rows(batch.replace_schema_metadata(metadata), first, str(file.path))
                first += len(batch)
                columns = make(rows)
                if kind == "bar":
                    yield _bar_batch(facts, columns, rows.exps)
                else:
                    data = pa.record_batch(columns)
                    yield Batch(kind, facts.instrument, data, rows.exps, "nautilus ts_init")


def _bar_batch(facts: Facts, columns: dict[str, pa.Array], exps: Exps) -> Batch:
    """Stamp bars with their open; they are known at their end, and not before ``ts_init``."""
    length = duration(facts.need("interval"), "interval")
    stamp = columns["ts_event"].to_numpy()
    opened = stamp - length if facts.need("stamp") == "close" else stamp
    known = np.maximum(columns["ts_recv"].to_numpy(), opened + length)
    columns |= {"ts_event": pa.array(opened), "ts_recv": pa.array(known)}
    key = f"{facts.instrument}/{period(length)}"
    return Batch("bar", key, pa.record_batch(columns), exps, "nautilus ts_init", length)


def _type(file: File) -> tuple[str, Callable[[Rows], dict[str, pa.Array]]] | None:
    have = set(file.columns)
    if not have >= _TIMES:
        return None
    return next(((kind, make) for needed, kind, make in _TYPES if needed <= have), None)
