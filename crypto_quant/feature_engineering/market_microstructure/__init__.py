"""Catalog rows of order flow, liquidity and the book."""
