"""Economics of the pair by hand: its costs, its sizes, its margin."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from crypto_quant.strategy.carry import CarryConfig
from crypto_quant.strategy.carry.economics import (
    basis_loss,
    four_leg_cost,
    legs,
    matched_base,
    opening_base,
    resized_base,
)
from tests.unit.strategy.account import PERP_TERMS, SPOT_TERMS
from tests.unit.strategy.carry.desk import CONFIG, PRICES


def test_four_legs_cost_by_hand() -> None:
    """Spot 10 bp and perpetual 5 bp, each twice; 2 bp of spread four times; no transfer fee."""
    assert four_leg_cost(CONFIG, SPOT_TERMS, PERP_TERMS) == pytest.approx(0.0038)
    dear = CarryConfig(transfer=0.0001)
    assert four_leg_cost(dear, SPOT_TERMS, PERP_TERMS) == pytest.approx(0.0040)


def test_legs_match_on_the_coarser_lot() -> None:
    assert legs(0.7349, SPOT_TERMS, PERP_TERMS) == (73_400, -734)
    assert legs(Decimal("0.0009"), SPOT_TERMS, PERP_TERMS) == (0, 0)
    coarse = PERP_TERMS._replace(lot=5)
    assert legs(0.7349, SPOT_TERMS, coarse) == (73_000, -730)


@given(st.integers(0, 10**7), st.integers(-(10**5), 0))
def test_matched_size_is_held_on_both_legs(spot: int, perp: int) -> None:
    size = matched_base(spot, perp, SPOT_TERMS, PERP_TERMS)
    pair = legs(size, SPOT_TERMS, PERP_TERMS)
    assert pair[0] * SPOT_TERMS.size_step == -pair[1] * PERP_TERMS.size_step == size
    assert pair[0] <= spot
    assert -pair[1] <= -perp


def test_opening_size_by_hand() -> None:
    """Fees of 10 bp and 2 bp of spread: 37,500 buys 0.749; 12,500 carries 0.7473 at a third."""
    size = opening_base(37_500.0, 12_500.0, PRICES, CONFIG, 0.001)
    assert size == pytest.approx(12_500 / (50_000 * (1 / 3 + 0.0012)))
    assert size * 50_000 * 1.0012 <= 37_500


@given(
    st.floats(0.1, 10),
    st.floats(0.01, 1.5),
    st.floats(10_000, 90_000),
    st.floats(-0.02, 0.02),
)
def test_resizing_restores_the_margin_target(
    base: float, ratio: float, spot: float, basis: float
) -> None:
    """Trade the difference leg by leg in a small account and look at the ratio after costs."""
    perp = spot * (1 + basis)
    cost = 0.001 + CONFIG.spread
    money = ratio * base * perp
    size = resized_base(base, money, (spot, perp), CONFIG, 0.001)
    sold = base - size
    money += sold * spot - abs(sold) * spot * cost  # spot leg into cash
    money -= abs(sold) * perp * cost  # the short bought back or enlarged at its mark
    assert money / (size * perp) == pytest.approx(CONFIG.margin_target, rel=1e-9)
    assert (size < base) == (ratio < CONFIG.margin_target)


def test_basis_loss_is_what_the_pair_loses() -> None:
    """Spot 100 to 104 and short 100.2 to 105.2: +4 - 5 is 1 % of the spot entry lost."""
    assert basis_loss((100.0, 100.2), (104.0, 105.2)) == pytest.approx(0.01)


def test_config_orders_the_margin_ratios() -> None:
    with pytest.raises(ValidationError, match="margin_stop < margin_low"):
        CarryConfig(margin_share=0.1)
