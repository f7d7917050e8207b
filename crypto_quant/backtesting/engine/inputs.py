"""What a run reads: instruments on one grid, segments, features and outside series."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from crypto_quant.core.errors import ConfigError
from crypto_quant.core.instruments import Instrument
from crypto_quant.data_pipeline.storage import Catalog
from crypto_quant.feature_engineering.catalog import default_bar_set, required_series
from crypto_quant.feature_engineering.rows import FeatureSpec
from crypto_quant.runtime.config import RunConfig
from crypto_quant.runtime.line import RecordedLine
from crypto_quant.runtime.line_spec import HOUR_NS, Deposit, LineSpec
from crypto_quant.runtime.segments import Span, segments_of
from crypto_quant.runtime.tape import TapeLoader, on_grid_of

DAY_NS = 24 * HOUR_NS
PERP, SPOT = 0, 1


@dataclass(frozen=True)
class Inputs:
    """The data side of a walk-forward run; variants of one run share it.

    Parameters
    ----------
    instruments
        Perpetual and spot, on grids on which all their data is exact.
    segments, skipped
        Stretches without a hole, and those too short to train on.
    features
        Specs in the order of the vector's columns.
    series
        Outside series the features read.
    missing_series
        Those the catalog does not have: their features stay NaN.
    """

    catalog: Catalog
    loader: TapeLoader
    instruments: tuple[Instrument, Instrument]
    segments: tuple[Span, ...]
    skipped: tuple[Span, ...]
    features: tuple[FeatureSpec, ...]
    series: tuple[str, ...]
    missing_series: tuple[str, ...]
    history_ns: int

    def line(
        self,
        config: RunConfig,
        segment: Span,
        start: int,
        sleeves: tuple[str, ...],
        capital: list[Deposit],
        *,
        is_research: bool = False,
    ) -> RecordedLine:
        """Build a loaded line of one segment that decides from ``start`` on."""
        fees = list(config.sim.transfer_fees.items())
        spec = LineSpec(
            instruments=self.instruments,
            sleeves=sleeves,
            features=tuple((f.name, f.params) for f in self.features),
            series=self.series,
            quote=self.instruments[PERP].settle,
            grid_ns=HOUR_NS,
            start=start,
            end=segment.end,
            sim=None if is_research else {**config.sim.native(), "transfer_fees": fees},
            leverage=config.risk.leverage,
            tier=config.market.tier,
        )
        line = RecordedLine(spec, capital)
        self.loader.bars(line, PERP, "1h", segment.start, segment.end)
        self.loader.bars(line, SPOT, "1m", segment.start, segment.end)
        self.loader.funding(line, PERP, segment.start, segment.end)
        self.loader.external(line, self.series, segment.start - self.history_ns, segment.end)
        return line


def read_inputs(config: RunConfig, catalog: Catalog, known: Mapping[str, Instrument]) -> Inputs:
    """Find what a run needs in a catalog.

    Raises
    ------
    ConfigError
        The config names an instrument that has no rules, or an inverse contract.
    DataError
        The catalog lacks what the run cannot do without.
    """
    market = config.market
    for key, name in (("perp", market.perp), ("spot", market.spot)):
        if name not in known:
            raise ConfigError(f"market.{key}: no rules for {name!r}; known: {', '.join(known)}")
    if known[market.perp].contract == "inverse":
        raise ConfigError(
            f"market.perp: {market.perp} settles in {known[market.perp].settle}: runs on bars "
            "begin with the quote asset only, which is no margin for it: cq backtest trades it"
        )
    perp = on_grid_of(known[market.perp], catalog, [("bar", f"{market.perp}/1h")])
    spot = on_grid_of(known[market.spot], catalog, [("bar", f"{market.spot}/1m")])
    split = config.model.training.split
    segments, skipped = segments_of(catalog, market.perp, market.spot, split.train_days + 14)
    features = default_bar_set(market.perp, market.spot)
    series = required_series(features)
    loader = TapeLoader(catalog, (perp, spot))
    return Inputs(
        catalog=catalog,
        loader=loader,
        instruments=(perp, spot),
        segments=segments,
        skipped=skipped,
        features=features,
        series=series,
        missing_series=loader.missing(series),
        history_ns=market.series_history_d * DAY_NS,
    )


def with_costs(config: RunConfig, multiplier: int) -> RunConfig:
    """Return the config under ``multiplier`` times spread, impact and fees."""
    sim = config.sim.model_copy(update={"cost_multiplier": config.sim.cost_multiplier * multiplier})
    return config.model_copy(update={"sim": sim})


def with_capital(config: RunConfig, amount: int) -> RunConfig:
    """Return the config with another starting capital."""
    capital = config.capital.model_copy(update={"amount": type(config.capital.amount)(amount)})
    return config.model_copy(update={"capital": capital})
