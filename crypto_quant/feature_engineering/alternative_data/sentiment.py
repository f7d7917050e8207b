"""What people feel and look for."""

from __future__ import annotations

from typing import Final

from crypto_quant.feature_engineering.rows import DAY_S, FeatureInfo, daily_series

_GROUP: Final = "alternative_data"

ROWS: Final[tuple[FeatureInfo, ...]] = (
    daily_series(
        _GROUP,
        "fear_greed_1d",
        "external_level",
        "fear_greed_1d.fng",
        "0 (fear) to 100 (greed)",
        "alternative.me index",
        0,
    ),
    daily_series(
        _GROUP,
        "fear_greed_change_7d",
        "external_change",
        "fear_greed_1d.fng",
        "points",
        "x_t - x_{t-7d}",
        7,
        window_s=7 * DAY_S,
        output="difference",
    ),
    daily_series(
        _GROUP,
        "trends_change_7d",
        "external_change",
        "google_trends_bitcoin_1d.bitcoin",
        "log change of searches",
        "ln(x_t / x_{t-7d}): only ratios, the series is rescaled",
        7,
        window_s=7 * DAY_S,
        output="log",
    ),
    daily_series(
        _GROUP,
        "news_sentiment_1d",
        "external_level",
        "btc_news_finbert_sentiment_1d.Sentiment",
        "-1 to 1",
        "daily mean FinBERT score of headlines",
        0,
    ),
)
