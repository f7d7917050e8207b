"""What the examples run on: a recorded capture where ``CQ_DATA`` is set, else a made-up market."""

from __future__ import annotations

import atexit
import os
import tempfile
from pathlib import Path

from crypto_quant.backtesting.simulator import Market, Simulator, of_session
from crypto_quant.data_pipeline.collectors.facts import Facts
from crypto_quant.data_pipeline.collectors.importer import import_files
from crypto_quant.data_pipeline.storage import Catalog
from crypto_quant.venues.rules import load_instruments
from examples.made_up import made_up

KEY = "BTCUSDT-PERP.BINANCE"
CAPTURE = "hftbacktest/usdm/btcusdt_20240808.gz"
LATENCY = {"entry_latency_ns": 5_000_000, "response_latency_ns": 5_000_000}


def markets() -> tuple[Market, ...]:
    """Return the capture, or the made-up market."""
    instrument = load_instruments()[KEY]
    capture = Path(os.environ.get("CQ_DATA", "/nowhere")) / CAPTURE
    if not capture.is_file():
        return (made_up(instrument),)
    folder = tempfile.TemporaryDirectory()
    atexit.register(folder.cleanup)  # a tape is read while it is run
    catalog = Catalog(Path(folder.name))
    import_files(catalog, [capture], Facts(), load_instruments())
    # It ends in the second after a settlement whose rate it does not hold.
    return of_session(Catalog(catalog.root), [instrument], funding="none")


def tell(simulator: Simulator) -> None:
    """Print what came of a run."""
    fills = [fill for fill in simulator.fills() if not fill.tag]
    values = simulator.state_values(0)
    makers = sum(not fill.is_taker for fill in fills)
    print(f"{len(fills)} fills, {makers} of them as a maker; {values.trading_value:.2f} traded")
    print(
        f"fees {values.fee:.4f}, equity {simulator.equity():.4f} {simulator.instruments[0].quote}"
    )
