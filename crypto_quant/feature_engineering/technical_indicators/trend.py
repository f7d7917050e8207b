"""Moving averages and directional movement."""

from __future__ import annotations

from typing import Final

from crypto_quant.feature_engineering.rows import FeatureInfo, perp_hours

_MACD = "Appel 1979, seeded as TA-Lib MACD, over the close"

ROWS: Final[tuple[FeatureInfo, ...]] = (
    *(
        perp_hours(
            f"ema_ratio_perp_{fast}h_{slow}h",
            "ema_ratio",
            "log ratio, > 0 in a rise",
            "ln(EMA_fast / EMA_slow), each seeded as TA-Lib EMA",
            slow,
            fast=fast,
            slow=slow,
        )
        for fast, slow in ((12, 48), (24, 168))
    ),
    *(
        perp_hours(
            f"macd_{output}_perp_12h_26h",
            "macd",
            "fraction of the close",
            _MACD,
            26 + 9 - 1,
            fast=12,
            slow=26,
            signal=9,
            output=output,
        )
        for output in ("line", "histogram")
    ),
    perp_hours("adx_perp_14h", "adx", "0 to 100", "Wilder 1978, as TA-Lib ADX", 28, window=14),
    perp_hours(
        "rsi_perp_14h",
        "rsi",
        "0 to 100, > 50 after rises",
        "Wilder 1978, as TA-Lib RSI",
        15,
        window=14,
    ),
)
