"""Reading tables, whatever file they are in, in bounded pieces."""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from crypto_quant.core.errors import DataError
from crypto_quant.data_pipeline.collectors import feather
from crypto_quant.data_pipeline.collectors.file import File
from crypto_quant.data_pipeline.collectors.times import to_ns

_ROWS: Final = 1 << 16
_BLOCK: Final = 1 << 22

TIME_NAMES: Final = (
    "ts_event",
    "open_time",
    "calc_time",
    "create_time",
    "epoch",
    "time",
    "timestamp",
    "date",
    "datetime",
    "time(utc)",
    "fundingtime",
    "funding_time",
    "t",
    "dt",
)
"""Names of time columns, the exacter ones first (epochs before their text)."""


def pieces(
    file: File, columns: Sequence[str] | None = None, names: Sequence[str] = ()
) -> Iterator[pa.Table]:
    """Yield a table in pieces of bounded size.

    Cells of text files are text, so that decimals stay exact.

    Parameters
    ----------
    file : File
        A Parquet, Feather or comma-separated file, plain, gzip, zstd or zip (all members).
    columns : Sequence[str], optional
        Columns to read; all, if not given.
    names : Sequence[str]
        Column names of a text file without header.

    Raises
    ------
    DataError
        A column that is to be read is there twice: which one is meant?
    """
    wanted = None if columns is None else list(columns)
    have = file.columns
    twice = next((name for name in wanted or have if have.count(name) > 1), None)
    if twice is not None:
        raise DataError(f"{file.path}: has the column {twice} twice")
    if file.container == "parquet":
        # Reading ahead would keep the whole file's pages in memory.
        with pq.ParquetFile(file.path, pre_buffer=False) as parquet:
            for batch in parquet.iter_batches(_ROWS, columns=wanted):
                yield pa.Table.from_batches([batch])
    elif file.container == "feather":
        for table in feather.batches(file.path, wanted):
            for begin in range(0, table.num_rows, _ROWS):
                yield table.slice(begin, _ROWS)
    else:
        for member in file.members or ("",):
            with unpacked(file, member) as stream:
                yield from _from_csv(stream, wanted, have or tuple(names), bool(have))


def find_column(file: File, wanted: Sequence[str]) -> str | None:
    """Return the file's own spelling of the first of ``wanted`` (lower case) it has."""
    have = {name.strip().lower(): name for name in file.columns}
    return next((have[name] for name in wanted if name in have), None)


@dataclass(slots=True)
class Order:
    """How the rows of a table stand in time, found by reading its time column alone.

    ``backwards`` counts steps back in time, ``forwards`` steps forward, ``repeated`` rows
    whose time another row has; ``shortest`` is the shortest step in ns, either way (0: none).
    """

    column: str
    names: Sequence[str]
    dates: str | None
    rows: int = 0
    backwards: int = 0
    forwards: int = 0
    repeated: int = 0
    shortest: int = 0

    @classmethod
    def of(
        cls, file: File, column: str, names: Sequence[str] = (), dates: str | None = None
    ) -> Order:
        """Read the time column of a file; ``DataError`` if a time is not understood."""
        order = cls(column, names, dates)
        last: int | None = None
        for table in pieces(file, [column], names):
            times = order.times(file, table)
            steps = np.diff(times, prepend=times[:1] if last is None else last)
            order.rows += times.size
            order.backwards += int((steps < 0).sum())
            order.forwards += int((steps > 0).sum())
            last = int(times[-1]) if times.size else last
            apart = np.abs(steps[steps != 0])
            if apart.size:
                order.shortest = int(min(apart.min(), order.shortest or apart.min()))
        if not order.rows:
            raise DataError(f"{file.path}: the file has no rows")
        order.repeated = order.rows - 1 - order.backwards - order.forwards
        if order.backwards and order.forwards:
            tables = pieces(file, [column], names)
            every = np.concatenate([order.times(file, table) for table in tables])
            order.repeated = order.rows - np.unique(every).size
        return order

    def times(self, file: File, table: pa.Table) -> NDArray[np.int64]:
        """Return the times of a piece in ns UTC, shape (n,)."""
        return to_ns(table.column(self.column), f"{file.path}: {self.column}", self.dates)

    def findings(self) -> dict[str, int]:
        """Count rows that came out of time order, and rows whose time another row has."""
        out_of_order = self.backwards if self.forwards else 0
        found = {"out_of_order_rows": out_of_order, "duplicate_times": self.repeated}
        return {name: count for name, count in found.items() if count}


def in_time_order(
    file: File, order: Order, columns: Sequence[str]
) -> Iterator[tuple[pa.Table, NDArray[np.int64]]]:
    """Yield pieces with their times; a file that is not in time order is sorted (stably).

    Only a file that needs sorting is held in memory whole.
    """
    tables = pieces(file, [*columns, order.column], order.names)
    if order.backwards:
        whole = pa.concat_tables(list(tables))
        times = order.times(file, whole)
        # Newest first is an order too: reversing keeps rows of one instant as they were.
        index = np.argsort(times, kind="stable") if order.forwards else np.arange(times.size)[::-1]
        ordered = whole.take(pa.array(index))
        tables = (ordered.slice(begin, _ROWS) for begin in range(0, times.size, _ROWS))
    for table in tables:
        yield table, order.times(file, table)


@contextmanager
def unpacked(file: File, member: str) -> Iterator[IO[bytes] | pa.NativeFile]:
    """Open the bytes inside a container."""
    if file.container == "zip":
        with zipfile.ZipFile(file.path) as archive, archive.open(member) as stream:
            yield stream
    elif file.container == "gzip":
        with gzip.open(file.path) as stream:
            yield stream
    elif file.container == "zstd":
        with pa.CompressedInputStream(str(file.path), "zstd") as stream:
            yield stream
    else:
        with file.path.open("rb") as stream:
            yield stream


def _from_csv(
    stream: Any,  # noqa: ANN401 - any binary stream, as pyarrow takes it
    columns: list[str] | None,
    names: tuple[str, ...],
    has_header: bool,
) -> Iterator[pa.Table]:
    convert = pyarrow.csv.ConvertOptions(
        column_types={name: pa.string() for name in names},
        include_columns=columns,
        strings_can_be_null=True,
        null_values=["", "NaN", "nan", "null", "None", "NULL"],
    )
    read = pyarrow.csv.ReadOptions(
        block_size=_BLOCK, column_names=list(names), skip_rows=int(has_header)
    )
    with pyarrow.csv.open_csv(stream, read_options=read, convert_options=convert) as reader:
        for batch in reader:
            if batch.num_rows:
                yield pa.Table.from_batches([batch])
