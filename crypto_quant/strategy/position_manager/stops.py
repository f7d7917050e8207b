"""Stops: how far, and at which price, a position is given up."""

from __future__ import annotations

from pydantic import Field

from crypto_quant.core.config import Section

HOUR_NS = 3_600 * 10**9


class StopConfig(Section):
    """Three stops; the nearer of the first two rests at the venue, the third is the clock's.

    ``fixed``: fraction of the price. ``atr_multiple``: multiples of the average true range.
    ``time_h``: hours after which a bet is over.
    """

    fixed: float = Field(default=0.02, gt=0, lt=0.5)
    atr_multiple: float = Field(default=2.0, gt=0, le=100)
    time_h: float = Field(default=24.0, gt=0, le=8_760)


def stop_distance(price: float, atr: float, config: StopConfig) -> float:
    """Return the distance of the stop in price units: the tighter of fixed and ATR.

    An ATR of NaN leaves the fixed one.
    """
    fixed = price * config.fixed
    wide = atr * config.atr_multiple
    return wide if wide < fixed else fixed


def stop_px(px: int, direction: int, distance: float, tick: int) -> int:
    """Return the stop's price on the tick nearest towards ``px``, at least one tick from it.

    ``distance`` counts grid units; ``direction`` is that of the position it protects. The
    stop of a long lies below the price, that of a short above.
    """
    if direction > 0:
        raw = -int(-(px - distance) // tick) * tick  # up: towards the price
        return min(raw, (px - 1) // tick * tick)
    raw = int((px + distance) // tick) * tick
    return max(raw, px // tick * tick + tick)
