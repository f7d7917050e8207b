"""The venue's public archive: what it holds, and fetching it into the catalog."""

from crypto_quant.data_pipeline.collectors.archive.collect import Collected, Collector
from crypto_quant.data_pipeline.collectors.archive.connection import Patience
from crypto_quant.data_pipeline.collectors.archive.download import (
    Done,
    archive_reachable,
    download,
)
from crypto_quant.data_pipeline.collectors.archive.fetch import Fetcher, Outcome, Policy
from crypto_quant.data_pipeline.collectors.archive.holdings import holdings
from crypto_quant.data_pipeline.collectors.archive.plan import Imported, Plan, Remote, plan
from crypto_quant.data_pipeline.collectors.archive.request import Request, small_real_set

__all__ = [
    "Collected",
    "Collector",
    "Done",
    "Fetcher",
    "Imported",
    "Outcome",
    "Patience",
    "Plan",
    "Policy",
    "Remote",
    "Request",
    "archive_reachable",
    "download",
    "holdings",
    "plan",
    "small_real_set",
]
