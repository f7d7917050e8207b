"""Money that is moved between wallets and venues by rule."""

from __future__ import annotations

from crypto_quant.strategy.transfers.config import TransferRule
from crypto_quant.strategy.transfers.schedule import Route, Schedule

__all__ = ["Route", "Schedule", "TransferRule"]
