"""How quotes are kept up."""

from __future__ import annotations

from pydantic import Field

from crypto_quant.core.config import Section


class QuotingConfig(Section):
    """What quotes may cost in messages, and when a resting one is replaced.

    ``messages``: orders, amendments and cancels of quotes within ``per_ms``; what is beyond waits
    for the clock. ``refill``: a quote is replaced, at the end of the queue, once less than this
    part of what is wanted is left of it; 0 leaves it until it is filled. ``amends``: the venue
    keeps the place of an order that only gets smaller (OKX, Bybit; Binance does not).
    """

    messages: int = Field(default=300, ge=1, le=1_000_000)
    per_ms: int = Field(default=10_000, gt=0, le=86_400_000)
    refill: float = Field(default=0.0, ge=0, le=1)
    amends: bool = False
