"""From a leverage to a quantity that the venue takes."""

from __future__ import annotations

from pydantic import Field

from crypto_quant.core.config import Section
from crypto_quant.core.terms import Terms


class SizingConfig(Section):
    """Bounds of a directional sleeve's size; leverages are notional over the sleeve's equity.

    ``kelly_fraction``: share of the growth-optimal leverage that is used (a quarter: the
    estimate of the edge is poor). ``kelly_cap``: ceiling of that share. ``vol_target``:
    annualised volatility of the sleeve. ``max_leverage``: 1 to 10. ``notional_cap``: largest
    position in the quote asset. ``spread``: cost of one side beside the fee, a fraction.
    """

    kelly_fraction: float = Field(default=0.25, gt=0, le=1)
    kelly_cap: float = Field(default=2.0, gt=0, le=10)
    vol_target: float = Field(default=0.30, gt=0, le=2)
    max_leverage: float = Field(default=3.0, ge=1, le=10)
    notional_cap: float = Field(default=10_000_000.0, gt=0, le=1e11)
    spread: float = Field(default=0.0001, ge=0, le=1)


def quantity_of(notional: float, px: int, stop: int, terms: Terms) -> int:
    """Return the quantity, in grid units, that ``notional`` buys at ``px``, down to the lot.

    0 where the price is unknown or where the venue would take no order of that size at
    ``px`` or at the ``stop`` that protects it.
    """
    worth = terms.worth(px)
    if not (worth > 0.0 and notional > 0.0):
        return 0
    quantity = int(notional / worth) // terms.lot * terms.lot
    return quantity if is_sendable(quantity, px, stop, terms) else 0


def is_sendable(quantity: int, px: int, stop: int, terms: Terms) -> bool:
    """Tell whether the venue takes an order of ``quantity`` at ``px`` and its stop."""
    return quantity > 0 and terms.notional(min(px, stop), quantity) >= terms.min_notional
