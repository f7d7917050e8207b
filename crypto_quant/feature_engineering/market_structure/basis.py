"""The perpetual against spot, and how lively the market is against its own past."""

from __future__ import annotations

from typing import Final

from crypto_quant.feature_engineering.rows import HOUR_S, MINUTE_S, PERP, SPOT, FeatureInfo, Params

_GROUP: Final = "market_structure"
_BASIS = "perp / spot - 1 of closes that end together"
_INPUTS = ("perp.bar.1h", "spot.bar.1m")
_PAIR: Params = {
    "bars": PERP,
    "interval_s": HOUR_S,
    "spot_bars": SPOT,
    "spot_interval_s": MINUTE_S,
}

ROWS: Final[tuple[FeatureInfo, ...]] = (
    FeatureInfo(
        _GROUP,
        "basis_perp_1h",
        "basis",
        _PAIR,
        _INPUTS,
        "bps, > 0 when the perpetual is dearer",
        HOUR_S,
        "bridge",
        _BASIS,
    ),
    FeatureInfo(
        _GROUP,
        "basis_z_perp_168h",
        "basis_z",
        _PAIR | {"window": 168},
        _INPUTS,
        "standard deviations from the mean",
        168 * HOUR_S,
        "bridge",
        f"z-score of {_BASIS}",
    ),
    FeatureInfo(
        _GROUP,
        "vol_ratio_perp_24h_168h",
        "volatility_ratio",
        {"bars": PERP, "interval_s": HOUR_S, "fast": 24, "slow": 168},
        ("perp.bar.1h",),
        "log ratio, > 0 when livelier than the week",
        169 * HOUR_S,
        "bridge",
        "ln(sd of 24 hourly log returns / sd of 168)",
    ),
)
