"""Volatility of prices and activity of volume."""

from __future__ import annotations

from typing import Final

from crypto_quant.feature_engineering.rows import FeatureInfo, perp_hours

_PER_YEAR = "fraction per 365-day year"

ROWS: Final[tuple[FeatureInfo, ...]] = (
    *(
        perp_hours(
            f"vol_perp_{n}h",
            "volatility",
            _PER_YEAR,
            "sample standard deviation of hourly log returns",
            n + 1,
            window=n,
        )
        for n in (24, 168)
    ),
    perp_hours(
        "vol_range_perp_24h",
        "parkinson",
        _PER_YEAR,
        "Parkinson 1980, from the range of each bar",
        24,
        window=24,
    ),
    perp_hours(
        "atr_perp_14h",
        "atr",
        "fraction of the close",
        "Wilder 1978, as TA-Lib ATR, over the close",
        15,
        window=14,
    ),
    perp_hours(
        "volume_z_perp_168h",
        "volume_z",
        "standard deviations from the mean",
        "(volume - mean) / sample standard deviation of the window it ends",
        168,
        window=168,
    ),
)
