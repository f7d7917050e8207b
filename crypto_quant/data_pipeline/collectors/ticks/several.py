"""A capture of several symbols: to which instrument each belongs, and its rows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from crypto_quant import _native
from crypto_quant.core.errors import DataError
from crypto_quant.core.instruments import Instrument
from crypto_quant.data_pipeline.collectors.facts import Facts
from crypto_quant.data_pipeline.collectors.file import File
from crypto_quant.data_pipeline.collectors.ticks.reader import (
    Rows,
    add_stats,
    ahead,
    as_rows,
    fed,
)
from crypto_quant.data_pipeline.storage.kinds import Exps

_PLAIN: Final = re.compile("[A-Z0-9]+")
"""Symbols of spot and perpetuals; those of dated contracts end with their day."""
_MARGINED: Final = "_PERP"
"""How the venue ends symbols of its coin-margined contracts."""


class Names:
    """The instruments of a capture: as the one that was said is named, so are the others.

    Parameters
    ----------
    file : File
        The capture.
    facts : Facts
        With venue and symbol of one of its instruments.
    symbols : Collection of str
        Symbols that its frames name.

    Raises
    ------
    DataError
        None of them is the one that was said.
    """

    def __init__(self, file: File, facts: Facts, symbols: frozenset[str]) -> None:
        said = facts.need("symbol")
        own = [s for s in symbols if said.startswith(_stem(s))]
        if not own:
            raise DataError(
                f"{file.path}: frames say {', '.join(sorted(symbols))}, not symbol={said}; give "
                "the symbol of one of them"
            )
        one = max(own, key=lambda s: len(_stem(s)))
        self._path, self._one = file.path, one
        self._ending = said.removeprefix(_stem(one))
        self._venue = facts.instrument.rpartition(".")[2]

    def key(self, symbol: str) -> str:
        """Return the id of a symbol's instrument.

        Raises
        ------
        DataError
            It is of another kind than the one that was said: a dated contract, or margined in
            something else.
        """
        found = self.find(symbol)
        if found is None:
            raise DataError(
                f"{self._path}: {symbol} is no contract of the kind of {self._one}, which the "
                "file was said to hold: take its frames out and import them by themselves"
            )
        return found

    def find(self, symbol: str) -> str | None:
        """Return the id of a symbol's instrument, ``None`` where it is of another kind."""
        is_like = symbol.endswith(_MARGINED) == self._one.endswith(_MARGINED)
        if not is_like or not _PLAIN.fullmatch(_stem(symbol)):
            return None
        return f"{_stem(symbol)}{self._ending}.{self._venue}"


class SeveralReader:
    """Rows of every symbol of a capture, in bounded batches; ``stats`` is complete at the end.

    Parameters
    ----------
    file : File
        Plain, gzip or zip (each member in turn).
    names : Names
        Whose each symbol is.
    instruments : Mapping[str, Instrument]
        Known instruments by id.
    other : Exps
        Grid of the others.
    """

    def __init__(
        self, file: File, names: Names, instruments: Mapping[str, Instrument], other: Exps
    ) -> None:
        self._file = file
        self._other = other
        own = (i for i in instruments.values() if names.find(i.symbol) == i.id)
        self._grids = {i.symbol: Exps(price=i.price_exp, qty=i.qty_exp) for i in own}
        self.stats: dict[str, dict[str, int]] = {}

    def __iter__(self) -> Iterator[tuple[str, Rows]]:
        """Yield symbols with their rows; unpacking and decoding run ahead of the consumer.

        Raises
        ------
        DecodeError
            The file is corrupt, cut short or empty, a line cannot be decoded, or it holds what
            could be of any symbol: which one.
        """
        return ahead(self._batches())

    def _batches(self) -> Iterator[tuple[str, Rows]]:
        grids = {symbol: (exps.price, exps.qty) for symbol, exps in self._grids.items()}
        other = self._other.price, self._other.qty

        def made() -> _native.CaptureDecoder:
            return _native.CaptureDecoder(grids, other)

        for decoder, is_done in fed(self._file, made):
            for symbol, table in decoder.take():
                yield symbol, as_rows(table, self._grids.get(symbol, self._other))
            if is_done:
                for symbol, counts in decoder.stats().items():
                    add_stats(self.stats.setdefault(symbol, {}), counts)


def _stem(symbol: str) -> str:
    return symbol.removesuffix(_MARGINED)
