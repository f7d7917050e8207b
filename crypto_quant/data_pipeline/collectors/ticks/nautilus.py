"""Parquet files of a Nautilus catalog: trades, quotes, book deltas, bars.

Prices and sizes are fixed-point integers, 64-bit with 9 decimals or 128-bit with 16, in
little-endian binary columns; the schema's metadata holds the instrument's precision.
``ts_init`` is when the recorder had the datum.

References
----------
https://nautilustrader.io/docs/latest/concepts/data
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from crypto_quant.core.errors import DataError
from crypto_quant.core.instruments import Instrument
from crypto_quant.data_pipeline.collectors.aligned import check_aligned
from crypto_quant.data_pipeline.collectors.claims import check_interval, check_metadata
from crypto_quant.data_pipeline.collectors.facts import Facts, duration, period
from crypto_quant.data_pipeline.collectors.file import File
from crypto_quant.data_pipeline.collectors.ticks.ranges import TIMES, demand, is_time
from crypto_quant.data_pipeline.storage import flags
from crypto_quant.data_pipeline.storage.kinds import Batch, Exps

_ROWS: Final = 1 << 16
_DECIMALS: Final = {8: 9, 16: 16}
_TIMES: Final = frozenset({"ts_event", "ts_init"})
_DELETE, _CLEAR = 3, 4
_LENGTHS: Final = {"SECOND": "s", "MINUTE": "m", "HOUR": "h", "DAY": "d", "WEEK": "w"}
_BAR_TYPE: Final = re.compile(r"(.+)-(\d{1,5})-([A-Z]+)-[A-Z]+-(?:EXTERNAL|INTERNAL)(?:@.*)?")
"""``BTCUSDT-PERP.BINANCE-1-HOUR-LAST-EXTERNAL``"""

_F_LAST, _F_SNAPSHOT = 1 << 7, 1 << 5
_SIDE: Final = np.array([0, 1, -1], dtype=np.int8)
"""Nautilus' order and aggressor sides: 0 none, 1 buyer, 2 seller."""


class Rows:
    """One batch of a Nautilus file on the grid of its metadata.

    ``first`` is the number of its first row: trades without a numeric id are numbered by it,
    and errors name rows by it.
    """

    def __init__(self, batch: pa.RecordBatch, first: int, where: str) -> None:
        self.batch, self.first, self.where = batch, first, where
        self.exps = Exps(
            price=self._precision("price_precision"), qty=self._precision("size_precision")
        )

    def column(self, name: str) -> pa.Array:
        """Return a column as it is in the file, which has a value in each row."""
        values = self.batch.column(name)
        if values.null_count:
            row = int(values.is_null().to_numpy(zero_copy_only=False).argmax())
            raise DataError(f"{self._at(name)}: row {self.first + row} has no value")
        return values

    def integers(self, name: str) -> NDArray[np.int64]:
        """Return a whole-number column as int64, shape (n,); beyond 64 bits it wraps."""
        values = self.column(name)
        if not pa.types.is_integer(values.type):
            raise DataError(f"{self._at(name)}: expected whole numbers, found {values.type}")
        return np.asarray(values.to_numpy(zero_copy_only=False)).astype(np.int64)

    def codes(self, name: str, low: int, high: int, expected: str) -> NDArray[np.int64]:
        """Return a column of codes from ``low`` to ``high``, shape (n,)."""
        found = self.integers(name)
        self.demand((found >= low) & (found <= high), expected, name, self.batch.column(name))
        return found

    def demand(self, good: NDArray[np.bool_], expected: str, name: str, values: pa.Array) -> None:
        """Refuse the first value of a column that is not good, with its row in the file."""
        rows = range(self.first, self.first + len(values))
        demand(good, expected, values, rows, self._at(name))

    def price(self, name: str) -> pa.Array:
        """Return a fixed-point column of prices as integers, exactly."""
        return self._narrow(name, _decimals(self.column(name), self._at(name)), self.exps.price)

    def size(self, name: str) -> pa.Array:
        """Return a fixed-point column of sizes, which are 0 or more, as integers, exactly."""
        exact = _decimals(self.column(name), self._at(name))
        self.demand(_halves(exact)[:, 1] >= 0, "a size of 0 or more", name, exact)
        return self._narrow(name, exact, self.exps.qty)

    def base(self) -> dict[str, pa.Array]:
        """Return the two times and empty marks."""
        return {
            "ts_event": self._times("ts_event"),
            "ts_recv": self._times("ts_init"),
            "flags": pa.array(np.zeros(len(self.batch), dtype=np.uint32)),
        }

    def _times(self, name: str) -> pa.Array:
        stamps = self.integers(name)
        self.demand(is_time(stamps), TIMES, name, self.batch.column(name))
        return pa.array(stamps)

    def _narrow(self, name: str, exact: pa.Array, exp: int) -> pa.Array:
        try:
            narrow = pc.cast(exact, pa.decimal128(38, exp))
        except pa.ArrowInvalid as err:
            text = f"{self._at(name)} has more than the {exp} decimals of its metadata"
            raise DataError(text) from err
        low, high = _halves(narrow).T
        self.demand(high == low >> 63, "64 bits", name, narrow)
        return pa.array(low)

    def _at(self, name: str) -> str:
        return f"{self.where}: {name}"

    def _precision(self, name: str) -> int:
        try:
            digits = int((self.batch.schema.metadata or {})[name.encode()])
        except (KeyError, ValueError) as err:
            raise DataError(f"{self.where}: no price and size precision in its metadata") from err
        most = max(_DECIMALS.values())
        if not 0 <= digits <= most:
            raise DataError(
                f"{self.where}: {name} in its metadata: expected 0 to {most}, was {digits}"
            )
        return digits


def _decimals(column: pa.Array, what: str) -> pa.Array:
    """Return a fixed-point column of either width as decimals."""
    kind = column.type
    is_whole = pa.types.is_integer(kind) and kind.bit_width == 64
    width = 8 if is_whole else kind.byte_width if pa.types.is_fixed_size_binary(kind) else 0
    if width not in _DECIMALS:
        raise DataError(f"{what}: expected fixed-point numbers of 8 or 16 bytes, found {kind}")
    wide = np.frombuffer(column.buffers()[1], dtype="<i8").reshape(-1, width // 8)
    wide = wide[column.offset : column.offset + len(column)]
    halves = np.empty((len(wide), 2), dtype=np.int64)
    halves[:, 0] = wide[:, 0]
    halves[:, 1] = wide[:, 1] if width == 16 else wide[:, 0] >> 63
    buffers = [None, pa.py_buffer(halves.tobytes())]
    return pa.Array.from_buffers(pa.decimal128(38, _DECIMALS[width]), len(halves), buffers)


def _halves(decimals: pa.Array) -> NDArray[np.int64]:
    """Return the low and the high 64 bits of whole decimal128 arrays, shape (n, 2)."""
    return np.frombuffer(decimals.buffers()[1], dtype="<i8").reshape(-1, 2)


def _trades(rows: Rows) -> dict[str, pa.Array]:
    ids = rows.column("trade_id")
    side = rows.codes("aggressor_side", 0, 2, "0, 1 or 2")
    is_numeric = pc.all(pc.match_substring_regex(ids, r"^\d{1,18}$"), min_count=0).as_py()
    number = pa.array(np.arange(len(ids), dtype=np.int64) + rows.first + 1)
    return rows.base() | {
        "id": ids.cast(pa.int64()) if is_numeric else number,
        "px": rows.price("price"),
        "qty": rows.size("size"),
        "side": pa.array(_SIDE[side]),
    }


def _quotes(rows: Rows) -> dict[str, pa.Array]:
    return rows.base() | {
        "bid": rows.price("bid_price"),
        "bid_qty": rows.size("bid_size"),
        "ask": rows.price("ask_price"),
        "ask_qty": rows.size("ask_size"),
    }


def _deltas(rows: Rows) -> dict[str, pa.Array]:
    """Read book changes; a CLEAR that no snapshot follows leaves no book."""
    action, marks = rows.codes("action", 1, _CLEAR, f"1 to {_CLEAR}"), rows.integers("flags")
    is_clear = action == _CLEAR
    side = _sides(rows, is_clear)
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
    qty = rows.size("size").to_numpy(zero_copy_only=False).copy()
    qty[(action == _DELETE) | is_clear] = 0
    px = rows.price("price").to_numpy(zero_copy_only=False).copy()
    px[is_clear] = 0
    bits = is_snapshot * flags.SNAPSHOT + (ends | (is_clear & ~heads)) * flags.LAST
    columns |= {
        "side": pa.array(side),
        "px": pa.array(px),
        "qty": pa.array(qty),
        "flags": pa.array(bits.astype(np.uint32)),
    }
    return {name: values.filter(pa.array(~heads)) for name, values in columns.items()}


def _sides(rows: Rows, is_clear: NDArray[np.bool_]) -> NDArray[np.int8]:
    """Return the sides of book changes; only what clears both has none."""
    found = rows.integers("side")
    rows.demand(is_clear | (found == 1) | (found == 2), "1 or 2", "side", rows.batch.column("side"))
    return _SIDE[np.where(is_clear, 0, found)]


def _bars(rows: Rows) -> dict[str, pa.Array]:
    columns = rows.base()
    for name in ("open", "high", "low", "close"):
        columns[name] = rows.price(name)
    columns["volume"] = rows.size("volume")
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
        if found is None or found[0] != "bar":
            return ("venue", "symbol")
        told = _bar_type(file)[1] is not None
        return ("venue", "symbol", *(() if told else ("interval",)), "stamp")

    def read(
        self, file: File, facts: Facts, instruments: Mapping[str, Instrument]
    ) -> Iterator[Batch]:
        """Yield the rows, exact on the file's own precision."""
        found = _type(file)
        if found is None:
            raise DataError(f"{file.path}: no Nautilus type has these columns")
        kind, make = found
        facts = _agreed(file, facts)
        with pq.ParquetFile(file.path) as parquet:
            metadata = parquet.schema_arrow.metadata
            first = 0
            for batch in parquet.iter_batches(_ROWS):
                rows = Rows(batch.replace_schema_metadata(metadata), first, str(file.path))
                first += len(batch)
                columns = make(rows)
                if kind == "bar":
                    yield _bar_batch(facts, columns, rows.exps, str(file.path))
                else:
                    data = pa.record_batch(columns)
                    yield Batch(kind, facts.instrument, data, rows.exps, "nautilus ts_init")
        if not first:
            raise DataError(f"{file.path}: the file has no rows")


def _agreed(file: File, facts: Facts) -> Facts:
    """Return what was said, with the interval of the metadata, if neither contradicts the other.

    Raises
    ------
    DataError
        The metadata is of another instrument, venue or length of bars.
    """
    metadata = file.schema.metadata if file.schema is not None else None
    where = str(file.path)
    check_metadata(where, metadata, facts)
    instrument, length = _bar_type(file)
    if length is None:
        return facts
    check_metadata(where, {b"instrument_id": instrument.encode()}, facts)
    check_interval(where, "bar_type", length, facts)
    return replace(facts, interval=period(length))


def _bar_type(file: File) -> tuple[str, int | None]:
    """Return the instrument and the length in ns of the bars that the metadata names."""
    metadata = (file.schema.metadata if file.schema is not None else None) or {}
    found = _BAR_TYPE.fullmatch(metadata.get(b"bar_type", b"").decode("utf-8", "replace"))
    if found is None or found[3] not in _LENGTHS:
        return "", None
    return found[1], duration(f"{found[2]}{_LENGTHS[found[3]]}", "bar_type")


def _bar_batch(facts: Facts, columns: dict[str, pa.Array], exps: Exps, where: str) -> Batch:
    """Stamp bars with their open; they are known at their end, and not before ``ts_init``."""
    length = duration(facts.need("interval"), "interval")
    stamp = columns["ts_event"].to_numpy()
    opened = stamp - length if facts.need("stamp") == "close" else stamp
    check_aligned(opened, length, f"{where}: ts_event")
    known = np.maximum(columns["ts_recv"].to_numpy(), opened + length)
    columns |= {"ts_event": pa.array(opened), "ts_recv": pa.array(known)}
    key = f"{facts.instrument}/{period(length)}"
    return Batch("bar", key, pa.record_batch(columns), exps, "nautilus ts_init", length)


def _type(file: File) -> tuple[str, Callable[[Rows], dict[str, pa.Array]]] | None:
    have = set(file.columns)
    if not have >= _TIMES:
        return None
    return next(((kind, make) for needed, kind, make in _TYPES if needed <= have), None)
