"""Layouts of tick data: captures, archives, and what users of other systems bring."""

from __future__ import annotations

from typing import Final

from crypto_quant.data_pipeline.collectors.layout import Layout
from crypto_quant.data_pipeline.collectors.ticks.archive import AGG_TRADES, BOOK_TICKER, TRADES
from crypto_quant.data_pipeline.collectors.ticks.frames import BinanceFrames
from crypto_quant.data_pipeline.collectors.ticks.named import HyperliquidFrames
from crypto_quant.data_pipeline.collectors.ticks.nautilus import NautilusParquet
from crypto_quant.data_pipeline.collectors.ticks.npz import HftbacktestNpz
from crypto_quant.data_pipeline.collectors.ticks.tardis import TardisCsv

TICK_LAYOUTS: Final[dict[str, Layout]] = {
    "binance-frames": BinanceFrames(),
    "hyperliquid-frames": HyperliquidFrames(),
    "binance-trades": TRADES,
    "binance-agg-trades": AGG_TRADES,
    "binance-book-ticker": BOOK_TICKER,
    "hftbacktest-npz": HftbacktestNpz(),
    "tardis-csv": TardisCsv(),
    "nautilus-parquet": NautilusParquet(),
}
"""Every tick layout by name; none recognises another's files."""
