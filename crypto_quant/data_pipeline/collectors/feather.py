"""Feather files, of which no more is read than is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.feather

_FIRST_VERSION: Final = b"FEA1"
"""Magic of a format that knows neither batches nor compression."""


def schema(path: Path) -> pa.Schema:
    """Return the schema without reading a row."""
    if _is_first_version(path):
        return pyarrow.feather.read_table(path).schema
    with pa.OSFile(str(path)) as source, pa.ipc.open_file(source) as reader:
        return reader.schema


def batches(path: Path, columns: Sequence[str] | None) -> Iterator[pa.Table]:
    """Yield the file's own batches, of the named columns or all, one in memory at a time."""
    if _is_first_version(path):
        yield pyarrow.feather.read_table(path, columns=columns)
        return
    have = schema(path)
    wanted = None if columns is None else [have.get_field_index(name) for name in columns]
    options = pa.ipc.IpcReadOptions(included_fields=wanted)
    with (
        pa.OSFile(str(path)) as source,
        pa.ipc.open_file(source, options=options) as reader,
    ):
        for number in range(reader.num_record_batches):
            yield pa.Table.from_batches([reader.get_batch(number)])


def _is_first_version(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(len(_FIRST_VERSION)) == _FIRST_VERSION
