"""Chooses the parts of a run from its config, and joins them; the only place that does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from crypto_quant.core.instruments import Instrument
from crypto_quant.core.messages import Wallet
from crypto_quant.core.terms import TermsTable
from crypto_quant.execution.netting import Netting, NettingConfig
from crypto_quant.execution.order_manager import OrderManager
from crypto_quant.execution.quoting import Quoting, QuotingConfig
from crypto_quant.execution.tickets import Tickets
from crypto_quant.models.switch import ModelSwitch
from crypto_quant.runtime.config import RunConfig, SleeveName
from crypto_quant.runtime.history import DailyCloses
from crypto_quant.runtime.line_spec import Deposit
from crypto_quant.runtime.sleeves import CarryStage, ModelStage, MomentumStage, Stage
from crypto_quant.runtime.state import SettledFunding, State
from crypto_quant.runtime.view import LineView
from crypto_quant.strategy.carry import CarrySleeve
from crypto_quant.strategy.carry.state import CarryState
from crypto_quant.strategy.position_manager.directional import DirectionalSleeve
from crypto_quant.strategy.position_manager.momentum import MomentumSleeve
from crypto_quant.strategy.risk_manager import CHECKS
from crypto_quant.strategy.risk_manager.book import RiskState
from crypto_quant.strategy.risk_manager.config import RiskConfig
from crypto_quant.strategy.risk_manager.manager import RiskManager
from crypto_quant.strategy.signal_generator.directional import DirectionalSignal
from crypto_quant.strategy.signal_generator.momentum import MomentumSignal

PERP, SPOT = 0, 1
"""Positions of the two instruments in a walk-forward run's list."""
CENT = Decimal("0.01")


def compose_state(
    config: RunConfig,
    sleeves: Sequence[SleeveName],
    instruments: Sequence[Instrument],
    funding: SettledFunding,
    names: Sequence[str],
    switch: ModelSwitch | None,
    past: DailyCloses | None = None,
) -> State:
    """Build the state of a walk-forward run.

    Parameters
    ----------
    config
        The run's configuration.
    sleeves
        Names of the sleeves that run, in the order of their books.
    instruments
        Perpetual and spot, on the run's grids.
    funding
        Settled rates for the forecasts.
    names
        Feature names, in the order of the vector.
    switch
        Folds of the model; needed where the model sleeve runs.
    past
        Closes of the perpetual, with which momentum begins; without them it waits for its own.
    """
    closes = past or DailyCloses()
    stages = tuple(_stage(name, n, config, names, switch, closes) for n, name in enumerate(sleeves))
    traded = dict(enumerate(instruments))
    return join(traded, config.market.tier, sleeves, stages, config.risk, config.netting, funding)


def join(
    traded: Mapping[int, Instrument],
    tier: str,
    sleeves: Sequence[str],
    stages: tuple[Stage, ...],
    risk: RiskConfig,
    netting: NettingConfig,
    funding: SettledFunding,
    quoting: QuotingConfig | None = None,
) -> State:
    """Join stages, risk, netting, quoting and orders round one view."""
    terms = TermsTable(traded, tier)
    orders = OrderManager()
    checks = {name: make(risk) for name, make in CHECKS.items()}
    manager = RiskManager(risk, checks, sleeves, RiskState())
    nets = Netting(netting, sleeves, orders)
    quotes = Quoting(quoting or QuotingConfig(), sleeves, orders)
    tickets = Tickets(sleeves, orders)
    view = LineView(terms, orders, nets, risk.leverage)
    return State(view, terms, stages, manager, nets, quotes, tickets, orders, funding)


def _stage(
    name: SleeveName,
    number: int,
    config: RunConfig,
    names: Sequence[str],
    switch: ModelSwitch | None,
    past: DailyCloses,
) -> Stage:
    if name == "carry":
        state = CarryState()
        pair = CarrySleeve(config.carry, config.risk, number, name, SPOT, PERP, state)
        return CarryStage(pair)
    if name == "momentum":
        signal = MomentumSignal(config.momentum.signal, name)
        momentum = MomentumSleeve(config.momentum.size, number, name, PERP)
        return MomentumStage(signal, momentum, PERP, past, config.momentum.signal.lookback_days)
    if switch is None:
        raise ValueError("the model sleeve needs trained folds")
    bet = DirectionalSleeve(config.model.bet, number, name, PERP)
    return ModelStage(switch, DirectionalSignal(config.model.signal, name), bet, PERP, names)


def deposits(config: RunConfig, sleeves: Sequence[SleeveName]) -> list[Deposit]:
    """Split the capital over the sleeves that run and over their wallets, to the cent.

    Sleeves that do not run leave their share to the others, in proportion. Carry starts with
    its margin share in the margin wallet; the others trade contracts only.
    """
    shares = {name: config.capital.shares.get(name, Decimal(1)) for name in sleeves}
    total = sum(shares.values())
    amounts = [(config.capital.amount * shares[n] / total).quantize(CENT) for n in sleeves]
    amounts[-1] = config.capital.amount - sum(amounts[:-1])
    out = []
    for n, (name, amount) in enumerate(zip(sleeves, amounts, strict=True)):
        margin = amount
        if name == "carry":
            share = Decimal(str(config.carry.margin_share))
            margin = (amount * share).quantize(CENT)
            out.append(Deposit(n, Wallet.SPOT, amount - margin))
        out.append(Deposit(n, Wallet.MARGIN, margin))
    return out
