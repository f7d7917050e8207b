"""Strategies to begin one's own from: ``python -m examples.grid_market_maker``."""
