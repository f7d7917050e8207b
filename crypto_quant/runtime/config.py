"""The configuration of a run: the parts' own sections under one roof."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from decimal import Decimal
from typing import Literal, get_args

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from crypto_quant.core.config import Section
from crypto_quant.core.instruments import venue_of
from crypto_quant.execution.netting import NettingConfig
from crypto_quant.execution.quoting import QuotingConfig
from crypto_quant.models.labels import LabelConfig
from crypto_quant.models.training import TrainingConfig
from crypto_quant.runtime.market_config import (
    IMPLIED,
    Capital,
    Coins,
    MarketName,
    MarketSection,
    Money,
    TickStrategy,
    VenueOverride,
    check_markets,
    completed,
)
from crypto_quant.runtime.venue_config import BandSection, MarginMode, TransferFees, VenueSection
from crypto_quant.strategy.carry import CarryConfig
from crypto_quant.strategy.grid import GridConfig
from crypto_quant.strategy.position_manager.directional import DirectionalConfig
from crypto_quant.strategy.position_manager.hold import HoldConfig
from crypto_quant.strategy.position_manager.imbalance import ImbalanceConfig
from crypto_quant.strategy.position_manager.momentum import MomentumConfig
from crypto_quant.strategy.risk_manager.config import RiskConfig
from crypto_quant.strategy.signal_generator.directional import DirectionalSignalConfig
from crypto_quant.strategy.signal_generator.imbalance import ImbalanceSignalConfig
from crypto_quant.strategy.signal_generator.momentum import MomentumSignalConfig
from crypto_quant.strategy.transfers import TransferRule

SleeveName = Literal["carry", "model", "momentum"]


class MarketConfig(Section):
    """What is traded; ``series_history_d``: days of outside series loaded before a segment."""

    perp: str = "BTCUSDT-PERP.BINANCE"
    spot: str = "BTCUSDT.BINANCE"
    tier: str = "VIP0"
    series_history_d: int = Field(default=400, ge=0, le=36_500)

    @model_validator(mode="after")
    def _at_one_venue(self) -> MarketConfig:
        if venue_of(self.perp) != venue_of(self.spot):
            raise ValueError(
                f"expected perp and spot of one venue, was {self.perp} and {self.spot}: these runs "
                "have one account"
            )
        return self


class CapitalConfig(Section):
    """Starting money in the quote asset, and how it is split over the sleeves that run."""

    amount: Capital = Decimal(100_000)
    shares: dict[SleeveName, Decimal] = Field(
        default={"carry": Decimal("0.7"), "model": Decimal("0.3")}
    )

    @model_validator(mode="after")
    def _whole(self) -> CapitalConfig:
        if sum(self.shares.values()) != 1 or any(s <= 0 for s in self.shares.values()):
            raise ValueError("shares must be positive and add up to 1")
        return self


class SimSection(Section):
    """The simulated venue of a run on bars; half the spread, floor and impact per fill.

    ``insurance_fund``: what the venue's fund holds, in the settle asset; where it lacks what a
    takeover costs, the liquidation is marked as one by ADL. Empty: the fund is never empty.
    ``funding_jitter_s``: a fill so near a settlement pays adverse funding and receives none; 0: the
    rule is off, as the opens that bars fill at are the very times of settlements.
    ``transfer_delay_ms`` and ``transfer_fees`` (by asset, in it): of money between the wallets.
    """

    entry_latency_ms: int = Field(default=50, ge=0, le=1_000)
    response_latency_ms: int = Field(default=50, ge=0, le=60_000)
    half_spread_bps: Decimal = Field(default=Decimal(0), ge=0, le=100)
    slippage_floor_bps: Decimal = Field(default=Decimal(1), ge=0, le=100)
    impact_y: float = Field(default=1.0, ge=0, le=10)
    max_participation: Decimal = Field(default=Decimal("0.01"), gt=0, le=1)
    cost_multiplier: Decimal = Field(default=Decimal(1), ge=0, le=10)
    margin: MarginMode = "cross"
    insurance_fund: Decimal | None = Field(default=None, ge=0, le=10**11)
    funding_jitter_s: int = Field(default=0, ge=0, le=3_600)
    transfer_delay_ms: int = Field(default=0, ge=0, le=10**9)
    transfer_fees: TransferFees = Field(default={})

    def native(self) -> dict[str, int | float | Decimal | str]:
        """Return the settings by the names of the native venue, but for the fees of transfers."""
        fund = {} if self.insurance_fund is None else {"insurance_fund": self.insurance_fund}
        return {
            "entry_latency_ns": self.entry_latency_ms * 1_000_000,
            "response_latency_ns": self.response_latency_ms * 1_000_000,
            "half_spread_bps": self.half_spread_bps,
            "slippage_floor_bps": self.slippage_floor_bps,
            "impact_y": self.impact_y,
            "max_participation": self.max_participation,
            "cost_multiplier": self.cost_multiplier,
            "margin": self.margin,
            "funding_jitter_ns": self.funding_jitter_s * 10**9,
            "transfer_delay_ns": self.transfer_delay_ms * 10**6,
            **fund,
        }


class ModelSection(Section):
    """The directional sleeve: labels, training, signal, bet."""

    label: Literal["triple_barrier", "forward_return"] = "triple_barrier"
    labels: LabelConfig = LabelConfig()
    training: TrainingConfig = TrainingConfig()
    signal: DirectionalSignalConfig = DirectionalSignalConfig()
    bet: DirectionalConfig = DirectionalConfig()


class MomentumSection(Section):
    """The baseline sleeve."""

    signal: MomentumSignalConfig = MomentumSignalConfig()
    size: MomentumConfig = MomentumConfig()


class RunConfig(Section):
    """Everything that decides the numbers of a walk-forward run.

    ``chosen_before``: features, horizon and thresholds were chosen on data before this day;
    what follows is printed apart. ``beside``: run the rows that the portfolio is compared
    with too.
    """

    market: MarketConfig = MarketConfig()
    capital: CapitalConfig = CapitalConfig()
    sim: SimSection = SimSection()
    carry: CarryConfig = CarryConfig()
    model: ModelSection = ModelSection()
    momentum: MomentumSection = MomentumSection()
    risk: RiskConfig = RiskConfig()
    netting: NettingConfig = NettingConfig()
    chosen_before: date = date(2024, 1, 1)
    beside: bool = True

    @model_validator(mode="after")
    def _pair_is_closed_within_its_risk(self) -> RunConfig:
        if self.risk.pair_loss < self.carry.spread_loss:
            raise ValueError(
                f"risk.pair_loss ({self.risk.pair_loss}) must be at least carry.spread_loss "
                f"({self.carry.spread_loss}): risk must not size a pair for a smaller loss than "
                "the one at which it is closed"
            )
        return self

    @model_validator(mode="after")
    def _styles_are_of_its_sleeves(self) -> RunConfig:
        _styles_are_of(self.netting, get_args(SleeveName))
        return self


def _styles_are_of(netting: NettingConfig, sleeves: Collection[str]) -> None:
    for name in netting.styles:
        if name not in sleeves:
            raise ValueError(f"netting.styles: no sleeve {name!r}; there are {', '.join(sleeves)}")


class TickConfig(Section):
    """A run of a strategy on recorded order-book sessions.

    ``strategy`` is the one sleeve that runs. ``sessions``: beginnings of the names of those that
    are run; empty: all. ``feature``, ``signal``, ``size`` are the imbalance strategy's: the
    imbalance that is followed, of the tick set, in [-1, 1]; ``grid`` and ``quoting`` are the grid
    market maker's, ``hold`` that of a position that is kept. ``funding_jitter_s``: a fill so near
    a settlement pays adverse funding and receives none; 0: the rule is off. ``band`` is what the
    sessions are run over, ``venue`` the rest of what is assumed of it.

    ``coins`` are what a run begins with beside ``capital``, or instead of it; ``prices``: what one
    of each is counted at then, in the quote asset, the middle of the book where it is left out.

    ``markets``, by the names of their books, in place of ``instrument``, ``capital`` and ``coins``:
    several in one run, one portfolio. ``venues``: what one of their venues has otherwise than
    ``venue``. ``transfers``: rules by which books move money between wallets.
    """

    strategy: TickStrategy = "imbalance"
    instrument: str = "BTCUSDT-PERP.BINANCE"
    sessions: tuple[str, ...] = ()
    tier: str = "VIP0"
    capital: Money = Decimal(100_000)
    coins: Coins = Field(default={})
    grid_ms: int = Field(default=100, gt=0, le=86_400_000)
    feature: str = "imbalance_l5"
    margin: MarginMode = "cross"
    funding_jitter_s: int = Field(default=60, ge=0, le=3_600)
    markets: dict[MarketName, MarketSection] = Field(default={})
    venue: VenueSection = VenueSection()
    venues: dict[str, VenueOverride] = Field(default={})
    transfers: dict[MarketName, TransferRule] = Field(default={})
    band: BandSection = BandSection()
    signal: ImbalanceSignalConfig = ImbalanceSignalConfig()
    size: ImbalanceConfig = ImbalanceConfig()
    grid: GridConfig = GridConfig()
    hold: HoldConfig = HoldConfig()
    quoting: QuotingConfig = QuotingConfig()
    risk: RiskConfig = RiskConfig()
    netting: NettingConfig = NettingConfig()

    @model_validator(mode="before")
    @classmethod
    def _completed(cls, raw: object) -> object:
        return completed(raw) if isinstance(raw, dict) else raw

    @model_validator(mode="after")
    def _parts_fit(self) -> TickConfig:
        check_markets(self.books, self.venues, self.venue.hedged)
        _styles_are_of(self.netting, tuple(self.books))
        return self

    @model_serializer(mode="wrap")
    def _as_given(self, plain: SerializerFunctionWrapHandler) -> dict[str, object]:
        """Leave out what the markets imply."""
        made: dict[str, object] = plain(self)
        return {k: v for k, v in made.items() if not (self.markets and k in IMPLIED)}

    @property
    def books(self) -> dict[str, MarketSection]:
        """The markets by the names of their books; of a run of one it is the strategy's."""
        only = MarketSection(instrument=self.instrument, capital=self.capital, coins=self.coins)
        return self.markets or {self.strategy: only}

    def of_venue(self, name: str) -> VenueSection:
        """Return what is assumed of a venue."""
        own = self.venues.get(name)
        return self.venue if own is None else own.over(self.venue)
