"""Sharpe, return, drawdown, win rate and profit/loss, defined once.

Reports, gates and monitors use these and nothing else. Pure functions on float64 arrays
whose last axis is time, so that one call measures one path or a thousand resampled ones.
What is undefined is NaN, never 0. A year has 365 days: this market never closes.
"""
