"""Order flow and liquidity, estimated from minute bars with taker volume and trade counts."""

from __future__ import annotations

from typing import Final

from crypto_quant.feature_engineering.rows import DAY_S, HOUR_S, FeatureInfo, spot_minutes

_PER_YEAR = "fraction per 365-day year"

ROWS: Final[tuple[FeatureInfo, ...]] = (
    *(
        spot_minutes(
            f"flow_spot_{n}h",
            "flow_imbalance",
            "-1 (all sold by aggressors) to 1",
            "sum(2 taker_buy - volume) / sum(volume)",
            n * HOUR_S,
            window_s=n * HOUR_S,
        )
        for n in (1, 4, 24)
    ),
    spot_minutes(
        "vpin_spot_24h",
        "vpin",
        "0 (balanced) to 1 (one-sided)",
        "Easley, Lopez de Prado & O'Hara 2012, true taker sides, 50 buckets a trailing day",
        None,
        window_s=DAY_S,
        buckets=50,
    ),
    spot_minutes(
        "amihud_spot_24h",
        "amihud",
        "bps of |log return| per million of quote volume",
        "Amihud 2002, per minute, minutes without trades left out",
        DAY_S,
        window_s=DAY_S,
    ),
    spot_minutes(
        "roll_spot_24h",
        "roll",
        "bps",
        "Roll 1984, 2 sqrt(-cov) of minute log returns, 0 where cov > 0",
        DAY_S,
        window_s=DAY_S,
    ),
    *(
        spot_minutes(
            f"kyle_spot_{n}h",
            "kyle",
            "bps per million of signed quote volume",
            "Kyle 1985, least-squares slope of minute log returns on signed volume",
            n * HOUR_S,
            window_s=n * HOUR_S,
        )
        for n in (4, 24)
    ),
    spot_minutes(
        "trades_ratio_spot_1h_24h",
        "trades_ratio",
        "log ratio, > 0 when busier than the day",
        "ln(trades per minute, 1 h / 24 h)",
        DAY_S,
        fast_s=HOUR_S,
        slow_s=DAY_S,
    ),
    spot_minutes(
        "trade_size_spot_1h_24h",
        "trade_size",
        "log ratio, > 0 when trades are larger than the day's",
        "ln(volume per trade, 1 h / 24 h)",
        DAY_S,
        fast_s=HOUR_S,
        slow_s=DAY_S,
    ),
    spot_minutes(
        "vol_realised_spot_24h",
        "realised_variance",
        _PER_YEAR,
        "Andersen, Bollerslev, Diebold & Labys 2003, from minute log returns",
        DAY_S,
        window_s=DAY_S,
    ),
    spot_minutes(
        "jump_ratio_spot_24h",
        "jump_ratio",
        "share of variance, 0 to 1",
        "Barndorff-Nielsen & Shephard 2004, max(0, 1 - BV / RV)",
        DAY_S,
        window_s=DAY_S,
    ),
    spot_minutes(
        "autocorr_spot_24h",
        "autocorrelation",
        "-1 to 1",
        "Pearson correlation of a minute's log return with the one before",
        DAY_S,
        window_s=DAY_S,
    ),
)
