"""hftbacktest's event arrays: read as a capture, and written for its users.

An event is ``ev u64, exch_ts i64, local_ts i64, px f64, qty f64, order_id u64, ival i64,
fval f64``; ``ev`` holds a kind in its low byte and flags above. An event whose two times
are in different order is held twice, once for the exchange's order and once for the local.

References
----------
https://hftbacktest.readthedocs.io/en/latest/data.html
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from tokenize import TokenError
from typing import IO, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from crypto_quant.core.errors import DataError, DecodeError
from crypto_quant.core.instruments import Instrument
from crypto_quant.data_pipeline.collectors.facts import Facts
from crypto_quant.data_pipeline.collectors.file import File
from crypto_quant.data_pipeline.collectors.ticks.ranges import TIMES, demand, is_time
from crypto_quant.data_pipeline.storage import flags
from crypto_quant.data_pipeline.storage.grid import to_grid
from crypto_quant.data_pipeline.storage.kinds import Batch, Exps

EVENT: Final = np.dtype(
    [
        ("ev", "<u8"),
        ("exch_ts", "<i8"),
        ("local_ts", "<i8"),
        ("px", "<f8"),
        ("qty", "<f8"),
        ("order_id", "<u8"),
        ("ival", "<i8"),
        ("fval", "<f8"),
    ]
)
DEPTH, TRADE, CLEAR, SNAPSHOT = 1, 2, 3, 4
EXCH, LOCAL, BUY, SELL = 1 << 31, 1 << 30, 1 << 29, 1 << 28

_ROWS: Final = 1 << 18
_MAGIC: Final = b"\x93NUMPY"
_LIMIT: Final = 2.0**63
_SIDES: Final = np.array(["neither", "BUY", "SELL", "both"])
_RECV: Final = "hftbacktest local_ts"


class HftbacktestNpz:
    """``.npz`` with one array of events under any name."""

    kinds = frozenset({"trade", "delta"})
    title = "hftbacktest event array (npz)"

    def recognise(self, file: File) -> bool:
        """Look for a NumPy array of that record, type by type, in a zip."""
        if file.container != "zip" or not file.head.startswith(_MAGIC):
            return False
        try:
            _length(io.BytesIO(file.head))
        except (ValueError, EOFError):
            return False
        return True

    def needs(self, file: File, facts: Facts) -> tuple[str, ...]:
        """Events do not name what they are of."""
        return ("venue", "symbol")

    def read(
        self, file: File, facts: Facts, instruments: Mapping[str, Instrument]
    ) -> Iterator[Batch]:
        """Yield trades and deltas in local order.

        Trades have no id in this layout: they are numbered from 1. A side that is cleared
        without a snapshot leaves no book: a SNAPSHOT row without a level says so.
        """
        if len(file.members) > 1:
            names = ", ".join(file.members[:4])
            raise DataError(f"{file.path}: expected one array, found {names}: split it")
        key, rules = facts.instrument, instruments.get(facts.instrument)
        trades = used = 0
        for events in _chunks(file):
            kind = events["ev"] & 0xFF
            is_trade = kind == TRADE
            is_depth = (kind == DEPTH) | (kind == SNAPSHOT) | (kind == CLEAR)
            others = int((~is_trade & ~is_depth).sum())
            found = {"other_events": others} if others else {}
            rows, exps = _trades(events[is_trade], trades, rules, str(file.path))
            trades += int(is_trade.sum())
            yield Batch("trade", key, rows, exps, _RECV, findings=found)
            rows, exps = _deltas(events[is_depth], rules, str(file.path))
            yield Batch("delta", key, rows, exps, _RECV)
            used += len(events) - others
        if not used:
            raise DataError(f"{file.path}: no trade and no book event in local order")


def _length(stream: IO[bytes]) -> int:
    """Read the header of an array of events; ``ValueError`` if it is another's."""
    version = np.lib.format.read_magic(stream)
    read = (
        np.lib.format.read_array_header_1_0
        if version == (1, 0)
        else np.lib.format.read_array_header_2_0
    )
    try:
        shape, _, dtype = read(stream)
    except (SyntaxError, TokenError) as err:
        raise ValueError("the header is broken") from err
    if dtype != EVENT or len(shape) != 1 or shape[0] < 0:
        raise ValueError("no array of events")
    return int(shape[0])


def _chunks(file: File) -> Iterator[NDArray[np.void]]:
    """Yield events of the local order; a chunk ends where the time changes: frames stay whole."""
    try:
        with zipfile.ZipFile(file.path) as archive, archive.open(file.members[0]) as stream:
            count = left = _length(stream)
            rest = np.empty(0, dtype=EVENT)
            while left:
                want = min(left, _ROWS)
                data = stream.read(want * EVENT.itemsize)
                if len(data) < want * EVENT.itemsize:
                    raise EOFError("the array ends early")
                events = np.frombuffer(data, dtype=EVENT)
                _check(events, count - left, str(file.path))
                events = np.concatenate([rest, events[events["ev"] & LOCAL != 0]])
                left -= want
                end = len(events)
                if left and end:
                    other = np.flatnonzero(events["local_ts"] != events["local_ts"][-1])
                    end = int(other[-1]) + 1 if other.size else 0
                yield events[:end]
                rest = events[end:]
    except (OSError, EOFError, ValueError, zlib.error, zipfile.BadZipFile) as err:
        raise DecodeError(f"{file.path}: corrupt npz ({err})") from err


def _check(events: NDArray[np.void], first: int, where: str) -> None:
    """Refuse events that are read and cannot be: ``first`` is the first's row in the file.

    A clear has no price: whatever stands there, both sides are gone.
    """
    rows = range(first, first + len(events))
    kind = events["ev"] & 0xFF
    used = (events["ev"] & LOCAL != 0) & (kind >= DEPTH) & (kind <= SNAPSHOT)
    for name in ("exch_ts", "local_ts"):
        stamps = events[name]
        demand(~used | is_time(stamps), TIMES, stamps, rows, f"{where}: {name}")
    is_free = ~used | (kind == CLEAR)
    px, qty = events["px"], events["qty"]
    demand(is_free | (np.abs(px) < _LIMIT), "a number of 64 bits", px, rows, f"{where}: px")
    is_size = (qty >= 0) & (qty < _LIMIT)
    demand(is_free | is_size, "0 or more in 64 bits", qty, rows, f"{where}: qty")
    sides = (events["ev"] & BUY != 0) + 2 * (events["ev"] & SELL != 0)
    words, what = _SIDES[sides], f"{where}: ev"
    is_one = (sides == 1) | (sides == 2)
    is_trade = kind == TRADE
    demand(is_free | is_one | is_trade, "BUY or SELL", words, rows, what)
    demand(is_free | (sides != 3), "BUY, SELL or neither", words, rows, what)


def _sides(events: NDArray[np.void]) -> NDArray[np.int8]:
    sides = np.zeros(len(events), dtype=np.int8)
    sides[events["ev"] & BUY != 0] = 1
    sides[events["ev"] & SELL != 0] = -1
    return sides


def _on_grid(
    events: NDArray[np.void], rules: Instrument | None, where: str
) -> tuple[pa.Array, pa.Array, Exps]:
    least = (0, 0) if rules is None else (rules.price_exp, rules.qty_exp)
    px, price_exp = to_grid(pa.array(events["px"].copy()), least[0], f"{where}: px")
    qty, qty_exp = to_grid(pa.array(events["qty"].copy()), least[1], f"{where}: qty")
    return px, qty, Exps(price=price_exp, qty=qty_exp)


def _trades(
    events: NDArray[np.void], before: int, rules: Instrument | None, where: str
) -> tuple[pa.RecordBatch, Exps]:
    px, qty, exps = _on_grid(events, rules, where)
    columns = {
        "ts_event": pa.array(events["exch_ts"].copy()),
        "ts_recv": pa.array(events["local_ts"].copy()),
        "id": pa.array(np.arange(len(events), dtype=np.int64) + before + 1),
        "px": px,
        "qty": qty,
        "side": pa.array(_sides(events)),
        "flags": pa.array(np.zeros(len(events), dtype=np.uint32)),
    }
    return pa.record_batch(columns), exps


def _deltas(
    events: NDArray[np.void], rules: Instrument | None, where: str
) -> tuple[pa.RecordBatch, Exps]:
    kind, local = events["ev"] & 0xFF, events["local_ts"]
    with_snapshot = np.isin(local, local[kind == SNAPSHOT])
    kept = (kind != CLEAR) | ~with_snapshot
    events, kind, local = events[kept], kind[kept], local[kept]
    is_clear = kind == CLEAR
    side = np.where(is_clear, np.int8(0), _sides(events))
    is_snapshot = is_clear | (kind == SNAPSHOT)
    ends = np.ones(len(events), dtype=bool)
    ends[:-1] = (local[1:] != local[:-1]) | (is_snapshot[1:] != is_snapshot[:-1])
    marks = is_snapshot * flags.SNAPSHOT + ends * flags.LAST
    plain = events.copy()
    plain["px"][is_clear] = 0.0
    plain["qty"][is_clear] = 0.0
    px, qty, exps = _on_grid(plain, rules, where)
    columns = {
        "ts_event": pa.array(events["exch_ts"].copy()),
        "ts_recv": pa.array(local.copy()),
        "side": pa.array(side.astype(np.int8)),
        "px": px,
        "qty": qty,
        "flags": pa.array(marks.astype(np.uint32)),
    }
    return pa.record_batch(columns), exps


def to_events(deltas: pa.Table, trades: pa.Table) -> NDArray[np.void]:
    """Make hftbacktest's events of a book and its trades.

    Parameters
    ----------
    deltas : pa.Table
        Rows of ``chain.book_rows``, on re-based times; its metadata tells the grid.
    trades : pa.Table
        Rows of kind ``trade``, on re-based times. Trades that are not the market's are
        left out, as hftbacktest's own converter does.

    Returns
    -------
    NDArray
        Structured ``EVENT`` array of shape (n,), valid in both orders of time.

    Raises
    ------
    DataError
        A row was received before it happened: re-base the times first.
    """
    marks = trades.column("flags").to_numpy()
    trades = trades.filter(pa.array(marks & flags.NOT_MARKET == 0))
    is_snapshot = deltas.column("flags").to_numpy() & flags.SNAPSHOT != 0
    book = _events(deltas, np.where(is_snapshot, SNAPSHOT, DEPTH))
    printed = _events(trades, np.full(trades.num_rows, TRADE))
    events = np.concatenate([_clears(book, is_snapshot), printed])
    if (events["local_ts"] < events["exch_ts"]).any():
        raise DataError("rows were received before they happened: re-base ts_recv first")
    return _in_both_orders(events[np.argsort(events["local_ts"], kind="stable")])


def write_npz(stream: IO[bytes], events: NDArray[np.void]) -> None:
    """Write an event array as hftbacktest reads it: deflated, under the name ``data``."""
    np.savez_compressed(stream, data=events)


def _events(table: pa.Table, kind: NDArray[np.int64]) -> NDArray[np.void]:
    metadata = table.schema.metadata or {}
    try:
        scale = [10.0 ** int(metadata[name]) for name in (b"price_exp", b"qty_exp")]
    except KeyError as err:
        raise DataError("rows without grid: take them from Catalog.scan") from err
    events = np.zeros(table.num_rows, dtype=EVENT)
    side = table.column("side").to_numpy()
    events["ev"] = kind.astype(np.uint64) | np.where(side > 0, BUY, SELL).astype(np.uint64)
    events["exch_ts"] = table.column("ts_event").to_numpy()
    events["local_ts"] = table.column("ts_recv").to_numpy()
    events["px"] = table.column("px").to_numpy() / scale[0]
    events["qty"] = table.column("qty").to_numpy() / scale[1]
    return events


def _clears(book: NDArray[np.void], is_snapshot: NDArray[np.bool_]) -> NDArray[np.void]:
    """Put before each snapshot what clears both sides as far as the snapshot reaches."""
    begins = np.flatnonzero(np.diff(is_snapshot.astype(np.int8), prepend=0) == 1)
    ends = np.flatnonzero(np.diff(is_snapshot.astype(np.int8), append=0) == -1) + 1
    places: list[int] = []
    rows: list[NDArray[np.void]] = []
    for begin, end in zip(begins, ends, strict=True):
        block = book[begin:end]
        for side, farthest in ((BUY, np.min), (SELL, np.max)):
            levels = block[block["ev"] & side != 0]
            if levels.size:
                clear = block[:1].copy()
                clear["ev"], clear["qty"] = CLEAR | side, 0.0
                clear["px"] = farthest(levels["px"])
                places.append(int(begin))
                rows.append(clear)
    return np.insert(book, places, np.concatenate(rows)) if rows else book


def _in_both_orders(events: NDArray[np.void]) -> NDArray[np.void]:
    """Flag events for both processors; hold one twice where its two times disagree.

    At the exchange trades come before the level changes of the same time, which contain them.
    In local order, events that are the latest there so far serve both orders. One that comes
    late is kept here for the local order, and put again, for the exchange's, before the first
    event that is later there.
    """
    is_trade = events["ev"] & np.uint64(0xFF) == TRADE
    rank = np.empty(len(events), dtype=np.int64)
    rank[np.lexsort((~is_trade, events["exch_ts"]))] = np.arange(len(events))
    latest = np.maximum.accumulate(rank)
    late = rank < latest
    local = events.copy()
    both = np.uint64(EXCH | LOCAL)
    local["ev"] |= np.where(late, np.uint64(LOCAL), both)
    again = events[late].copy()
    again["ev"] |= np.uint64(EXCH)
    place = np.searchsorted(latest, rank[late], side="right").astype(np.float64) - 0.5
    merged = np.concatenate([local, again])
    key = np.concatenate([np.arange(len(local), dtype=np.float64), place])
    tie = np.concatenate([rank, rank[late]])
    return merged[np.lexsort((tie, key))]
