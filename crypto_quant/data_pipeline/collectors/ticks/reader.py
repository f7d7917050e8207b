"""Tick files through the native decoder: bytes in, Arrow batches out, memory flat."""

from __future__ import annotations

import zipfile
import zlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Literal, NamedTuple, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from crypto_quant import _native
from crypto_quant.core.errors import DecodeError
from crypto_quant.data_pipeline.collectors.file import File
from crypto_quant.data_pipeline.collectors.ticks.packed import texts
from crypto_quant.data_pipeline.storage.kinds import Exps

T = TypeVar("T")
D = TypeVar("D", _native.TickDecoder, _native.CaptureDecoder)
Values = NDArray[np.int64 | np.int8 | np.uint32]
Layout = Literal["frames", "trades", "agg_trades", "book_ticker"]

MISSING: Final = -(2**63)
"""What the decoder puts where the venue gave nothing."""

_NULLABLE: Final = frozenset({"prev_id", "index", "rate", "next_funding"})
_AHEAD: Final = 8
"""Items that a stage may be ahead: a consumer that is slow at times does not stop it."""


class Rows(NamedTuple):
    """Rows of one kind, and the grid they are on."""

    kind: str
    data: pa.RecordBatch
    exps: Exps


class TickReader:
    """One file's rows, in bounded batches of one kind; ``stats`` is complete at the end.

    Parameters
    ----------
    file : File
        Plain, gzip or zip (each member in turn).
    layout : {"frames", "trades", "agg_trades", "book_ticker"}
        What the lines are.
    symbol : str
        The venue's symbol that frames must be of.
    exps : Exps
        Grid of prices and quantities; quantities that are finer make that of their kind
        finer from there on.
    """

    def __init__(self, file: File, layout: Layout, symbol: str, exps: Exps) -> None:
        self._file = file
        self._arguments = (layout, symbol, exps)
        self.stats: dict[str, int] = {}

    def __iter__(self) -> Iterator[Rows]:
        """Yield the batches; unpacking and decoding run ahead of the consumer.

        Raises
        ------
        DecodeError
            The file is corrupt, cut short or empty, or a line cannot be decoded: which one.
        """
        return ahead(self._batches())

    def _batches(self) -> Iterator[Rows]:
        layout, symbol, exps = self._arguments

        def made() -> _native.TickDecoder:
            return _native.TickDecoder(layout, symbol, exps.price, exps.qty)

        for decoder, is_done in fed(self._file, made):
            yield from (as_rows(table, exps) for table in decoder.take())
            if is_done:
                add_stats(self.stats, decoder.stats())


def fed(file: File, made: Callable[[], D]) -> Iterator[tuple[D, bool]]:
    """Yield the decoder of each member after each piece of text, and whether it has all.

    Raises
    ------
    DecodeError
        As ``TickReader``.
    """
    for member in file.members or ("",):
        decoder = made()
        try:
            for text in ahead(texts(file, member)):
                decoder.feed(text)
                yield decoder, False
            decoder.finish()
        except (ValueError, OSError, EOFError, zlib.error, zipfile.BadZipFile) as err:
            within = f"{file.path}: {member}" if member else f"{file.path}"
            raise DecodeError(f"{within}: {err}") from err
        yield decoder, True


def as_rows(table: tuple[str, int, dict[str, Values]], exps: Exps) -> Rows:
    """Return a decoder's table on the grid that it has."""
    kind, qty_exp, columns = table
    data = pa.record_batch({name: _column(name, values) for name, values in columns.items()})
    return Rows(kind, data, exps._replace(qty=qty_exp))


def add_stats(have: dict[str, int], more: Mapping[str, int]) -> None:
    """Add a member's counts to those of the file."""
    for name, count in more.items():
        have[name] = _merge(name, have.get(name), count)


def _merge(name: str, have: int | None, more: int) -> int:
    """Add a member's count; times take the first, the last or the least."""
    if have is None or name == "last_recv":
        return more
    if name == "first_recv":
        return have
    return min(have, more) if name == "least_latency" else have + more


def _column(name: str, values: Values) -> pa.Array:
    if name in _NULLABLE:
        missing = values == MISSING
        if missing.any():
            return pa.array(values, mask=missing)
    return pa.array(values)


def ahead(source: Iterator[T]) -> Iterator[T]:
    """Yield from ``source``, which runs some items ahead of the consumer."""
    pool = ThreadPoolExecutor(1)
    try:
        waiting = deque(pool.submit(next, source, None) for _ in range(_AHEAD))
        while (item := waiting.popleft().result()) is not None:
            waiting.append(pool.submit(next, source, None))
            yield item
    finally:
        pool.shutdown(cancel_futures=True)
