"""Sleeves' targets into as few orders as they need: only the net is traded."""

from __future__ import annotations

from crypto_quant.execution.netting.config import NettingConfig, Style
from crypto_quant.execution.netting.netting import NO_PLAN, Netting, Plan

__all__ = ["NO_PLAN", "Netting", "NettingConfig", "Plan", "Style"]
