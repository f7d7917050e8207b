"""Options and other markets."""

from __future__ import annotations

from typing import Final

from crypto_quant.feature_engineering.rows import (
    DAY_S,
    HOUR_S,
    PERP,
    FeatureInfo,
    daily_series,
)

_GROUP: Final = "alternative_data"
_DVOL = "deribit_dvol_1d.dvol"

ROWS: Final[tuple[FeatureInfo, ...]] = (
    daily_series(
        _GROUP,
        "dvol_1d",
        "external_level",
        _DVOL,
        "percent per year",
        "Deribit implied volatility index",
        0,
    ),
    FeatureInfo(
        _GROUP,
        "vol_premium_30d",
        "volatility_premium",
        {"series": _DVOL, "bars": PERP, "interval_s": HOUR_S, "window": 720},
        (f"series:{_DVOL}", "perp.bar.1h"),
        "fraction per year, > 0 when options are dear",
        721 * HOUR_S,
        "bridge",
        "DVOL / 100 - sd of 720 hourly log returns, per year",
    ),
    *(
        daily_series(
            _GROUP,
            f"{name}_change_5d",
            "external_change",
            f"btc_daily_panel_1d.{name}",
            "log change",
            "ln(x_t / x_{t-5d})",
            5,
            window_s=5 * DAY_S,
            output="log",
        )
        for name in ("vix", "dxy")
    ),
)
