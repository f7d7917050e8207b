"""The data check of a run: what was found in the rows that it reads."""

from __future__ import annotations

from collections.abc import Mapping

from crypto_quant.backtesting.metrics.description import Finding
from crypto_quant.core.instruments import Instrument
from crypto_quant.data_pipeline.cleaners.findings import summarise
from crypto_quant.data_pipeline.cleaners.validator import DataValidator
from crypto_quant.data_pipeline.storage import Catalog, Key
from crypto_quant.runtime.config import RunConfig


def checked(
    config: RunConfig, catalog: Catalog, known: Mapping[str, Instrument]
) -> tuple[Finding, ...]:
    """Check bars and funding of a run's instruments; return what a report lists.

    What was counted at import (rows off the tick, and the like) is listed too.
    """
    market = config.market
    keys = [
        Key("bar", f"{market.perp}/1h"),
        Key("bar", f"{market.spot}/1m"),
        Key("funding", market.perp),
    ]
    held = [key for key in keys if key in catalog.keys(key.kind)]
    lines = summarise(DataValidator.of(catalog, known).validate(held))
    return tuple(
        Finding(severity=str(line.severity), where=line.where, what=line.what, action=line.action)
        for line in lines
    )
