"""Parameters of the carry sleeve.

What decides when and how large was fixed before any result was seen. How its steps are sized and
waited for (``leg_wait_s``, ``participation``, ``step_share``, ``stale_s``) was set after a first
run had shown legs that bars could not fill.
"""

from __future__ import annotations

from pydantic import Field, model_validator

from crypto_quant.core.config import Section


class CarryConfig(Section):
    """When the pair is opened, re-sized and closed.

    Forecast: ``halflife_h`` of the exponentially weighted mean of settled funding rates (a
    week), ``warmup`` settlements before it is used, ``horizon_h`` over which funding is
    expected (30 days: funding regimes last weeks, the cost is paid once).

    Costs: ``spread`` of one leg (half spread and impact, a fraction), ``transfer`` of moving
    quote asset between wallets, once each way (0: the venue moves it free of charge).
    ``entry_margin``: the forecast must exceed the cost of four legs by this share of it;
    ``exit_hysteresis``: the pair is closed when the forecast is below minus this share.

    Capital: ``margin_share`` is kept as margin of the short, the rest buys spot. The margin
    over the short's notional starts at ``margin_share / (1 - margin_share)``; below
    ``margin_low`` both legs shrink until it is back there, above ``margin_high`` both grow,
    below ``margin_stop`` the pair is closed.

    ``spread_loss``: loss on the basis, as a fraction of the spot leg, at which the pair is
    closed.

    Steps: ``leg_wait_s`` is how long a leg may stay unfilled while the other is filled (ten
    minutes: spot fills a little in each). A step is no larger than what ``participation`` of
    the slower leg's volume (of its last 24 hours) fills in that time; half a per cent, half
    of what our simulated venue gives, because volume is uneven. Nor is it larger than
    ``step_share`` of the sleeve's equity: so much may be unhedged while its legs fill, or for
    as long as a venue stops trading one of them. Below ``margin_stop`` the second limit does
    not apply. ``stale_s``: no step while a leg was last traded longer ago, except there.

    ``retries``: attempts at a leg between two wake-ups of the clock. ``rest_h``: pause after
    a close and after an order that changed nothing. ``idle_share``: idle quote asset beyond
    this share of the pair is moved; a pair that risk caps grows by no less than it.
    """

    halflife_h: float = Field(default=168.0, gt=0, le=87_600)
    warmup: int = Field(default=21, ge=1, le=10_000)
    horizon_h: float = Field(default=720.0, gt=0, le=87_600)
    spread: float = Field(default=0.0002, ge=0, lt=0.05)
    transfer: float = Field(default=0.0, ge=0, lt=0.05)
    entry_margin: float = Field(default=0.25, ge=0, le=100)
    exit_hysteresis: float = Field(default=0.25, ge=0, le=100)
    margin_share: float = Field(default=0.25, gt=0, lt=1)
    margin_low: float = Field(default=0.20, gt=0, le=100)
    margin_high: float = Field(default=0.50, gt=0, le=100)
    margin_stop: float = Field(default=0.05, gt=0, le=100)
    spread_loss: float = Field(default=0.01, gt=0, lt=1)
    leg_wait_s: float = Field(default=600.0, gt=0, le=604_800)
    participation: float = Field(default=0.005, gt=0, le=1)
    step_share: float = Field(default=0.10, gt=0, le=1)
    stale_s: float = Field(default=900.0, gt=0, le=604_800)
    retries: int = Field(default=3, ge=0, le=1_000)
    rest_h: float = Field(default=24.0, ge=0, le=8_760)
    idle_share: float = Field(default=0.02, gt=0, lt=1)

    @property
    def margin_target(self) -> float:
        """Margin over notional of the short just after opening or re-sizing."""
        return self.margin_share / (1.0 - self.margin_share)

    @model_validator(mode="after")
    def _ordered(self) -> CarryConfig:
        if not self.margin_stop < self.margin_low < self.margin_target < self.margin_high:
            raise ValueError(
                "margin_stop < margin_low < margin_share / (1 - margin_share) < margin_high "
                f"must hold, the third is {self.margin_target:.3f}"
            )
        return self
