"""A back-test of hourly bars by nautilus_trader; runs in the peers' interpreter.

Prints the CPU seconds of the run, and how many bars its strategy, which does nothing, saw.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from typing import Any

import numpy as np


def _part(module: str, name: str) -> Any:  # noqa: ANN401 - the peer is not there when this is checked
    return getattr(importlib.import_module(f"nautilus_trader.{module}"), name)


def _strategy(bar_type: object) -> Any:  # noqa: ANN401 - as above
    """Return a strategy that counts its bars."""
    seen: list[int] = []

    def on_start(self: Any) -> None:  # noqa: ANN401 - as above
        self.subscribe_bars(bar_type)

    def on_bar(self: object, bar: object) -> None:
        seen.append(0)

    parts = {"on_start": on_start, "on_bar": on_bar, "seen": seen}
    return type("Nothing", (_part("trading.strategy", "Strategy"),), parts)()


def _engine() -> Any:  # noqa: ANN401 - as above
    """Return an engine with one venue, an account and a silent log."""
    quiet = _part("config", "LoggingConfig")(bypass_logging=True)
    config = _part("backtest.engine", "BacktestEngineConfig")(logging=quiet)
    engine = _part("backtest.engine", "BacktestEngine")(config)
    money = _part("model.objects", "Money")
    engine.add_venue(
        venue=_part("model.identifiers", "Venue")("BINANCE"),
        oms_type=_part("model.enums", "OmsType").NETTING,
        account_type=_part("model.enums", "AccountType").MARGIN,
        base_currency=None,
        starting_balances=[money(100_000, _part("model.currencies", "USDT"))],
    )
    return engine


def main(path: str) -> None:
    """Run the bars of a file: columns of hourly prices by their opening time."""
    pandas = importlib.import_module("pandas")
    columns = dict(np.load(path))
    times = pandas.to_datetime(columns.pop("ts"), unit="ns", utc=True)
    frame = pandas.DataFrame(columns, index=pandas.Index(times, name="timestamp"))
    instrument = _part("test_kit.providers", "TestInstrumentProvider").btcusdt_perp_binance()
    kind = _part("model.data", "BarType").from_str(f"{instrument.id}-1-HOUR-LAST-EXTERNAL")
    wrangler = _part("persistence.wranglers", "BarDataWrangler")(kind, instrument)
    engine = _engine()
    engine.add_instrument(instrument)
    engine.add_data(wrangler.process(frame))
    strategy = _strategy(kind)
    engine.add_strategy(strategy)
    begun = time.process_time()
    engine.run()
    seconds = time.process_time() - begun
    print(json.dumps({"seconds": seconds, "bars": len(strategy.seen)}))


if __name__ == "__main__":
    main(sys.argv[1])
