"""Backtests: runs over recorded time, what they are worth, and how that is shown."""
