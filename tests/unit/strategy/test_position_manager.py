"""Sizes, stops and the life of a bet."""

from __future__ import annotations

import math
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar  # type: ignore[import-untyped]  # scipy ships no types

from crypto_quant.core.errors import ConfigError
from crypto_quant.core.messages import Prediction, Signal, Target
from crypto_quant.strategy.position_manager.directional import (
    DirectionalConfig,
    DirectionalSleeve,
)
from crypto_quant.strategy.position_manager.imbalance import ImbalanceConfig, ImbalanceSleeve
from crypto_quant.strategy.position_manager.kelly import kelly_leverage, vol_target_leverage
from crypto_quant.strategy.position_manager.momentum import MomentumConfig, MomentumSleeve
from crypto_quant.strategy.position_manager.sizing import SizingConfig, quantity_of
from crypto_quant.strategy.position_manager.stops import StopConfig, stop_distance, stop_px
from tests.unit.strategy.account import HOUR, MODEL, PERP, PERP_TERMS, SPOT_TERMS, Account

PROBABILITIES = st.tuples(st.floats(0.01, 1), st.floats(0.01, 1), st.floats(0.01, 1))


def _oracle(p_win: float, p_loss: float, barrier: float, cost: float) -> float:
    """Maximise the expected log by search, without the closed form."""
    rest = 1 - p_win - p_loss
    ruin = 1 / (barrier + cost)

    def lost(f: float) -> float:
        ends = np.array([f * (barrier - cost), -f * cost, -f * (barrier + cost)])
        return float(-np.dot([p_win, rest, p_loss], np.log1p(ends)))

    found = minimize_scalar(
        lost, bounds=(0, ruin * (1 - 1e-9)), method="bounded", options={"xatol": ruin * 1e-9}
    )
    return float(found.x)


@given(PROBABILITIES, st.floats(0.003, 0.3), st.floats(0, 0.004))
def test_kelly_maximises_expected_log_growth(
    weights: tuple[float, float, float], barrier: float, cost: float
) -> None:
    p_win, p_loss, _ = (w / sum(weights) for w in weights)
    found = kelly_leverage(p_win, p_loss, barrier, cost)
    oracle = _oracle(p_win, p_loss, barrier, cost)
    scale = 1 / (barrier + cost)
    assert found == pytest.approx(oracle, abs=2e-4 * scale)


def test_kelly_without_cost_and_time_out_is_the_textbook_fraction() -> None:
    assert kelly_leverage(0.6, 0.4, 0.02, 0.0) == pytest.approx((0.6 - 0.4) / 0.02)


@pytest.mark.parametrize(
    ("p_win", "p_loss", "barrier", "cost"),
    [
        (0.5, 0.5, 0.02, 0.0),  # no edge
        (0.52, 0.48, 0.02, 0.002),  # the edge does not pay the cost
        (0.9, 0.1, 0.001, 0.001),  # nothing can be won
        (math.nan, 0.1, 0.02, 0.0),
    ],
)
def test_kelly_of_a_bad_bet_is_zero(
    p_win: float, p_loss: float, barrier: float, cost: float
) -> None:
    assert kelly_leverage(p_win, p_loss, barrier, cost) == 0.0


def test_kelly_that_can_lose_only_its_cost() -> None:
    """p_loss = 0: maximise p log(1 + f w) + (1 - p) log(1 - f c) by hand."""
    p, w, c = 0.4, 0.018, 0.002
    expected = (p * w - (1 - p) * c) / (w * c)
    assert kelly_leverage(p, 0.0, 0.02, 0.002) == pytest.approx(expected)


def test_vol_target_gives_the_target_volatility() -> None:
    """The scaled returns have the target deviation, measured by numpy."""
    returns = np.random.default_rng(3).normal(0, 0.03, 500)
    vol = float(np.sqrt(365 * np.mean(returns**2)))
    scaled = vol_target_leverage(0.3, vol) * returns
    assert np.sqrt(365 * np.mean(scaled**2)) == pytest.approx(0.3)


@pytest.mark.parametrize("vol", [0.0, -1.0, math.nan])
def test_vol_target_of_an_unknown_volatility_is_zero(vol: float) -> None:
    assert vol_target_leverage(0.3, vol) == 0.0


@pytest.mark.parametrize(("atr", "expected"), [(300.0, 600.0), (700.0, 1000.0), (math.nan, 1000.0)])
def test_stop_is_the_tighter_of_fixed_and_atr(atr: float, expected: float) -> None:
    assert stop_distance(50_000.0, atr, StopConfig()) == pytest.approx(expected)


@given(
    st.integers(1_000, 10_000_000),
    st.sampled_from([-1, 1]),
    st.floats(0, 0.4),
    st.sampled_from([1, 5, 10]),
)
def test_stop_lies_on_a_tick_beyond_the_price_and_not_farther_than_asked(
    px: int, direction: int, share: float, tick: int
) -> None:
    distance = px * share
    stop = stop_px(px, direction, distance, tick)
    assert stop % tick == 0
    gap = (px - stop) * direction
    assert gap > 0
    assert gap <= max(distance, tick) + 1e-6


@given(st.floats(0, 1e7), st.integers(1, 10_000_000), st.floats(0.5, 1.5))
def test_quantity_never_costs_more_than_asked(notional: float, px: int, share: float) -> None:
    stop = max(1, int(px * share))
    quantity = quantity_of(notional, px, stop, SPOT_TERMS)
    assert SPOT_TERMS.notional(px, quantity) <= Decimal(notional) * (1 + Decimal("1e-12"))
    for price in (px, stop):
        assert quantity == 0 or SPOT_TERMS.notional(price, quantity) >= SPOT_TERMS.min_notional


def test_bet_whose_stop_the_venue_would_not_take_is_not_made() -> None:
    """Two lots are 100 USDT at 50,000 and 98 at the stop."""
    view = Account(equities={MODEL: 200.0})
    assert _ask(_sleeve(), view, 1) is None
    short = _ask(_sleeve(), view, -1)
    assert short is not None
    assert short.quantity == -2


def _sleeve(**sizing: float) -> DirectionalSleeve:
    config = DirectionalConfig(sizing=SizingConfig.model_validate(sizing))
    return DirectionalSleeve(config, MODEL, "model", PERP)


def _ask(
    sleeve: DirectionalSleeve, view: Account, direction: int, p_win: float = 0.7
) -> Target | None:
    """Ask with an ATR of 600 on a price of 50,000 and a volatility of 60 %."""
    p_up, p_down = (p_win, 0.2) if direction >= 0 else (0.2, p_win)
    signal = Signal(view.now, "model", direction, 1.0 if direction else 0.0, "test")
    return sleeve.on_timer(
        signal, Prediction(view.now, p_up, p_down, "m"), 600.0, 0.6, PERP_TERMS, view
    )


def _hold(view: Account, target: Target) -> None:
    view.held[MODEL, PERP] = target.quantity


def test_bet_is_sized_by_the_smallest_bound_and_carries_its_stop() -> None:
    """vol_target / vol = 0.5 of 50,000 is 0.5 BTC at 50,000; stop 1000 below (2 %)."""
    target = _ask(_sleeve(), Account(), 1)
    assert target is not None
    assert (target.quantity, target.stop) == (500, 4_900_000)


@pytest.mark.parametrize(
    ("sizing", "quantity"),
    [
        ({"max_leverage": 1.0, "vol_target": 2.0}, 1000),
        ({"kelly_cap": 0.2}, 200),
        ({"notional_cap": 7_000.0}, 140),
        ({"vol_target": 0.12}, 200),
    ],
)
def test_bet_size_obeys_each_cap(sizing: dict[str, float], quantity: int) -> None:
    target = _ask(_sleeve(**sizing), Account(), -1)
    assert target is not None
    assert target.quantity == -quantity


def test_bet_size_is_the_fraction_of_kelly_where_that_binds() -> None:
    sleeve = _sleeve(kelly_fraction=0.01, vol_target=2.0)
    target = _ask(sleeve, Account(), 1, p_win=0.4)
    assert target is not None
    barrier = 2 * 600 / 50_000
    kelly = _oracle(0.4, 0.2, barrier, 2 * (0.0005 + 0.0001))
    assert target.quantity == int(0.01 * kelly * 50_000 / 50)


def test_bet_without_edge_after_costs_is_not_made() -> None:
    sleeve = _sleeve()
    view = Account()
    signal = Signal(view.now, "model", 1, 1.0, "test")
    prediction = Prediction(view.now, 0.41, 0.40, "m")
    assert sleeve.on_timer(signal, prediction, 600.0, 0.6, PERP_TERMS, view) is None


def test_bet_is_left_alone_while_it_lasts() -> None:
    sleeve, view = _sleeve(), Account()
    target = _ask(sleeve, view, 1)
    assert target is not None
    _hold(view, target)
    for direction in (1, 0, 1):
        view.now += HOUR
        view.prices[PERP] += 10_000
        assert _ask(sleeve, view, direction) is None


def test_bet_ends_at_its_horizon() -> None:
    sleeve, view = _sleeve(), Account()
    target = _ask(sleeve, view, 1)
    assert target is not None
    _hold(view, target)
    view.now += 24 * HOUR - 1
    assert _ask(sleeve, view, 0) is None
    view.now += 1
    end = _ask(sleeve, view, 0)
    assert end is not None
    assert (end.quantity, end.reason) == (0, "time stop")


def test_bet_ends_at_the_barrier_in_favour() -> None:
    sleeve, view = _sleeve(), Account()
    target = _ask(sleeve, view, -1)
    assert target is not None
    _hold(view, target)
    view.now += HOUR
    view.prices[PERP] = 5_000_000 - 119_999
    assert _ask(sleeve, view, 0) is None
    view.prices[PERP] = 5_000_000 - 120_000  # 2 x ATR
    end = _ask(sleeve, view, 0)
    assert end is not None
    assert end.quantity == 0


def test_opposite_signal_turns_the_bet_in_one_target() -> None:
    sleeve, view = _sleeve(), Account()
    target = _ask(sleeve, view, 1)
    assert target is not None
    _hold(view, target)
    view.now += HOUR
    turned = _ask(sleeve, view, -1)
    assert turned is not None
    assert (turned.quantity, turned.stop) == (-500, 5_100_000)


def test_stopped_bet_is_not_repeated_until_its_signal_has_left() -> None:
    sleeve, view = _sleeve(), Account()
    target = _ask(sleeve, view, 1)
    assert target is not None
    _hold(view, target)
    view.now += HOUR
    assert _ask(sleeve, view, 1) is None
    view.held.clear()  # the stop was hit
    view.now += HOUR
    gone = _ask(sleeve, view, 1)
    assert gone is not None
    assert gone.quantity == 0
    view.now += HOUR
    assert _ask(sleeve, view, 1) is None
    assert _ask(sleeve, view, 0) is None
    view.now += HOUR
    again = _ask(sleeve, view, 1)
    assert again is not None
    assert again.quantity > 0


def test_bet_waits_while_its_order_works() -> None:
    sleeve, view = _sleeve(), Account()
    assert _ask(sleeve, view, 1) is not None
    view.pending[MODEL, PERP] = 500
    view.now += HOUR
    assert _ask(sleeve, view, 1) is None


def test_momentum_holds_its_vol_target_once_a_day_with_a_band() -> None:
    sleeve, view = MomentumSleeve(MomentumConfig(), MODEL, "momentum", PERP), Account()
    up = Signal(view.now, "momentum", 1, 1.0, "test")
    target = sleeve.on_signal(up, 0.8, PERP_TERMS, view)  # 0.4 / 0.8 of 50,000 at 50,000
    assert target is not None
    assert (target.quantity, target.stop) == (500, 4_000_000)
    _hold(view, target)
    assert sleeve.on_signal(up, 0.85, PERP_TERMS, view) is None  # 6 % smaller: within the band
    down = sleeve.on_signal(up._replace(direction=-1), 0.3, PERP_TERMS, view)
    assert down is not None
    assert (down.quantity, down.stop) == (-1000, 6_000_000)  # leverage capped at 1


def test_imbalance_sleeve_holds_seconds_and_rests() -> None:
    view = Account()
    sleeve = ImbalanceSleeve(ImbalanceConfig(), MODEL, "tick", PERP)
    heavy = Signal(view.now, "tick", 1, 0.8, "bids outweigh asks")
    opened = sleeve.on_timer(heavy, PERP_TERMS, view)
    assert opened is not None
    assert (opened.quantity, opened.stop) == (10, 4_995_000)  # 0.01 BTC, 10 bp
    _hold(view, opened)
    view.now += 4_900 * 10**6
    assert sleeve.on_timer(heavy, PERP_TERMS, view) is None
    view.now += 100 * 10**6
    closed = sleeve.on_timer(heavy, PERP_TERMS, view)
    assert closed is not None
    assert closed.quantity == 0
    assert sleeve.on_timer(heavy, PERP_TERMS, view) is None  # resting
    view.now += 1_000 * 10**6
    assert sleeve.on_timer(heavy, PERP_TERMS, view) is None  # the close is not filled yet
    view.held.clear()
    assert sleeve.on_timer(heavy, PERP_TERMS, view) is not None


def test_imbalance_sleeve_leaves_with_its_signal() -> None:
    view = Account()
    sleeve = ImbalanceSleeve(ImbalanceConfig(), MODEL, "tick", PERP)
    heavy = Signal(view.now, "tick", -1, 0.8, "asks outweigh bids")
    opened = sleeve.on_timer(heavy, PERP_TERMS, view)
    assert opened is not None
    assert (opened.quantity, opened.stop) == (-10, 5_005_000)
    closed = sleeve.on_timer(heavy._replace(direction=0, reason="flat"), PERP_TERMS, view)
    assert closed is not None
    assert (closed.quantity, closed.reason) == (0, "flat")


def test_a_size_below_a_lot_is_refused_where_it_would_be_sent() -> None:
    sleeve = ImbalanceSleeve(ImbalanceConfig(size=Decimal("0.0005")), MODEL, "tick", PERP)
    account = Account()
    up = Signal(account.now, "tick", 1, 1.0, "more is bid")
    with pytest.raises(ConfigError, match=r"size\.size: 0\.0005 BTC is less than the lot 0\.001"):
        sleeve.on_timer(up, PERP_TERMS, account)
