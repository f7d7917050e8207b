"""Where runs read and write, and whom they tell."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from crypto_quant.core.instruments import Instrument
from crypto_quant.data_pipeline.storage import Catalog

Stage = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done, and how much there is."""


def untold(what: str, done: int, total: int) -> None:
    """Tell nobody."""
    del what, done, total


class Workspace(NamedTuple):
    """What every run on one catalog is given beside its configuration.

    Parameters
    ----------
    catalog, known
        Data, and the instruments that have rules.
    runs
        Folder of run folders, with the trained folds.
    trials
        The trial log; one for all that is tried on real data, wherever its runs go.
    tell
        Told of progress.
    """

    catalog: Catalog
    known: Mapping[str, Instrument]
    runs: Path
    trials: Path
    tell: Stage = untold
