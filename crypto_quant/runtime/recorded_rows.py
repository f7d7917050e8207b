"""Small files of recorded rows that models are made of: latencies, own orders."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pcsv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from crypto_quant.core.errors import ConfigError

Ints = NDArray[np.int64]


def read_table(key: str, path: str, columns: Sequence[str]) -> pa.Table:
    """Read a Parquet or CSV file that has these columns.

    Parameters
    ----------
    key
        The setting that names it, for errors.
    path
        The file.
    columns
        What it must have; others are left out.

    Raises
    ------
    ConfigError
        It cannot be read, or lacks one of them.
    """
    try:
        table = pcsv.read_csv(path) if path.endswith(".csv") else pq.read_table(path)
    except (OSError, pa.ArrowInvalid) as err:
        raise ConfigError(f"{key}: {path} is no Parquet or CSV file: {err}") from None
    lacks = [name for name in columns if name not in table.column_names]
    if lacks:
        raise ConfigError(
            f"{key}: {path}: expected columns {', '.join(columns)}, lacks {', '.join(lacks)}"
        )
    return table.select(list(columns))


def read_times(key: str, path: str, columns: Sequence[str]) -> list[Ints]:
    """Read columns of whole ns from a file; errors as of ``read_table``."""
    table = read_table(key, path, columns)
    out = []
    for name in columns:
        if pa.types.is_floating(table[name].type):
            raise ConfigError(
                f"{key}: {path}, column {name}: expected whole ns, was floating: a double holds no "
                "time of today to the ns"
            )
        try:
            out.append(table[name].cast(pa.int64()).to_numpy())
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as err:
            raise ConfigError(f"{key}: {path}, column {name}: expected whole ns: {err}") from None
        if table[name].null_count:
            raise ConfigError(f"{key}: {path}, column {name}: a value is missing")
    return out


def fingerprint(path: str) -> str:
    """Return name and sha256 of a file, as a part of what a run is made of."""
    if not path:
        return ""
    try:
        content = Path(path).read_bytes()
    except OSError as err:
        raise ConfigError(f"{path}: cannot be read: {err.strerror}") from None
    return f"file/{Path(path).name} {hashlib.sha256(content).hexdigest()}"
