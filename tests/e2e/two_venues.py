"""Recorded books of two venues at one time.

No public sample has both, so the recorded book of Binance is filed under Bybit's name too; what
differs is what Bybit charges and how far away it is.
"""

from __future__ import annotations

from pathlib import Path

from crypto_quant.data_pipeline.storage import Catalog, SourceInfo
from tests.e2e.conftest import run_cq

BINANCE, BYBIT, ETH = "BTCUSDT-PERP.BINANCE", "BTCUSDT-PERP.BYBIT", "ETHUSDT-PERP.BINANCE"


def filed_twice(made: Path, data_dir: Path) -> Path:
    """Import the captures into a working folder, Bitcoin's under a second venue's name too."""
    paths = [data_dir / "hftbacktest", *sorted((data_dir / "binance_perp").glob("*funding-8h*"))]
    done = run_cq(made, "data", "import", *map(str, paths))
    assert done.returncode == 0, done.stderr
    catalog = Catalog(made / "catalog")
    for kind in ("delta", "trade", "quote", "mark", "funding"):
        for part in catalog.parts_of(kind, BINANCE):
            source = SourceInfo(part.source.name, f"again {part.sha256}", 1, "test")
            rows = catalog.scan(kind, BINANCE, part.start, part.end + 1)
            catalog.write(kind, BYBIT, rows, source, catalog.exps(kind, BINANCE), part.recv)
    return made
