"""Ways out of the catalog, by the ending of the file that is written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from crypto_quant.data_pipeline.exporters.hftbacktest import to_npz
from crypto_quant.data_pipeline.exporters.parquet import to_parquet
from crypto_quant.data_pipeline.storage import Catalog

Exporter = Callable[[Catalog, str, str, Path, int | None, int | None], int]
"""Called with catalog, kind, key, file, start and end (ns UTC, ``[start, end)``); returns
the rows written."""

EXPORTERS: Final[dict[str, Exporter]] = {
    ".npz": to_npz,
    ".parquet": to_parquet,
}
"""Every exporter; a new format is one file and one line here."""
