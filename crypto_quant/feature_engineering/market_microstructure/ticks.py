"""The book and the trades, event by event."""

from __future__ import annotations

from typing import Final

from crypto_quant.feature_engineering.rows import FeatureInfo, perp_ticks

_OFI = "Cont, Kukanov & Stoikov 2014; levels as in Xu, Gould & Howison 2018"

ROWS: Final[tuple[FeatureInfo, ...]] = (
    perp_ticks("spread_l1", "spread", "book", "bps of the mid", "ask - bid", 0, top="book"),
    perp_ticks(
        "imbalance_l1",
        "top_imbalance",
        "book",
        "-1 (all on the ask) to 1",
        "(bid - ask) / (bid + ask) quantity at the touch",
        0,
        top="book",
    ),
    *(
        perp_ticks(
            f"imbalance_l{n}",
            "depth_imbalance",
            "book",
            "-1 (all on the ask) to 1",
            f"(bid - ask) / (bid + ask) quantity of {n} levels",
            0,
            levels=n,
        )
        for n in (5, 10)
    ),
    perp_ticks(
        "weighted_mid_l1",
        "weighted_mid",
        "book",
        "bps from the mid",
        "mid weighted by the opposite quantities; Gatheral & Oomen 2010",
        0,
        top="book",
    ),
    perp_ticks(
        "microprice_l1",
        "microprice",
        "quote",
        "bps from the mid",
        "Stoikov 2018, first-order adjustment learned from the stream's past",
        None,
        top="quote",
        warm_moves=100,
    ),
    *(
        perp_ticks(
            f"ofi_l1_{n}s",
            "ofi",
            "quote",
            "quantity, > 0 when bids grow",
            _OFI,
            n,
            levels=1,
            window_s=n,
            top="quote",
        )
        for n in (1, 10)
    ),
    perp_ticks(
        "ofi_l5_10s",
        "ofi",
        "book",
        "quantity, > 0 when bids grow",
        _OFI,
        10,
        levels=5,
        window_s=10,
        top="book",
    ),
    *(
        perp_ticks(
            f"trade_flow_{n}s",
            "trade_flow",
            "trade",
            "-1 (all sold by aggressors) to 1; NaN where nothing traded",
            "signed / total traded quantity",
            n,
            window_s=n,
        )
        for n in (1, 10)
    ),
    perp_ticks(
        "trade_rate_10s",
        "trade_intensity",
        "trade",
        "trades per second",
        "trades / seconds",
        10,
        window_s=10,
    ),
    perp_ticks(
        "depth_slope_l10",
        "depth_slope",
        "book",
        "quantity per bps, mean of both sides",
        "quantity of 10 levels over the distance of the tenth from the mid",
        0,
        levels=10,
    ),
    perp_ticks(
        "ret_mid_10s",
        "mid_return",
        "quote",
        "bps of log return",
        "ln(mid_t / mid_{t-10s})",
        10,
        window_s=10,
        top="quote",
    ),
)
