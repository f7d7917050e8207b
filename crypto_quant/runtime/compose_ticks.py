"""Chooses and joins the parts of a run on recorded order books."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np

from crypto_quant.core.errors import ConfigError
from crypto_quant.core.instruments import Instrument
from crypto_quant.core.messages import Wallet
from crypto_quant.core.terms import terms_at
from crypto_quant.feature_engineering.catalog import default_tick_set
from crypto_quant.runtime.compose import join
from crypto_quant.runtime.config import TickConfig, TickStrategy
from crypto_quant.runtime.line import RecordedLine
from crypto_quant.runtime.line_spec import Deposit, LineSpec
from crypto_quant.runtime.sleeves import GridStage, ImbalanceStage, Stage
from crypto_quant.runtime.state import SettledFunding, State
from crypto_quant.runtime.ticks import TickTape
from crypto_quant.strategy.grid import GridSleeve
from crypto_quant.strategy.position_manager.imbalance import ImbalanceSleeve
from crypto_quant.strategy.signal_generator.imbalance import ImbalanceSignal

TRADED: Final = 0
"""Position of the one instrument in the run's list."""

MS_NS: Final = 10**6
SECOND_NS: Final = 10**9


def compose_tick_state(config: TickConfig, instrument: Instrument) -> State:
    """Build the state of a run of the configured strategy.

    Parameters
    ----------
    config
        The run's configuration.
    instrument
        What is traded, on the run's grid.

    Raises
    ------
    ConfigError
        The feature is none of the tick set.
    """
    stage = STAGES[config.strategy](config, instrument)
    none = np.empty(0, dtype=np.int64)
    return join(
        {TRADED: instrument},
        config.tier,
        [config.strategy],
        (stage,),
        config.risk,
        config.netting,
        SettledFunding(none, none, none.astype(float), none.astype(float)),
        config.quoting,
    )


def _imbalance(config: TickConfig, instrument: Instrument) -> Stage:
    names = [spec.name for spec in default_tick_set(instrument.id)]
    if config.feature not in names:
        raise ConfigError(f"feature: {config.feature!r} is not in the tick set: {', '.join(names)}")
    signal = ImbalanceSignal(config.signal, config.strategy)
    sleeve = ImbalanceSleeve(config.size, TRADED, config.strategy, TRADED)
    return ImbalanceStage(signal, sleeve, TRADED, names, config.feature)


def _grid(config: TickConfig, instrument: Instrument) -> Stage:
    del instrument  # it quotes whatever is traded
    return GridStage(GridSleeve(config.grid, TRADED, config.strategy, TRADED), TRADED)


STAGES: Final[Mapping[TickStrategy, Callable[[TickConfig, Instrument], Stage]]] = {
    "imbalance": _imbalance,
    "grid": _grid,
}
FEATURELESS: Final[frozenset[TickStrategy]] = frozenset({"grid"})
"""Strategies that read the book and no feature: none is computed for them."""


def check_tradable(config: TickConfig, instrument: Instrument, ts: int) -> None:
    """Check that orders of an instrument can be sized and charged at a time.

    Raises
    ------
    ConfigError
        It is inverse, or a rule that trading needs has no sourced row.
    """
    terms_at(instrument, ts, config.tier)
    instrument.native(config.tier)


class Assumed(NamedTuple):
    """What one cell of the band assumes of the venue in one session.

    ``queue`` and ``exponent`` name the native model; ``latency`` are the native settings.
    """

    queue: str
    exponent: float
    latency: Mapping[str, object]


PLAIN: Final = Assumed(
    "risk_averse", 2.0, {"entry_latency_ns": 5 * MS_NS, "response_latency_ns": 5 * MS_NS}
)
"""A venue of which nothing more is known."""


def tick_line(
    config: TickConfig,
    instrument: Instrument,
    tape: TickTape,
    capital: Sequence[Deposit],
    assumed: Assumed = PLAIN,
) -> RecordedLine:
    """Build the loaded line of one session; ``capital`` is booked at its start."""
    features = () if config.strategy in FEATURELESS else default_tick_set(instrument.id)
    spec = LineSpec(
        instruments=(instrument,),
        sleeves=(config.strategy,),
        features=tuple((f.name, f.params) for f in features),
        series=(),
        quote=instrument.quote,
        grid_ns=config.grid_ms * MS_NS,
        start=tape.start,
        end=tape.end,
        sim={
            **config.venue.native(),
            **assumed.latency,
            "queue": assumed.queue,
            "queue_exponent": assumed.exponent,
            "margin": config.margin,
            "funding_jitter_ns": config.funding_jitter_s * SECOND_NS,
            "amend": "keeps_on_decrease" if config.quoting.amends else "loses_place",
        },
        leverage=config.risk.leverage,
        tier=config.tier,
        sample_ns=SECOND_NS,
    )
    line = RecordedLine(spec, capital)
    tape.put(line, TRADED)
    return line


def tick_capital(config: TickConfig, instrument: Instrument) -> list[Deposit]:
    """Return the starting money, in the wallet that the instrument settles in."""
    wallet = Wallet.SPOT if instrument.contract == "spot" else Wallet.MARGIN
    return [Deposit(TRADED, wallet, config.capital)]
