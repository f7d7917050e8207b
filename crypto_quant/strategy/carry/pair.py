"""The two legs under the terms in force, and the rates at which the pair opens and closes."""

from __future__ import annotations

from decimal import Decimal, localcontext
from math import ceil

from crypto_quant.core.errors import ConfigError
from crypto_quant.core.terms import EXACT, Terms, common_step
from crypto_quant.strategy.carry.config import CarryConfig
from crypto_quant.strategy.carry.economics import four_leg_cost, legs, matched_base
from crypto_quant.strategy.carry.steps import next_lots
from crypto_quant.strategy.risk_manager.config import RiskConfig
from crypto_quant.strategy.risk_manager.loss_at_stop import pair_share

WHOLE = 1e-6
"""Part of a lot by which a float of a whole number of lots may fall short of it."""


class Pair:
    """Terms of both legs with what follows from them, made once per change of the rules.

    ``entry_hourly`` and ``exit_hourly`` are funding per hour, fractions of notional: the
    forecast that pays four legs with the margin asked for, and the one that closes the pair.
    ``paid``: what a unit of spot is taken to cost, over its price; no less than risk asks for.
    """

    __slots__ = (
        "_shares",
        "entry_hourly",
        "exit_hourly",
        "fees",
        "lot",
        "paid",
        "perp",
        "perp_price_unit",
        "perp_size_unit",
        "spot",
        "spot_price_unit",
    )

    def __init__(self, spot: Terms, perp: Terms, config: CarryConfig, risk: RiskConfig) -> None:
        if not spot.is_spot or perp.is_spot or spot.base != perp.base:
            raise ConfigError(
                f"carry holds spot against a perpetual of the same asset, was {spot.id} "
                f"against {perp.id}"
            )
        if perp.is_inverse:
            raise ConfigError(
                f"carry matches its legs in {spot.base}, which an inverse contract as {perp.id} "
                "holds no fixed number of: hold spot against a linear one"
            )
        self.spot = spot
        self.perp = perp
        # Read at every wake-up: a slot costs a third of what a named tuple's field does.
        self.spot_price_unit, self.perp_price_unit = spot.price_unit, perp.price_unit
        self.perp_size_unit = perp.size_unit
        self.fees = max(spot.taker, perp.taker)
        self.paid = 1.0 + max(self.fees + config.spread, risk.spot_buffer + spot.taker)
        self._shares = pair_share(risk, spot.taker), pair_share(risk, perp.taker)
        self.lot = common_step((spot, perp))
        cost = four_leg_cost(config, spot, perp)
        self.entry_hourly = cost * (1.0 + config.entry_margin) / config.horizon_h
        self.exit_hourly = -cost * config.exit_hysteresis / config.horizon_h

    def prices(self, spot_px: int, perp_px: int) -> tuple[float, float]:
        """Return both prices in the quote asset."""
        return spot_px * self.spot_price_unit, perp_px * self.perp_price_unit

    def legs(self, base: float | Decimal, prices: tuple[float, float]) -> tuple[int, int]:
        """Return both quantities of a size; (0, 0) where a leg is below its smallest notional."""
        spot, perp = legs(base, self.spot, self.perp)
        too_small = (
            spot * self.spot.size_unit * prices[0] < self.spot.min_notional
            or -perp * self.perp.size_unit * prices[1] < self.perp.min_notional
        )
        return (0, 0) if too_small else (spot, perp)

    def most(self, equity: float, prices: tuple[float, float]) -> float:
        """Return the largest size that risk allows on the account's equity, in whole lots."""
        spot, perp = self._shares
        lot = float(self.lot)
        return int(equity * min(spot / prices[0], perp / prices[1]) / lot) * lot

    def bought(self, cash: float, prices: tuple[float, float]) -> float:
        """Return the size that spot cash pays for; no lot of it that is not wholly paid."""
        return max(0.0, cash / (prices[0] * self.paid) - 2.0 * WHOLE * float(self.lot))

    def smallest(self, prices: tuple[float, float]) -> float:
        """Return the size below which a leg is not traded, with room for a move of 5 %."""
        spot, perp = float(self.spot.min_notional), float(self.perp.min_notional)
        return 1.05 * max(spot / prices[0], perp / prices[1]) + float(self.lot)

    def step(
        self, base: float, goal: float, limit: float, prices: tuple[float, float]
    ) -> tuple[int, int]:
        """Return both quantities after the next step from one size to another."""
        lot = float(self.lot)
        here, there, most = (int(size / lot + WHOLE) for size in (base, goal, limit))
        lots = next_lots(here, there, most, ceil(self.smallest(prices) / lot))
        with localcontext(EXACT):
            return self.legs(lots * self.lot, prices)

    def matched(self, spot: int, perp: int) -> tuple[int, int]:
        """Return the quantities to which both legs match."""
        return legs(matched_base(spot, perp, self.spot, self.perp), self.spot, self.perp)

    def is_dust(self, excess: int, spot_px: int) -> bool:
        """Tell whether spot holds more than matches by less than the venue lets one sell."""
        if excess <= 0:
            return excess == 0
        return self.spot.notional(spot_px, excess) < self.spot.min_notional
