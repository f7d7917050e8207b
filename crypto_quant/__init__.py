"""Research-to-live trading system for BTC perpetual futures."""
