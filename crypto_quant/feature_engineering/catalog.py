"""Every feature by name, and the sets that runs use.

A new feature is one row in the table of its group, on an operator of the native registry
(``crates/features``); ``tests/conformance/test_features.py`` then checks it.
"""

from __future__ import annotations

from typing import Final

from crypto_quant.core.errors import ConfigError
from crypto_quant.feature_engineering.alternative_data import markets, sentiment
from crypto_quant.feature_engineering.market_microstructure import bars, ticks
from crypto_quant.feature_engineering.market_structure import (
    basis,
    calendar,
    funding,
    positioning,
)
from crypto_quant.feature_engineering.on_chain_metrics import network
from crypto_quant.feature_engineering.rows import SPOT, FeatureInfo, FeatureSpec
from crypto_quant.feature_engineering.technical_indicators import (
    channels,
    returns,
    trend,
    volatility,
)

_ROWS: Final[tuple[FeatureInfo, ...]] = (
    *returns.ROWS,
    *trend.ROWS,
    *volatility.ROWS,
    *channels.ROWS,
    *bars.ROWS,
    *ticks.ROWS,
    *funding.ROWS,
    *basis.ROWS,
    *positioning.ROWS,
    *calendar.ROWS,
    *network.ROWS,
    *sentiment.ROWS,
    *markets.ROWS,
)

CATALOG: Final[dict[str, FeatureInfo]] = {row.name: row for row in _ROWS}


def default_bar_set(
    perp: str = "BTCUSDT-PERP.BINANCE", spot: str | None = "BTCUSDT.BINANCE"
) -> tuple[FeatureSpec, ...]:
    """Return the features of a run on bars, funding and daily series: all without ticks.

    A run without spot (``None``) has none of the features that read it.
    """
    names = [row.name for row in _ROWS if row not in ticks.ROWS]
    if spot is None:
        names = [name for name in names if not CATALOG[name].reads(SPOT)]
    return specs(names, perp, spot or perp)


def default_tick_set(perp: str = "BTCUSDT-PERP.BINANCE") -> tuple[FeatureSpec, ...]:
    """Return the features of a run on the book and trades of one instrument."""
    return specs([row.name for row in ticks.ROWS], perp, perp)


def specs(names: list[str], perp: str, spot: str) -> tuple[FeatureSpec, ...]:
    """Return the specs of named features on two instruments.

    Raises
    ------
    ConfigError
        When the catalog has no such feature.
    """
    unknown = [name for name in names if name not in CATALOG]
    if unknown:
        raise ConfigError(
            f"features: no feature {unknown[0]!r}; `cq features list` shows all {len(CATALOG)}"
        )
    roles = {"perp": perp, "spot": spot}
    return tuple(CATALOG[name].spec(roles) for name in names)


def required_series(features: tuple[FeatureSpec, ...]) -> tuple[str, ...]:
    """Return the outside series that ``features`` read, each once, in order."""
    names = (spec.params.get("series") for spec in features)
    return tuple(dict.fromkeys(name for name in names if isinstance(name, str)))
