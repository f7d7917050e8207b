"""Returns, momentum and their shape."""

from __future__ import annotations

from typing import Final

from crypto_quant.feature_engineering.rows import FeatureInfo, perp_hours

_MOMENTUM = "Moskowitz, Ooi & Pedersen 2012, time series momentum, scaled by volatility"

ROWS: Final[tuple[FeatureInfo, ...]] = (
    *(
        perp_hours(
            f"ret_perp_{n}h",
            "log_return",
            "log return, > 0 after a rise",
            "ln(close_t / close_{t-n})",
            n + 1,
            window=n,
        )
        for n in (1, 4, 24, 168)
    ),
    perp_hours(
        "momentum_z_perp_24h_720h",
        "momentum_z",
        "standard deviations of a 24 h random walk",
        _MOMENTUM,
        721,
        fast=24,
        slow=720,
    ),
    perp_hours(
        "momentum_z_perp_168h_720h",
        "momentum_z",
        "standard deviations of a 168 h random walk",
        _MOMENTUM,
        721,
        fast=168,
        slow=720,
    ),
    perp_hours(
        "skew_perp_168h",
        "skew",
        "skewness g1",
        "population skewness of log returns",
        169,
        window=168,
    ),
    perp_hours(
        "efficiency_perp_24h",
        "efficiency",
        "-1 (straight down) to 1 (straight up)",
        "Kaufman 1995, efficiency ratio, signed",
        25,
        window=24,
    ),
)
