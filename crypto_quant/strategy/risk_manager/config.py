"""Limits, fixed before any result was seen."""

from __future__ import annotations

from pydantic import Field

from crypto_quant.core.config import Section


class RiskConfig(Section):
    """What no target and no order may exceed; fractions are of the account's equity.

    ``loss_at_stop``: lost by one position at its stop, with costs and ``gap`` (how far
    beyond the stop the fill may be, a fraction of the price) and ``slippage`` of each side.
    ``pair_loss``: loss at which a hedged pair without stops is closed, a fraction of one leg;
    ``gap`` and costs come on top of it as well. ``require_stop``: an unhedged position without a
    stop may not grow.
    ``daily_loss``: lost since 00:00 UTC, after which only shrinking orders pass until the
    next day. ``initial_margin``: in total. ``notional``: gross, spot included, over equity.
    ``leverage``: the venue's setting for contracts, 1 to 10, and the most that a sleeve may
    hold in contracts over its own equity. ``spot_buffer``: price rise that a spot purchase
    must be able to pay for. ``orders_per_wake``, ``orders_per_minute``: growing orders.
    """

    loss_at_stop: float = Field(default=0.01, gt=0, le=1)
    gap: float = Field(default=0.005, ge=0, lt=1)
    slippage: float = Field(default=0.0005, ge=0, lt=1)
    pair_loss: float = Field(default=0.01, gt=0, lt=1)
    require_stop: bool = True
    daily_loss: float = Field(default=0.03, gt=0, le=1)
    initial_margin: float = Field(default=0.30, gt=0, le=1)
    notional: float = Field(default=3.0, gt=0, le=10)
    leverage: int = Field(default=5, ge=1, le=10)
    spot_buffer: float = Field(default=0.002, ge=0, lt=0.1)
    orders_per_wake: int = Field(default=10, ge=1, le=1_000_000)
    orders_per_minute: int = Field(default=120, ge=1, le=1_000_000)
