"""Reading tables, whatever file they are in, in bounded pieces."""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.feather
import pyarrow.parquet as pq
from numpy.typing import NDArray

from crypto_quant.core.errors import DataError
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
    """
    wanted = None if columns is None else list(columns)
    if file.container == "parquet":
        with pq.ParquetFile(file.path) as parquet:
            for batch in parquet.iter_batches(_ROWS, columns=wanted):
                yield pa.Table.from_batches([batch])
    elif file.container == "feather":
        table = pyarrow.feather.read_table(file.path, columns=wanted)
        for begin in range(0, table.num_rows, _ROWS):
            yield table.slice(begin, _ROWS)
    else:
        header = file.columns
        for member in file.members or ("",):
            with unpacked(file, member) as stream:
                yield from _from_csv(stream, wanted, header or tuple(names), bool(header))


def find_column(file: File, wanted: Sequence[str]) -> str | None:
    """Return the file's own spelling of the first of ``wanted`` (lower case) it has."""
    have = {name.strip().lower(): name for name in file.columns}
    return next((have[name] for name in wanted if name in have), None)


class Order:
    """How the rows of a table stand in time, found by reading its time column alone.

    Attributes
    ----------
    times : NDArray[np.int64]
        Row times in ns UTC, shape (n,), as in the file.
    """

    def __init__(self, times: NDArray[np.int64]) -> None:
        self.times = times
        steps = np.diff(times)
        self.is_sorted = bool((steps >= 0).all())

    @classmethod
    def of(
        cls, file: File, column: str, names: Sequence[str] = (), dates: str | None = None
    ) -> Order:
        """Read the time column of a file; ``DataError`` if a time is not understood."""
        found = [
            to_ns(table.column(column), f"{file.path}: {column}", dates)
            for table in pieces(file, [column], names)
        ]
        if not found or not sum(len(times) for times in found):
            raise DataError(f"{file.path}: the file has no rows")
        return cls(np.concatenate(found))

    def findings(self) -> dict[str, int]:
        """Count rows that came out of time order, and rows whose time another row has."""
        steps = np.diff(self.times)
        newest_first = bool((steps <= 0).all())
        out_of_order = 0 if newest_first else int((steps < 0).sum())
        repeated = self.times.size - np.unique(self.times).size
        found = {"out_of_order_rows": out_of_order, "duplicate_times": repeated}
        return {name: count for name, count in found.items() if count}


def in_time_order(
    file: File,
    order: Order,
    columns: Sequence[str] | None = None,
    names: Sequence[str] = (),
) -> Iterator[tuple[pa.Table, NDArray[np.int64]]]:
    """Yield pieces with their times; a file that is not in time order is sorted (stably).

    Only a file that needs sorting is held in memory whole.
    """
    tables = pieces(file, columns, names)
    times = order.times
    if not order.is_sorted:
        whole = pa.concat_tables(list(tables))
        # Newest first is an order too: reversing keeps rows of one instant as they were.
        backwards = bool((np.diff(times) <= 0).all())
        index = np.arange(times.size)[::-1] if backwards else np.argsort(times, kind="stable")
        times = times[index]
        sorted_whole = whole.take(pa.array(index))
        tables = (sorted_whole.slice(b, _ROWS) for b in range(0, times.size, _ROWS))
    at = 0
    for table in tables:
        yield table, times[at : at + table.num_rows]
        at += table.num_rows


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
