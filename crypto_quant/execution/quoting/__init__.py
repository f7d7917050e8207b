"""Desired quotes against working ones: the fewest messages that bring the second to the first."""

from __future__ import annotations

from crypto_quant.execution.quoting.config import QuotingConfig
from crypto_quant.execution.quoting.quoting import NO_QUOTES, QuotePlan, Quoting

__all__ = ["NO_QUOTES", "QuotePlan", "Quoting", "QuotingConfig"]
