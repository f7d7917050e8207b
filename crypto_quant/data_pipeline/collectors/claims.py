"""What a file says of itself, held against what was said of it: neither is passed over."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from crypto_quant.core.errors import DataError
from crypto_quant.data_pipeline.collectors.facts import Facts, duration, period
from crypto_quant.data_pipeline.collectors.file import File
from crypto_quant.data_pipeline.collectors.naming import may_be_same, may_be_same_venue
from crypto_quant.data_pipeline.collectors.table import pieces

_SYMBOLS: Final = frozenset(
    {
        *("symbol", "coin", "asset", "pair", "ticker", "instrument", "product_id"),
        *("instrument_id", "instrument_name", "inst_id", "instid", "contract_code"),
    }
)
_VENUES: Final = frozenset({"exchange", "venue"})
_LENGTHS: Final = frozenset({"interval", "timeframe"})
_LENGTH: Final = re.compile(r"[0-9]{1,5}[smhdw]")


class Named:
    """The columns of a file that name its instrument and venue: one each, and the one said.

    Parameters
    ----------
    file : File
        A table.
    facts : Facts
        With the venue and the symbol that the rows are to be kept under.
    of_bars : bool
        Whether the length of a row is one, too: funding's may change.
    """

    def __init__(self, file: File, facts: Facts, of_bars: bool = False) -> None:
        self._path, self._facts = file.path, facts
        self._seen: dict[str, str] = {}
        names = _SYMBOLS | _VENUES | (_LENGTHS if of_bars else frozenset())
        self.columns = [name for name in file.columns if name.strip().lower() in names]

    def check(self, table: pa.Table) -> None:
        """Look at a piece of the file.

        Raises
        ------
        DataError
            A column names two instruments or venues, or another than was said.
        """
        for column in self.columns:
            for name in _texts(table.column(column)):
                first = self._seen.setdefault(column, name)
                if name.upper() != first.upper():
                    raise DataError(
                        f"{self._path}: holds {column}s {first}, {name}; split it into a file each"
                    )
                if name == first:
                    self._agree(column, name)

    def _agree(self, column: str, name: str) -> None:
        if column.strip().lower() in _VENUES:
            check_venue(str(self._path), column, name, self._facts)
        elif column.strip().lower() in _LENGTHS:
            if _LENGTH.fullmatch(name):
                check_interval(str(self._path), column, duration(name, column), self._facts)
        else:
            check_symbol(str(self._path), column, name, self._facts)


def check_names(file: File, facts: Facts, of_bars: bool = False) -> None:
    """Read the columns that name a table's instrument and venue, if it has any.

    Raises
    ------
    DataError
        See ``Named.check``.
    """
    named = Named(file, facts, of_bars)
    if named.columns:
        for table in pieces(file, named.columns):
            named.check(table)


def check_symbol(where: str, what: str, name: str, facts: Facts) -> None:
    """Refuse a name that clearly is another asset, or in another currency, than was said."""
    said = facts.need("symbol")
    if not may_be_same(name, said, facts.venue or ""):
        raise _contradiction(where, what, name, "symbol", said)


def check_venue(where: str, what: str, name: str, facts: Facts) -> None:
    """Refuse the name of another venue than was said."""
    said = facts.need("venue")
    if not may_be_same_venue(name, said):
        raise _contradiction(where, what, name, "venue", said)


def check_interval(where: str, what: str, length: int, facts: Facts) -> None:
    """Refuse a length in ns other than the one that was said, if any was."""
    if facts.interval is not None and duration(facts.interval, "interval") != length:
        raise _contradiction(where, what, period(length), "interval", facts.interval)


def check_metadata(where: str, metadata: Mapping[bytes, bytes] | None, facts: Facts) -> None:
    """Refuse an ``instrument_id`` of a schema, ``<symbol>.<venue>``, that was not said."""
    found = (metadata or {}).get(b"instrument_id", b"").decode("utf-8", "replace")
    symbol, _, venue = found.rpartition(".")
    if symbol:
        check_symbol(where, "instrument_id", symbol, facts)
        check_venue(where, "instrument_id", venue, facts)


def _texts(values: pa.ChunkedArray) -> list[str]:
    if pa.types.is_floating(values.type):
        return []  # an amount under the name, not a name
    found = pc.unique(values).to_pylist()
    return [str(value).strip() for value in found if value is not None and str(value).strip()]


def _contradiction(where: str, what: str, found: str, key: str, said: str) -> DataError:
    return DataError(
        f"{where}: {what} says {found}, not {key}={said}; give the {key} that the file is of"
    )
