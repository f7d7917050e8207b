"""The hour of the day and the day of the week, UTC, on a circle."""

from __future__ import annotations

from typing import Final

from crypto_quant.feature_engineering.rows import FeatureInfo

_GROUP: Final = "market_structure"

ROWS: Final[tuple[FeatureInfo, ...]] = tuple(
    FeatureInfo(
        _GROUP,
        f"{period}_{output}",
        "calendar",
        {"period": period, "output": output},
        (),
        "-1 to 1",
        0,
        "bridge",
        f"{output}(2 pi * elapsed share of the UTC {period}, weeks from Monday)",
    )
    for period in ("day", "week")
    for output in ("sin", "cos")
)
