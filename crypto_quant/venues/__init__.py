"""Binance, OKX, Bybit: their dated rules, and (with the feeds) signed calls and login frames."""
