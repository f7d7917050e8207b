"""A run's folder while it is written."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from crypto_quant.core.files import UNFINISHED, owned

FINISHED = "equity.parquet"
"""Every finished run has it."""


def is_tick_run(folder: Path) -> bool:
    """Tell whether ``cq backtest`` wrote a run folder."""
    return folder.name.startswith("ticks-") and (folder / FINISHED).is_file()


@contextmanager
def run_folder(folder: Path) -> Iterator[None]:
    """Hold a run's folder; a run that fails before it was ever finished leaves none behind.

    Raises
    ------
    DataError
        The same run is being written by another process.
    """
    with owned(folder, "the same run is being written here"):
        for left in folder.glob(f".*{UNFINISHED}"):  # by a process that was killed
            left.unlink()
        try:
            yield
        except BaseException:
            if not (folder / FINISHED).exists():
                shutil.rmtree(folder, ignore_errors=True)
            raise
