"""The layouts that are recognised, most specific first."""

from __future__ import annotations

from typing import Final

from crypto_quant.data_pipeline.collectors.layout import Layout
from crypto_quant.data_pipeline.collectors.layouts import later
from crypto_quant.data_pipeline.collectors.layouts.bars import BarTable
from crypto_quant.data_pipeline.collectors.layouts.binance_depth import BinanceBookDepth
from crypto_quant.data_pipeline.collectors.layouts.binance_klines import BinanceKlines
from crypto_quant.data_pipeline.collectors.layouts.binance_metrics import BinanceMetrics
from crypto_quant.data_pipeline.collectors.layouts.exported import OwnExport, is_catalog_part
from crypto_quant.data_pipeline.collectors.layouts.funding import FundingTable
from crypto_quant.data_pipeline.collectors.layouts.lean import LeanHours, LeanMinutes
from crypto_quant.data_pipeline.collectors.layouts.series import SeriesTable
from crypto_quant.data_pipeline.collectors.ticks import TICK_LAYOUTS

LAYOUTS: Final[dict[str, Layout]] = {
    "cq-export": OwnExport(),
    "catalog-part": later.Later(
        "file out of a catalog: name its folder with --catalog, or export it", is_catalog_part
    ),
    **TICK_LAYOUTS,
    "wire-capture": later.Later(
        "recording of venue connections: its decoder comes with the feeds", later.is_wire_capture
    ),
    "wire-capture-legacy": later.Later(
        "older recording of venue connections: its decoder comes with the feeds",
        later.is_legacy_capture,
    ),
    "option-chain": later.Later(
        "snapshot of an option chain: its decoder comes with the options", later.is_option_chain
    ),
    "book-rows": later.Later(
        "books as JSON text, a row each: its decoder comes with the feeds", later.is_book_rows
    ),
    "json-message": later.Later(
        "a single JSON message: its decoder comes with the feeds", later.is_message
    ),
    "lean-minutes": LeanMinutes(),
    "lean-hours": LeanHours(),
    "binance-klines": BinanceKlines(),
    "binance-metrics": BinanceMetrics(),
    "binance-book-depth": BinanceBookDepth(),
    "bar-table": BarTable(),
    "funding-table": FundingTable(),
    "series-table": SeriesTable(),
}
"""Every layout by name; the first that recognises a file reads it, so order matters."""
