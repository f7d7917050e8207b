"""Chooses and joins the parts of a run on recorded order books."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Final, NamedTuple

import numpy as np

from crypto_quant.core.errors import ConfigError
from crypto_quant.core.instruments import Instrument
from crypto_quant.core.terms import terms_at
from crypto_quant.feature_engineering.catalog import default_tick_set
from crypto_quant.runtime.accounts import Accounts
from crypto_quant.runtime.compose import join
from crypto_quant.runtime.config import TickConfig
from crypto_quant.runtime.joint_ticks import JointTape
from crypto_quant.runtime.line import RecordedLine
from crypto_quant.runtime.line_spec import Deposit, LineSpec
from crypto_quant.runtime.market_config import TickStrategy
from crypto_quant.runtime.markets import Book, Markets
from crypto_quant.runtime.sleeves import GridStage, HoldStage, ImbalanceStage, Stage
from crypto_quant.runtime.state import SettledFunding, State
from crypto_quant.runtime.transfer_stage import TransferStage, routes
from crypto_quant.strategy.grid import GridSleeve
from crypto_quant.strategy.position_manager.hold import HoldSleeve
from crypto_quant.strategy.position_manager.imbalance import ImbalanceSleeve
from crypto_quant.strategy.signal_generator.imbalance import ImbalanceSignal
from crypto_quant.strategy.transfers import Schedule

TRADED: Final = 0
"""Position of the one instrument in the list of a run that has one."""

MS_NS: Final = 10**6
SECOND_NS: Final = 10**9
REQUEUES: Final = frozenset({"BINANCE"})
"""Venues at which every amendment goes to the end of its queue (USD-M Modify Order)."""


def compose_markets(config: TickConfig, markets: Markets) -> State:
    """Build the state of a run: a sleeve for each of its books.

    Raises
    ------
    ConfigError
        The feature is none of the tick set.
    """
    columns = _columns(config, markets)
    stages = [STAGES[strategy_of(config, b)](config, b, columns) for b in markets.books]
    if config.transfers:
        accounts = Accounts(markets.legs.instruments, markets.quote, _collateral(config, markets))
        stages.append(TransferStage(Schedule(routes(config.transfers, markets, accounts))))
    none = np.empty(0, dtype=np.int64)
    return join(
        markets.traded,
        config.tier,
        markets.names,
        tuple(stages),
        config.risk,
        config.netting,
        SettledFunding(none, none, none.astype(float), none.astype(float)),
        config.quoting,
    )


def strategy_of(config: TickConfig, book: Book) -> TickStrategy:
    """Return what a book runs."""
    return book.section.strategy or config.strategy


Columns = Mapping[int, Sequence[str]]
"""Names of the feature vector by the instrument they are of; those of others are empty."""


def _imbalance(config: TickConfig, book: Book, columns: Columns) -> Stage:
    names = columns[book.contract]
    if config.feature not in names:
        known = ", ".join(name for name in names if name)
        raise ConfigError(f"feature: {config.feature!r} is not in the tick set: {known}")
    signal = ImbalanceSignal(config.signal, book.name)
    shape = book.section.size or config.size
    sleeve = ImbalanceSleeve(shape, book.number, book.name, book.at, book.side)
    return ImbalanceStage(signal, sleeve, book.at, names, config.feature)


def _grid(config: TickConfig, book: Book, columns: Columns) -> Stage:
    del columns  # it reads the book alone
    shape = book.section.grid or config.grid
    return GridStage(GridSleeve(shape, book.number, book.name, book.at, book.side), book.at)


def _hold(config: TickConfig, book: Book, columns: Columns) -> Stage:
    del columns  # it waits for a price alone
    shape = book.section.hold or config.hold
    return HoldStage(HoldSleeve(shape, book.number, book.name, book.at, book.side), book.at)


STAGES: Final[Mapping[TickStrategy, Callable[[TickConfig, Book, Columns], Stage]]] = {
    "imbalance": _imbalance,
    "grid": _grid,
    "hold": _hold,
}
FEATURELESS: Final[frozenset[TickStrategy]] = frozenset({"grid", "hold"})
"""Strategies that read the book and no feature: none is computed for them."""


def _featured(config: TickConfig, markets: Markets) -> tuple[int, ...]:
    """Return the instruments of which features are computed."""
    reading = [b for b in markets.books if strategy_of(config, b) not in FEATURELESS]
    return tuple(dict.fromkeys(book.contract for book in reading))


def _columns(config: TickConfig, markets: Markets) -> Columns:
    """Return what the feature vector's numbers are: one tick set after the other."""
    found: dict[int, list[str]] = {}
    before = 0
    for contract in _featured(config, markets):
        own = [spec.name for spec in default_tick_set(markets.instruments[contract].id)]
        found[contract] = [*[""] * before, *own]
        before += len(own)
    return found


def check_tradable(config: TickConfig, instrument: Instrument, ts: int) -> None:
    """Check that orders of an instrument can be sized and charged at a time.

    Raises
    ------
    ConfigError
        A rule that trading needs has no sourced row.
    """
    terms_at(instrument, ts, config.tier)
    instrument.native(config.tier)


def check_markets_tradable(config: TickConfig, markets: Markets, ts: int) -> None:
    """Check all instruments of a run, as ``check_tradable``, and what its line takes."""
    for instrument in markets.instruments:
        check_tradable(config, instrument, ts)
    spec = _spec(config, markets, ts, ts + 1, dict.fromkeys(markets.venues, PLAIN))
    # Their prices are read off the book later, and fit its grid.
    RecordedLine(spec, markets.deposits(dict.fromkeys(markets.coins, Decimal(1))))


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


def market_line(
    config: TickConfig,
    markets: Markets,
    tape: JointTape,
    capital: Sequence[Deposit],
    assumed: Mapping[str, Assumed],
) -> RecordedLine:
    """Build the loaded line of one session; ``capital`` is booked at its start.

    ``assumed`` is what is assumed of each venue, by its name.
    """
    line = RecordedLine(_spec(config, markets, tape.start, tape.end, assumed), capital)
    tape.put(line)
    return line


def _spec(
    config: TickConfig, markets: Markets, start: int, end: int, assumed: Mapping[str, Assumed]
) -> LineSpec:
    read = [markets.instruments[contract].id for contract in _featured(config, markets)]
    features = [
        (spec.name if len(read) == 1 else f"{spec.name}@{name}", spec.params)
        for name in read
        for spec in default_tick_set(name)
    ]
    sim = {venue: _settings(config, venue, assumed[venue]) for venue in markets.venues}
    return LineSpec(
        instruments=markets.instruments,
        sleeves=markets.names,
        features=tuple(features),
        series=(),
        quote=markets.quote,
        grid_ns=config.grid_ms * MS_NS,
        start=start,
        end=end,
        sim=sim if len(sim) > 1 else sim[markets.venues[0]],
        leverage=config.risk.leverage,
        tier=config.tier,
        sample_ns=SECOND_NS,
        hedged=markets.hedged,
        collateral=_collateral(config, markets),
    )


def _settings(config: TickConfig, name: str, assumed: Assumed) -> dict[str, object]:
    """Return a venue's settings by the names of the native one."""
    venue, own = config.of_venue(name), config.venues.get(name)
    margin = None if own is None else own.margin
    amend = None if own is None else own.amend
    keeps = config.quoting.amends and name not in REQUEUES
    return {
        **venue.native(),
        **assumed.latency,
        "queue": assumed.queue,
        "queue_exponent": assumed.exponent,
        "margin": margin or config.margin,
        "funding_jitter_ns": config.funding_jitter_s * SECOND_NS,
        "amend": amend or ("keeps_on_decrease" if keeps else "loses_place"),
    }


def _collateral(config: TickConfig, markets: Markets) -> tuple[str, ...]:
    """Return what margins contracts beside the quote asset; of a run at one venue only."""
    return tuple(asset for venue in markets.venues for asset in config.of_venue(venue).collateral)
