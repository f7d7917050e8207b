"""Settled funding rates of the perpetual."""

from __future__ import annotations

from typing import Final

from crypto_quant.feature_engineering.rows import FeatureInfo, funding_rates

_RATE = "fraction per interval, > 0 when longs pay"

ROWS: Final[tuple[FeatureInfo, ...]] = (
    funding_rates("funding_perp_last", "funding_last", _RATE, "last settled rate", 1),
    *(
        funding_rates(
            f"funding_perp_{days}d",
            "funding_mean",
            _RATE,
            f"mean of the last {3 * days} settled rates",
            3 * days,
            window=3 * days,
        )
        for days in (3, 7)
    ),
    funding_rates(
        "funding_z_perp_30d",
        "funding_z",
        "standard deviations from the mean",
        "(last - mean) / sample standard deviation of the last 90 settled rates",
        90,
        window=90,
    ),
    funding_rates(
        "hours_to_funding_perp",
        "hours_to_funding",
        "hours",
        "last settlement + last interval, from recorded stamps",
        2,
    ),
)
