"""The protocol of a layout: one file that knows one way data is laid out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

from crypto_quant.core.instruments import Instrument
from crypto_quant.data_pipeline.collectors.facts import Facts
from crypto_quant.data_pipeline.collectors.file import File
from crypto_quant.data_pipeline.storage.kinds import Batch


class Layout(Protocol):
    """Recognises files by their content and reads them as batches on integer grids."""

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of rows it can make; empty: it can only be named, not yet decoded."""
        ...

    @property
    def title(self) -> str:
        """What such a file is, in words."""
        ...

    def recognise(self, file: File) -> bool:
        """Say whether the content is laid out this way; the name of the file says nothing."""
        ...

    def needs(self, file: File, facts: Facts) -> tuple[str, ...]:
        """Return the names of the facts that ``read`` cannot do without for this file."""
        ...

    def read(
        self, file: File, facts: Facts, instruments: Mapping[str, Instrument]
    ) -> Iterator[Batch]:
        """Yield the rows in bounded batches.

        Parameters
        ----------
        file : File
            A file that was recognised.
        facts : Facts
            At least the needed facts.
        instruments : Mapping[str, Instrument]
            Known instruments by id: the coarsest grid, and the ticks that off-tick rows
            are counted by. An instrument that is not in it has the grid of its data.

        Raises
        ------
        DataError
            A row cannot be kept as it is: not a number, out of time, too many decimals.
        """
        ...
