"""What a run on bars reads, and what it refuses before it reads anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from crypto_quant.backtesting.engine.inputs import read_inputs
from crypto_quant.core.errors import ConfigError
from crypto_quant.data_pipeline.storage import Catalog
from crypto_quant.runtime.config import RunConfig
from crypto_quant.venues.rules import load_instruments


@pytest.mark.parametrize(
    ("perp", "said"),
    [
        ("X.BINANCE", "market.perp: no rules for 'X.BINANCE'; known: BTCUSDT-PERP.BINANCE"),
        ("BTCUSD-PERP.BINANCE", "market.perp: BTCUSD-PERP.BINANCE settles in BTC: runs on bars"),
    ],
)
def test_a_perpetual_that_cannot_be_run_is_one_line(tmp_path: Path, perp: str, said: str) -> None:
    config = RunConfig.model_validate({"market": {"perp": perp}})
    with pytest.raises(ConfigError) as told:
        read_inputs(config, Catalog(tmp_path), load_instruments())
    assert str(told.value).startswith(said)
    assert len(str(told.value).splitlines()) == 1
