"""How sleeves' orders meet the market."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from crypto_quant.core.config import Section


class Style(StrEnum):
    """``market``: take what is there; ``join``: rest at the best price of our own side."""

    MARKET = "market"
    JOIN = "join"


class NettingConfig(Section):
    """Styles by sleeve name (others: market); ``join_ms``: how long a resting entry waits.

    Only orders in which every sleeve joins and grows are rested; whatever shrinks takes.
    """

    styles: dict[str, Style] = Field(default_factory=dict)
    join_ms: int = Field(default=1_000, gt=0, le=86_400_000)
