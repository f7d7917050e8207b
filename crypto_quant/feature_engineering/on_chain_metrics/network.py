"""Mining, use and valuation of the network, from daily series."""

from __future__ import annotations

from typing import Final

from crypto_quant.feature_engineering.rows import DAY_S, FeatureInfo, daily_series

_GROUP: Final = "on_chain_metrics"

ROWS: Final[tuple[FeatureInfo, ...]] = (
    daily_series(
        _GROUP,
        "hashrate_change_7d",
        "external_change",
        "btc_hashrate_1d.hashrate",
        "log change",
        "ln(x_t / x_{t-7d})",
        7,
        window_s=7 * DAY_S,
        output="log",
    ),
    daily_series(
        _GROUP,
        "difficulty_change_14d",
        "external_change",
        "btc_difficulty_1d.difficulty",
        "log change",
        "ln(x_t / x_{t-14d}), one retarget period",
        14,
        window_s=14 * DAY_S,
        output="log",
    ),
    daily_series(
        _GROUP,
        "mvrv_1d",
        "external_level",
        "coinmetrics_btc_mvrv_1d.CapMVRVCur",
        "market over realised value",
        "Coin Metrics CapMVRVCur",
        0,
    ),
    daily_series(
        _GROUP,
        "mvrv_z_365d",
        "external_z",
        "coinmetrics_btc_mvrv_1d.CapMVRVCur",
        "standard deviations from the mean",
        "z-score of CapMVRVCur over 365 days",
        364,
        window=365,
    ),
    daily_series(
        _GROUP,
        "active_addresses_change_7d",
        "external_change",
        "coinmetrics_btc_all_metrics_1d.AdrActCnt",
        "log change",
        "ln(x_t / x_{t-7d}) of Coin Metrics AdrActCnt",
        7,
        window_s=7 * DAY_S,
        output="log",
    ),
    daily_series(
        _GROUP,
        "sopr_1d",
        "external_level",
        "cryptoquant_btc_1d.SOPR_ratio",
        "price sold over price bought of spent outputs",
        "CryptoQuant SOPR",
        0,
    ),
)
