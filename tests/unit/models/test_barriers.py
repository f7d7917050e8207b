"""Labels: hand-worked cases, an exact oracle on synthetic and real bars, no look-ahead."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from crypto_quant.core.errors import ConfigError, DataError
from crypto_quant.models.labels import (
    LABELS,
    Bars,
    LabelConfig,
    Labels,
    forward_return,
    triple_barrier,
)
from tests.unit.models.market import (
    HOUR,
    START,
    mean_range,
    real_bars,
    segments_of,
    walk_bars,
)

Row = tuple[float, float, float, float]


def _bars(*rows: Row) -> Bars:
    opened, high, low, close = (np.array(c, dtype=np.float64) for c in zip(*rows, strict=True))
    return Bars(START + HOUR * np.arange(len(rows)), opened, high, low, close, HOUR)


def _label_first(bars: Bars, cost: float = 0.0, atr: float = 1.0) -> Labels:
    """Label the decision at the first bar, to the last, with barriers 2 away."""
    config = LabelConfig(horizon_h=len(bars.ts), width_atr=2.0, cost_frac=cost)
    whole = [(int(bars.ts[0]), int(bars.ts[-1]) + HOUR)]
    return triple_barrier(bars, bars.ts[:1], np.array([atr]), whole, config)


def test_triple_barrier_take_reached_first_is_up() -> None:
    labels = _label_first(_bars((100, 101, 99, 101), (101, 102, 100, 100), (100, 100, 97, 97)))
    assert labels.kind.tolist() == [1]
    assert labels.net_long.tolist() == [0.02]
    assert labels.net_short.tolist() == [-0.02]
    assert labels.t1.tolist() == [START + 2 * HOUR]


def test_triple_barrier_both_touched_in_one_bar_loses_both_trades() -> None:
    labels = _label_first(_bars((100, 103, 97, 100), (100, 110, 100, 110)))
    assert labels.kind.tolist() == [0]
    assert labels.net_long.tolist() == [-0.02]
    assert labels.net_short.tolist() == [-0.02]
    assert labels.t1.tolist() == [START + HOUR]


def test_triple_barrier_gap_through_stop_fills_at_open_and_take_at_trigger() -> None:
    labels = _label_first(_bars((100, 101, 99, 100), (90, 91, 89, 90)))
    assert labels.kind.tolist() == [-1]
    assert labels.net_long.tolist() == [-0.1]
    assert labels.net_short.tolist() == [0.02]


def test_triple_barrier_untouched_ends_at_last_close() -> None:
    labels = _label_first(_bars((100, 101, 99, 100), (100, 101, 100, 101)), cost=0.005)
    assert labels.kind.tolist() == [0]
    assert labels.net_long == pytest.approx([0.005])
    assert labels.net_short == pytest.approx([-0.015])
    assert labels.t1.tolist() == [START + 2 * HOUR]


def test_triple_barrier_costs_move_the_take_away_and_the_stop_near() -> None:
    # Cost of 1 on an entry of 100: a long takes at 103 and is stopped at 99.
    reached = _label_first(_bars((100, 102.5, 99.5, 102), (102, 103, 99.5, 102)), cost=0.01)
    assert reached.kind.tolist() == [1]
    assert reached.net_long == pytest.approx([0.02])
    stopped = _label_first(_bars((100, 102.9, 99.0, 102), (102, 110, 101, 110)), cost=0.01)
    assert stopped.net_long == pytest.approx([-0.02])
    assert stopped.kind.tolist() == [0]


def test_triple_barrier_cost_above_width_loses_the_cost_at_entry() -> None:
    labels = _label_first(_bars((100, 150, 99, 150), (150, 150, 50, 50)), cost=0.03)
    assert labels.net_long == pytest.approx([-0.03])
    assert labels.net_short == pytest.approx([-0.03])
    assert labels.t1.tolist() == [START + HOUR]


def test_labels_not_made_where_the_horizon_passes_the_segment_or_atr_is_unknown() -> None:
    bars = walk_bars(np.random.default_rng(5), 100)
    segments = [(START, START + 40 * HOUR), (START + 60 * HOUR, START + 100 * HOUR)]
    atr = np.full(100, 50.0)
    atr[:3] = [np.nan, 0.0, -1.0]
    labels = triple_barrier(bars, bars.ts, atr, segments, LabelConfig())
    assert labels.row.tolist() == [*range(3, 17), *range(60, 77)]
    control = forward_return(bars, bars.ts, atr, segments, LabelConfig())
    assert control.row.tolist() == [*range(17), *range(60, 77)]


def test_labels_without_segments_are_empty() -> None:
    bars = walk_bars(np.random.default_rng(5), 30)
    for make in LABELS.values():
        assert len(make(bars, bars.ts, np.ones(30), [], LabelConfig())) == 0


def test_labels_missing_bar_inside_segment_is_refused() -> None:
    whole = walk_bars(np.random.default_rng(5), 60)
    keep = np.arange(60) != 30
    bars = Bars._make([*(column[keep] for column in whole[:5]), HOUR])
    with pytest.raises(DataError, match="inside the segment"):
        triple_barrier(bars, bars.ts, np.ones(59), [(START, START + 60 * HOUR)], LabelConfig())


def test_labels_price_of_zero_or_nan_is_refused() -> None:
    for bad in (0.0, np.nan):
        bars = walk_bars(np.random.default_rng(5), 60)
        bars.low[7] = bad
        with pytest.raises(DataError, match="not > 0"):
            triple_barrier(bars, bars.ts, np.ones(60), segments_of(bars), LabelConfig())


def test_labels_horizon_between_bars_is_refused() -> None:
    bars = walk_bars(np.random.default_rng(5), 60)._replace(interval_ns=7 * HOUR)
    with pytest.raises(ConfigError, match="horizon_h"):
        forward_return(bars, bars.ts, np.ones(60), segments_of(bars), LabelConfig())


def test_labels_atr_of_another_length_is_refused() -> None:
    bars = walk_bars(np.random.default_rng(5), 60)
    with pytest.raises(DataError, match="60 decision times but 3 ATR"):
        triple_barrier(bars, bars.ts, np.ones(3), segments_of(bars), LabelConfig())


Trade = tuple[str, Fraction, int]


def _oracle_trade(bars: Bars, entry: int, config: LabelConfig, atr: float, is_long: bool) -> Trade:
    """Follow one trade bar by bar in exact net returns; return outcome, net, bars held."""
    paid, cost = Fraction(float(bars.open[entry])), Fraction(config.cost_frac)
    goal = Fraction(config.width_atr) * Fraction(atr) / paid

    def net(price: float) -> Fraction:
        gross = Fraction(float(price)) / paid - 1
        return (gross if is_long else -gross) - cost

    steps = config.horizon_ns // HOUR
    for held in range(steps):
        bar = entry + held
        best, worst = bars.high[bar], bars.low[bar]
        if not is_long:
            best, worst = worst, best
        if net(worst) <= -goal:
            return "stop", min(-goal, net(bars.open[bar])), held + 1
        if net(best) >= goal:
            return "take", goal, held + 1
    return "time", net(bars.close[entry + steps - 1]), steps


def _assert_as_oracle(
    bars: Bars, atr: NDArray[np.float64], labels: Labels, config: LabelConfig
) -> None:
    for i, row in enumerate(labels.row):
        entry = int(np.searchsorted(bars.ts, labels.t0[i]))
        long = _oracle_trade(bars, entry, config, float(atr[row]), is_long=True)
        short = _oracle_trade(bars, entry, config, float(atr[row]), is_long=False)
        kind = {("take", "stop"): 1, ("stop", "take"): -1}.get((long[0], short[0]), 0)
        assert labels.kind[i] == kind
        assert labels.net_long[i] == pytest.approx(float(long[1]), abs=1e-13)
        assert labels.net_short[i] == pytest.approx(float(short[1]), abs=1e-13)
        assert labels.t1[i] == labels.t0[i] + max(long[2], short[2]) * HOUR


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_triple_barrier_equals_bar_by_bar_oracle(data: st.DataObject) -> None:
    # Small integers and binary fractions: exact in float64, so that ties are real ties.
    rows = []
    for _ in range(data.draw(st.integers(4, 14))):
        four = data.draw(st.lists(st.integers(90, 110), min_size=4, max_size=4))
        low, mid, other, high = sorted(four)
        rows.append(
            (mid, high, low, other) if data.draw(st.booleans()) else (other, high, low, mid)
        )
    bars = _bars(*rows)
    config = LabelConfig(
        horizon_h=data.draw(st.integers(1, 4)),
        width_atr=data.draw(st.sampled_from([0.5, 2.0, 4.0])),
        cost_frac=data.draw(st.sampled_from([0.0, 1 / 64, 1 / 128])),
    )
    atr = np.array([float(data.draw(st.integers(1, 3))) for _ in rows])
    labels = triple_barrier(bars, bars.ts, atr, segments_of(bars), config)
    assert len(labels) == len(rows) - config.horizon_h + 1
    _assert_as_oracle(bars, atr, labels, config)


@pytest.mark.data
def test_triple_barrier_on_real_bars_equals_oracle(data_dir: Path) -> None:
    bars = real_bars(data_dir)
    ts, atr, config = bars.ts + HOUR, mean_range(bars), LabelConfig()
    labels = triple_barrier(bars, ts, atr, segments_of(bars), config)
    assert set(labels.kind.tolist()) == {-1, 0, 1}
    some = labels.take(np.arange(0, len(labels), max(1, len(labels) // 1_500)))
    _assert_as_oracle(bars, atr, some, config)


def test_forward_return_equals_plain_arithmetic() -> None:
    bars = walk_bars(np.random.default_rng(8), 60)
    labels = forward_return(bars, bars.ts, np.ones(60), segments_of(bars), LabelConfig())
    assert len(labels) == 37
    for i, row in enumerate(labels.row.tolist()):
        gross = bars.close[row + 23] / bars.open[row] - 1
        assert labels.net_long[i] == pytest.approx(gross - 0.0012, abs=1e-15)
        assert labels.net_short[i] == pytest.approx(-gross - 0.0012, abs=1e-15)
        assert labels.kind[i] == (1 if gross > 0.0012 else -1 if gross < -0.0012 else 0)
        assert labels.t1[i] - labels.t0[i] == 24 * HOUR
    assert labels.directional == pytest.approx(labels.net_long + 0.0012)


@pytest.mark.parametrize("name", LABELS)
def test_labels_known_by_a_time_do_not_change_with_what_comes_after(name: str) -> None:
    rng = np.random.default_rng(11)
    bars = walk_bars(rng, 400)
    atr = mean_range(bars)
    whole = segments_of(bars)
    labels = LABELS[name](bars, bars.ts + HOUR, atr, whole, LabelConfig())
    for cut in (150, 211, 399):
        later = walk_bars(rng, 400)
        prices = [
            np.concatenate([past[:cut], future[cut:] * 1.3])
            for past, future in zip(bars[1:5], later[1:5], strict=True)
        ]
        mixed = Bars._make([bars.ts, *prices, HOUR])
        again = LABELS[name](mixed, bars.ts + HOUR, mean_range(mixed), whole, LabelConfig())
        now = int(bars.ts[cut])
        known, kept = labels.take(labels.t1 <= now), again.take(again.t1 <= now)
        assert len(known) > 50
        for field in ("row", "t0", "t1", "kind", "net_long", "net_short"):
            np.testing.assert_array_equal(getattr(known, field), getattr(kept, field))
