"""The label of made-up rows: nobody takes them for a market's."""

from __future__ import annotations

from typing import Final

import pyarrow as pa

from crypto_quant.data_pipeline.storage.manifest import GENERATED

LABEL: Final = "not a real market"
"""What the label says: the value of its column in every row, and of its key in the metadata."""


def labelled(table: pa.Table) -> pa.Table:
    """Return a table that says of itself that no market made it."""
    labels = pa.repeat(pa.scalar(LABEL), table.num_rows)
    metadata = {**(table.schema.metadata or {}), GENERATED: LABEL}
    return table.append_column(GENERATED, labels).replace_schema_metadata(metadata)
