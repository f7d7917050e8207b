"""Cells that were run, kept so that no sweep runs them again."""

from __future__ import annotations

from pathlib import Path

from crypto_quant.backtesting.sweep.figures import Figures
from crypto_quant.core.errors import DataError
from crypto_quant.core.files import whole


class CellStore:
    """A file a cell, named by configuration, data and code, each there whole or not at all.

    Parameters
    ----------
    folder
        Where they are; made when the first one is kept.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, identity: str) -> Figures | None:
        """Return what a cell came to; ``None`` if it was never run, or its file is spoilt."""
        try:
            return Figures.load((self._folder / f"{identity}.json").read_bytes())
        except (FileNotFoundError, ValueError):
            return None

    def keep(self, identity: str, figures: Figures) -> None:
        """Write down what a cell came to.

        Raises
        ------
        DataError
            The folder cannot be written to.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with whole(self._folder / f"{identity}.json") as part:
                part.write_bytes(figures.dump())
        except OSError as err:
            raise DataError(f"{self._folder}: cannot be written ({err.strerror or err})") from err
