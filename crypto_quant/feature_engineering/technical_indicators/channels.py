"""Where the close stands among recent prices."""

from __future__ import annotations

from typing import Final

from crypto_quant.feature_engineering.rows import FeatureInfo, perp_hours

_BANDS = "Bollinger 1992, 20 bars, 2 population standard deviations, as TA-Lib BBANDS"

ROWS: Final[tuple[FeatureInfo, ...]] = (
    perp_hours(
        "bb_position_perp_20h",
        "bollinger",
        "%b: 0 at the lower band, 1 at the upper",
        _BANDS,
        20,
        window=20,
        output="position",
    ),
    perp_hours(
        "bb_width_perp_20h",
        "bollinger",
        "width of the bands over their middle",
        _BANDS,
        20,
        window=20,
        output="width",
    ),
    perp_hours(
        "donchian_perp_48h",
        "donchian",
        "0 at the lowest low, 1 at the highest high",
        "Donchian channel",
        48,
        window=48,
    ),
    *(
        perp_hours(
            f"dist_{extreme}_perp_720h",
            "extreme_distance",
            f"log distance of the close from the 30-day {extreme}",
            f"ln(close / {extreme})",
            720,
            window=720,
            extreme=extreme,
        )
        for extreme in ("high", "low")
    ),
)
