"""The layouts that are recognised, most specific first."""

from __future__ import annotations

from typing import Final

from crypto_quant.data_pipeline.collectors.layout import Layout

LAYOUTS: Final[dict[str, Layout]] = {}
"""Every layout by name; the first that recognises a file reads it, so order matters."""
