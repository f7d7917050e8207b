"""What was off at import and kept: prices off the tick, volumes off the lot, and the like."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from crypto_quant.data_pipeline.cleaners.findings import Finding, Severity
from crypto_quant.data_pipeline.cleaners.rows import Rows, Tables

NAME = "grid"
_WORDS: Final = {
    "off_tick_rows": ("off tick", "prices are off the tick then in force; kept exactly"),
    "off_lot_rows": ("off lot", "volumes are off the lot then in force; kept exactly"),
    "tick_not_sourced_rows": ("tick unknown", "no tick is sourced for this time"),
    "float_noise_rows": ("float noise", "float sums were taken back to 15 digits"),
    "missing_volume_rows": ("volume missing", "the file had no number there; missing, not zero"),
}


def find(rows: Rows, tables: Tables) -> Iterator[Finding]:
    """Say again what the manifest counted when the parts were imported."""
    for part in rows.parts:
        row = int(np.searchsorted(rows.ts, part.start))
        for name, count in part.findings.items():
            what, reason = _WORDS.get(name, (name.replace("_", " "), "counted at import"))
            value = f"{count:,} rows of {part.source.name}"
            yield rows.finding(NAME, what, Severity.NOTE, row, value, reason, count=count)
