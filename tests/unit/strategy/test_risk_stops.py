"""What is held is spared by the loss limit only while its stop is no farther than before.

At 50,000 one lot is 50 USDT; gap and two sides of costs are 0.7 %, the budget is 1,000 USDT.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.strategy.account import MODEL, PERP, TERMS, Account
from tests.unit.strategy.test_risk_manager import manager, target


def allowed(view: Account, quantity: int, stop: int | None, **limits: object) -> int:
    (got,) = manager(**limits).shrink([target(quantity, stop)], view, TERMS)
    assert got.stop == stop
    return got.quantity


def protected(held: int, stop: int | None) -> Account:
    """Return an account with a position of the model behind a stop."""
    return Account(held={(MODEL, PERP): held}, stops={(MODEL, PERP): stop})


def test_held_position_far_from_its_stop_is_spared_while_the_stop_stays() -> None:
    """40.7 % of 50 USDT allow 49 lots; what is held came by its distance by gains."""
    view = protected(740, 3_000_000)
    assert allowed(view, 741, 3_000_000) == 740
    assert allowed(view, 741, 3_100_000) == 740
    assert allowed(view, 739, 3_000_000) == 739


@pytest.mark.parametrize("asked", [738, 739, 740, 741, 2_000])
def test_stop_moved_away_cuts_what_is_held_to_what_it_may_lose(asked: int) -> None:
    """40 % + 0.7 % of 50 USDT are 20.35: 49 lots lose 997.15 of 1,000."""
    assert allowed(protected(740, 4_900_000), asked, 3_000_000) == 49
    assert allowed(protected(-740, 5_100_000), -asked, 7_000_000) == -49
    assert allowed(protected(740, 3_000_010), asked, 3_000_000) == 49


def test_rolled_bet_is_cut_to_what_it_loses_at_its_new_stop() -> None:
    """0.2 % + 0.7 % of 50 USDT allow 2,222 lots; at 2 % these would lose 3,000 USDT."""
    assert allowed(Account(), 10_000, 4_990_000) == 2_222
    assert allowed(protected(2_222, 4_990_000), 10_000, 4_900_000) == 740
    assert allowed(protected(2_222, 4_990_000), 2_222, 4_900_000) == 740
    assert allowed(protected(2_222, 4_900_000), 10_000, 4_990_000) == 2_222


def test_position_without_a_stop_is_cut_to_what_its_first_one_allows() -> None:
    assert allowed(protected(2_222, None), 2_222, 4_900_000) == 740
    assert allowed(protected(2_222, None), 2_000, 4_900_000) == 740


def test_target_without_a_stop_keeps_the_old_one_and_what_is_held() -> None:
    view = protected(740, 4_900_000)
    assert allowed(view, 738, None) == 738
    assert allowed(view, 900, None) == 740
    assert allowed(view, 900, None, require_stop=False) == 740  # of 50 USDT all may be lost


def test_close_is_a_close_whatever_stop_it_names() -> None:
    view = protected(740, 4_900_000)
    assert allowed(view, 0, None) == 0
    assert allowed(view, 0, 3_000_000) == 0


@given(
    st.integers(-6_000, 6_000),
    st.integers(1, 999_999).map(lambda tick: tick * 10),
    st.integers(-6_000, 6_000),
    st.integers(1, 999_999).map(lambda tick: tick * 10),
)
def test_no_target_raises_what_is_lost_at_the_stop_beyond_the_limit(
    held: int, stop_now: int, asked: int, stop: int
) -> None:
    """Either the loss at the new stop is within 1 %, or no larger than at the stop in force."""
    got = allowed(protected(held, stop_now), asked, stop)
    side = 1 if got > 0 else -1
    distance = side * (5_000_000 - stop) / 5_000_000
    lost = abs(got) * 50 * (distance + 0.007)
    before = 0.0
    if got * held > 0:
        before = abs(held) * 50 * (side * (5_000_000 - stop_now) / 5_000_000 + 0.007)
    assert distance <= 0 or lost <= max(1_000.0, before) * (1 + 1e-9)
