"""A finished run: what the engine writes to ``runs/<id>/`` and every report reads.

======================  =====================================================================
``config.toml``         the configuration, as resolved
``manifest.json``       commit, versions, data hashes, seed
``extra.json``          ``Description``: sleeves, variant rows, trials, assumptions, findings
``equity.parquet``      the marked path, one row an hour (``check_equity``)
``fills.parquet`` ...   ``orders``, ``trips``, ``variants``, ``folds``, ``market`` (``schema``)
======================  =====================================================================
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ValidationError

from crypto_quant.backtesting.metrics import schema
from crypto_quant.backtesting.metrics.description import Description
from crypto_quant.backtesting.metrics.schema import COMPONENTS, PORTFOLIO, Table, column
from crypto_quant.core.errors import DataError
from crypto_quant.core.files import whole

_TABLES: Mapping[str, pa.Schema] = {
    "fills": schema.FILLS,
    "orders": schema.ORDERS,
    "trips": schema.TRIPS,
    "variants": schema.VARIANTS,
    "folds": schema.FOLDS,
    "market": schema.MARKET,
}


@dataclass(frozen=True, slots=True)
class RunResult:
    """A finished run; ``write`` and ``read`` are each other's inverse.

    Parameters
    ----------
    description
        What is not a time series.
    config
        The resolved configuration, TOML text.
    manifest
        JSON-able: commit, versions, data hashes, seed.
    equity
        The marked path, see ``check_equity``.
    fills, orders, trips, variants, folds, market
        Tables of ``schema``; a part that the run lacks is an empty table.
    """

    description: Description
    config: str
    manifest: Mapping[str, object]
    equity: Table
    fills: Table
    orders: Table
    trips: Table
    variants: Table
    folds: Table
    market: Table

    def write(self, folder: Path) -> None:
        """Write the run folder; each file appears whole or not at all.

        Raises
        ------
        DataError
            A table does not have the shape that ``schema`` and ``check_equity`` say.
        """
        self.check("run")
        folder.mkdir(parents=True, exist_ok=True)
        put(folder / "config.toml", self.config.encode())
        put(folder / "manifest.json", _json(self.manifest))
        put(folder / "extra.json", _json(self.description.model_dump(mode="json")))
        for name in (*_TABLES, "equity"):  # a folder that has its equity is whole
            sink = pa.BufferOutputStream()
            pq.write_table(getattr(self, name), sink, compression="zstd")
            put(folder / f"{name}.parquet", sink.getvalue().to_pybytes())

    @classmethod
    def read(cls, folder: Path) -> RunResult:
        """Read a run folder.

        Raises
        ------
        DataError
            The folder or a file is missing, unreadable, or not of the documented shape.
        """
        if not (folder / "equity.parquet").is_file():
            raise DataError(f"{folder}: not a run folder (no equity.parquet in it)")
        tables = {name: _table(folder / f"{name}.parquet") for name in ("equity", *_TABLES)}
        extra = folder / "extra.json"
        try:
            described = Description.model_validate_json(_text(extra))
            manifest = json.loads(_text(folder / "manifest.json"))
        except (ValidationError, json.JSONDecodeError) as err:
            first = str(err).replace("\n", " ")
            raise DataError(f"{folder}: description cannot be read: {first}") from err
        run = cls(described, _text(folder / "config.toml"), manifest, **tables)
        run.check(str(folder))
        return run

    def check(self, where: str) -> None:
        """Check every table's shape.

        Raises
        ------
        DataError
            What is wrong, and in which file.
        """
        check_equity(self.equity, self.description, f"{where}/equity.parquet")
        for name, wanted in _TABLES.items():
            schema.require(getattr(self, name), wanted, f"{where}/{name}.parquet")
        known = set(self.variants["row"].unique().to_pylist())
        for row in self.description.rows:
            if row.key not in known:
                raise DataError(f"{where}/variants.parquet: no equity for row {row.key!r}")


def check_equity(table: Table, description: Description, where: str) -> None:
    """Check the marked path.

    Columns: ``ts`` (int64, ascending; one row an hour, sampled after marking and funding
    and before new orders), ``hole`` (bool: no data in the hour that ends here),
    ``mark/<instrument>`` (decimal, carried forward through holes; the benchmark's is needed),
    and per book (``portfolio`` and every sleeve), all decimals:
    ``<book>/equity``; ``<book>/flow`` (cumulative cash from outside the book, > 0 in);
    ``<book>/<component>`` (cumulative P&L, a cost < 0) for at least ``COMPONENTS``;
    ``<book>/notional/<instrument>`` (signed position value at the mark, 0 when flat).
    In every row ``equity = equity[0] + flow + sum of components`` (each 0 in the first row),
    and a component of the portfolio is the sum of the sleeves'. A sleeve without capital of
    its own starts at 0 and is measured on the portfolio's capital.

    Raises
    ------
    DataError
        A column is missing, not a decimal, or time does not ascend.
    """
    names = set(table.column_names)
    books = (PORTFOLIO, *(sleeve.name for sleeve in description.sleeves))
    wanted = ["ts", "hole", f"mark/{description.benchmark.instrument}"]
    for book in books:
        wanted += [column(book, part) for part in ("equity", "flow", *COMPONENTS)]
    missing = [name for name in wanted if name not in names]
    if missing:
        raise DataError(f"{where}: missing columns {', '.join(missing)}")
    for field in table.schema:
        if "/" in field.name and not pa.types.is_decimal(field.type):
            raise DataError(f"{where}: {field.name} must be a decimal, was {field.type}")
    if table.schema.field("ts").type != pa.int64():
        raise DataError(f"{where}: ts must be int64 ns, was {table.schema.field('ts').type}")
    if table.num_rows < 2 or bool((np.diff(table["ts"].to_numpy()) <= 0).any()):
        raise DataError(f"{where}: ts must ascend strictly, over at least two rows")


def _json(value: object) -> bytes:
    return (json.dumps(value, indent=1, sort_keys=True) + "\n").encode()


def put(path: Path, data: bytes) -> None:
    """Write a file that appears whole or not at all.

    Raises
    ------
    DataError
        It cannot be written, e.g. the disk is full.
    """
    try:
        with whole(path) as part:
            part.write_bytes(data)
    except OSError as err:
        raise DataError(f"{path}: cannot be written: {err.strerror}") from err


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as err:
        raise DataError(f"{path}: cannot be read: {err}") from err


def _table(path: Path) -> Table:
    try:
        with pq.ParquetFile(path) as file:  # read_table would import pandas
            return file.read()
    except (OSError, pa.ArrowInvalid) as err:
        raise DataError(f"{path}: cannot be read: {err}") from err
