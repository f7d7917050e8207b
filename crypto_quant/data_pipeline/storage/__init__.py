"""The Parquet catalog: exact, immutable, written atomically, with a manifest of hashes."""

from crypto_quant.data_pipeline.storage.catalog import Catalog, Key
from crypto_quant.data_pipeline.storage.coverage import Coverage, Hole, Segment
from crypto_quant.data_pipeline.storage.kinds import KINDS, Batch, Exps
from crypto_quant.data_pipeline.storage.manifest import Part, SourceInfo
from crypto_quant.data_pipeline.storage.part import Unfit
from crypto_quant.data_pipeline.storage.transaction import Transaction

__all__ = [
    "KINDS",
    "Batch",
    "Catalog",
    "Coverage",
    "Exps",
    "Hole",
    "Key",
    "Part",
    "Segment",
    "SourceInfo",
    "Transaction",
    "Unfit",
]
