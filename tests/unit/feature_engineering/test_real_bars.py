"""Features on the real files: oracles, TA-Lib, and the same bits in batch and stream."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import talib

from crypto_quant.feature_engineering.catalog import CATALOG
from crypto_quant.feature_engineering.events import Floats
from crypto_quant.feature_engineering.rows import FeatureInfo
from tests.conformance import feature_worlds as fw
from tests.conformance.feature_oracles import ORACLES
from tests.conformance.real_bars import bars_of, perp_files, real_world

pytestmark = pytest.mark.data


@pytest.fixture(scope="module")
def world(data_dir: Path) -> fw.BarWorld:
    return real_world(data_dir, 1_000)


@pytest.fixture(scope="module")
def table(world: fw.BarWorld) -> Floats:
    return fw.stream(fw.BAR_ROWS).table(world.events, world.grid)


def test_every_bar_feature_on_the_newest_real_hours_equals_its_oracle(
    world: fw.BarWorld, table: Floats
) -> None:
    compared = 0
    for row in (800, 901, 999):
        now = int(world.grid[row])
        seen = world.until(now)
        for info, found in zip(fw.BAR_ROWS, table[row], strict=True):
            fresh = [seen.series.get(name) for name in info.series]
            is_live = all(p and len(p.known) and now - p.known[-1] <= 4 * fw.DAY for p in fresh)
            if info.operator in ("external_change", "external_z") and not _is_daily(seen, info):
                continue
            if not is_live:
                assert np.isnan(found), info.name
                continue
            expected = ORACLES[info.name](seen, now)
            np.testing.assert_allclose(
                found, expected, rtol=1e-9, atol=1e-11, equal_nan=True, err_msg=info.name
            )
            compared += 1
    assert compared >= 3 * 50


def _is_daily(world: fw.BarWorld, info: FeatureInfo) -> bool:
    """Return whether the last year of a series has every day: the oracle counts rows."""
    points = world.series.get(info.series[0])
    return points is not None and bool((np.diff(points.period[-366:]) == fw.DAY).all())


def test_real_bars_give_the_same_bits_in_batch_and_stream(
    world: fw.BarWorld, table: Floats
) -> None:
    live, begin = fw.stream(fw.BAR_ROWS), 0
    for row, now in enumerate(world.grid):
        end = int(np.searchsorted(world.events.ts_recv, now, side="right"))
        live.table(world.events[begin:end], world.grid[:0])
        np.testing.assert_array_equal(live.write(int(now)), table[row])
        begin = end


def test_indicators_on_all_real_hours_equal_ta_lib(data_dir: Path) -> None:
    """Same seed, same recursion; RSI is undefined here, 0 there, while no price has moved."""
    names = ["rsi_perp_14h", "atr_perp_14h", "adx_perp_14h", "ema_ratio_perp_12h_48h"]
    names += ["macd_line_perp_12h_26h", "macd_histogram_perp_12h_26h"]
    names += ["bb_position_perp_20h", "bb_width_perp_20h"]
    for path in perp_files(data_dir):
        bars, tape = bars_of(pq.read_table(path), "timestamp", 0, fw.HOUR)
        live = fw.stream(tuple(CATALOG[name] for name in names))
        ours = dict(zip(names, live.table(tape, bars.end).T, strict=True))
        for name, theirs in _ta_lib(bars, ours).items():
            found = np.where(np.isnan(ours[name]) & (theirs == 0), 0, ours[name])
            np.testing.assert_allclose(found, theirs, rtol=1e-9, atol=1e-12, err_msg=name)


def _ta_lib(bars: fw.Bars, ours: dict[str, Floats]) -> dict[str, Floats]:
    high, low, close = bars.high, bars.low, bars.close
    line, _, histogram = talib.MACD(close, 12, 26, 9)
    upper, middle, lower = talib.BBANDS(close, 20, 2.0, 2.0)
    # TA-Lib's deviation loses digits to E[x²] - mean²: its bands, not their width, are exact.
    np.testing.assert_allclose(middle * (1 + ours["bb_width_perp_20h"] / 2), upper, rtol=1e-9)
    inside = lower + ours["bb_position_perp_20h"] * (upper - lower)
    known = ~np.isnan(inside)
    np.testing.assert_allclose(inside[known], close[known], rtol=1e-9)
    return {
        "rsi_perp_14h": talib.RSI(close, 14),
        "atr_perp_14h": talib.ATR(high, low, close, 14) / close,
        "adx_perp_14h": talib.ADX(high, low, close, 14),
        "ema_ratio_perp_12h_48h": np.log(talib.EMA(close, 12) / talib.EMA(close, 48)),
        "macd_line_perp_12h_26h": line / close,
        "macd_histogram_perp_12h_26h": histogram / close,
    }
