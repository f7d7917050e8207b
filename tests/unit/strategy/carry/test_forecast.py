"""The forecast of funding, and the entry that it pays for."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from crypto_quant.core.errors import InvariantError
from crypto_quant.strategy.carry import CarryConfig, FundingForecast
from crypto_quant.strategy.carry.state import NOTHING
from tests.unit.strategy.account import TERMS
from tests.unit.strategy.carry.desk import open_desk


@pytest.mark.parametrize(
    ("rate_8h", "enters"),
    [
        (0.0000527, False),  # 90 settlements of 0.527 bp are 47.43 bp, needed are 47.5
        (0.0000529, True),
        (-0.001, False),
    ],
)
def test_entry_needs_the_forecast_to_pay_four_legs_with_the_margin(
    rate_8h: float, enters: bool
) -> None:
    """38 bp of cost and a quarter more are 47.5 bp over 30 days: 0.5278 bp per 8 h."""
    sleeve, view = open_desk(rate_8h)
    assert (sleeve.on_timer(view, TERMS) != NOTHING) is enters


def test_forecast_by_hand() -> None:
    """Half-life 8 h: weights 1/2 and 1/4 of two settlements, normalised by 3/4."""
    forecast = FundingForecast(halflife_h=8.0, warmup=2)
    forecast.update(1, 0.0008, 8.0)
    assert math.isnan(forecast.hourly)
    forecast.update(2, 0.0002, 8.0)
    assert forecast.hourly == pytest.approx((0.5 * 0.0002 + 0.25 * 0.0008) / 0.75 / 8)
    assert forecast.expected(24.0) == pytest.approx(3 * (0.5 * 0.0002 + 0.25 * 0.0008) / 0.75)


def test_forecast_refuses_a_row_twice() -> None:
    forecast = FundingForecast(halflife_h=8.0, warmup=1)
    forecast.update(5, 0.0001, 8.0)
    with pytest.raises(InvariantError, match="expected one after 5"):
        forecast.update(5, 0.0001, 8.0)


@pytest.mark.data
def test_forecast_and_entry_on_recorded_funding_rows(data_dir: Path) -> None:
    """Every entry decision on every recorded row, from weights written out with numpy."""
    files = sorted((data_dir / "binance_perp").glob("BTCUSDT-perp-funding-8h_*.parquet"))
    if not files:
        pytest.skip("this data set has no Binance funding rows")
    config = CarryConfig()
    for path in files:
        table = pq.read_table(path)
        name = "rate" if "rate" in table.column_names else "funding_rate"
        rates = table[name].to_numpy()
        forecast = FundingForecast(config.halflife_h, config.warmup)
        weight = 0.5 ** (8.0 / config.halflife_h)
        entered = expected_entries = 0
        for n, rate in enumerate(rates):
            forecast.update(n, float(rate), 8.0)
            if n % 50 or n + 1 < config.warmup:
                continue
            past = rates[: n + 1]
            weights = weight ** np.arange(n, -1, -1)
            mean_8h = float(weights @ past / weights.sum())
            assert forecast.expected(config.horizon_h) == pytest.approx(mean_8h * 90, rel=1e-9)
            entered += forecast.expected(config.horizon_h) > 0.0038 * 1.25
            expected_entries += mean_8h * 90 > 0.0038 * 1.25
        assert entered == expected_entries
