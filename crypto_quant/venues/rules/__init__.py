"""Dated venue rules, one TOML a venue, every row with its source."""

from crypto_quant.venues.rules.load import load_instruments, universe_at

__all__ = ["load_instruments", "universe_at"]
