"""Arithmetic of the pair: what it costs, how large it may be, how its legs match."""

from __future__ import annotations

from decimal import Decimal, localcontext

from crypto_quant.core.terms import EXACT, Terms, common_step
from crypto_quant.strategy.carry.config import CarryConfig


def four_leg_cost(config: CarryConfig, spot: Terms, perp: Terms) -> float:
    """Return the cost of opening and closing the pair, a fraction of one leg's notional.

    ``2 (fee_spot + fee_perp) + 4 spread + 2 transfer``.
    """
    fees = 2.0 * (spot.taker + perp.taker)
    return fees + 4.0 * config.spread + 2.0 * config.transfer


def legs(base: float | Decimal, spot: Terms, perp: Terms) -> tuple[int, int]:
    """Return spot and perpetual quantities (grid units, short < 0) of one size, rounded down."""
    with localcontext(EXACT):
        step = common_step((spot, perp))
        size = int(Decimal(base) / step) * step
        return int(size / spot.size_step), -int(size / perp.size_step)


def matched_base(spot_qty: int, perp_qty: int, spot: Terms, perp: Terms) -> Decimal:
    """Return the size, in the base asset, to which long spot and short perpetual match."""
    with localcontext(EXACT):
        step = common_step((spot, perp))
        size = min(spot_qty * spot.size_step, -perp_qty * perp.size_step)
        return max(Decimal(0), int(size / step) * step)


def opening_base(
    cash: float, margin: float, prices: tuple[float, float], config: CarryConfig, fees: float
) -> float:
    """Return the largest size that spot cash buys and margin carries at its target ratio.

    ``prices`` are of spot and perpetual; ``fees`` is the larger taker fraction, charged with
    the spread on both legs.
    """
    spot, perp = prices
    cost = fees + config.spread
    bought = cash / (spot * (1.0 + cost))
    carried = margin / (perp * (config.margin_target + cost))
    return max(0.0, min(bought, carried))


def resized_base(
    base: float, money: float, prices: tuple[float, float], config: CarryConfig, fees: float
) -> float:
    """Return the size at which margin over notional is back at its target ``t``.

    Selling ``d`` of spot at ``S`` frees ``d S (1 - c)``; buying back ``d`` of the short at
    ``F`` costs ``d F c``: ``money + d S (1 - c) - d F c = t (base - d) F``. A growing pair
    (``d < 0``) pays the costs instead. ``money`` is margin plus idle spot cash.
    """
    spot, perp = prices
    cost = fees + config.spread
    target = config.margin_target
    short = target * base * perp - money
    if short > 0.0:
        return base - short / (spot * (1.0 - cost) + perp * (target - cost))
    return base - short / (spot * (1.0 + cost) + perp * (target + cost))


def basis_loss(entry: tuple[float, float], prices: tuple[float, float]) -> float:
    """Return the pair's loss on the basis, a fraction of the spot entry price; gains < 0."""
    gained = (prices[0] - entry[0]) - (prices[1] - entry[1])
    return -gained / entry[0]
