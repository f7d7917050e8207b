"""Open interest and who holds it, from vendor aggregates."""

from __future__ import annotations

from typing import Final

from crypto_quant.feature_engineering.rows import DAY_S, FeatureInfo, daily_series

_GROUP: Final = "market_structure"

ROWS: Final[tuple[FeatureInfo, ...]] = (
    *(
        daily_series(
            _GROUP,
            f"oi_change_{days}d",
            "external_change",
            "coinglass_oi_1d.close",
            "log change of open interest in USD, all venues",
            "ln(OI_t / OI_{t-n})",
            days,
            window_s=days * DAY_S,
            output="log",
        )
        for days in (1, 7)
    ),
    daily_series(
        _GROUP,
        "top_long_short_1d",
        "external_level",
        "coinglass_top_ls_1d.ratio",
        "long / short positions of top traders",
        "as published",
        0,
    ),
    daily_series(
        _GROUP,
        "basis_futures_1d",
        "external_level",
        "coinglass_basis_1d.close_basis",
        "percent, > 0 when futures are dearer",
        "as published",
        0,
    ),
)
