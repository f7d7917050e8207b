"""Several markets in one run: what each trades, with which money, and what its venue does."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, Field, StringConstraints

from crypto_quant.core.config import Section
from crypto_quant.core.instruments import venue_of
from crypto_quant.runtime.venue_config import (
    Amending,
    FeedSection,
    MarginMode,
    OrderLatency,
    OrderRate,
    Reducing,
    SelfTrade,
    StopMargin,
    TransferFees,
    TriggeredStops,
    VenueSection,
    WaitingAmends,
)
from crypto_quant.strategy.grid import GridConfig
from crypto_quant.strategy.position_manager.hold import HoldConfig
from crypto_quant.strategy.position_manager.imbalance import ImbalanceConfig

TickStrategy = Literal["imbalance", "grid", "hold"]
MOST: Final = 10**11
Capital = Annotated[Decimal, Field(gt=0, le=MOST, decimal_places=8)]
"""Money to begin with, as venues count it; the ledger keeps less than 10**12, gains included."""
Money = Annotated[Decimal, Field(ge=0, le=MOST, decimal_places=8)]
"""As ``Capital``, or none."""
Coins = dict[str, Capital]
"""Amounts by coin."""
Side = Literal["both", "long", "short"]
MarketName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
"""Of a market's book: lower case, as it stands in tables of a run folder."""
WHOLE: Final = "portfolio"
"""What tables of a run folder call the sum of all books: none of them may have this name."""
IMPLIED: Final = ("instrument", "capital", "coins")
"""What a run on one instrument says, and several markets say each for itself."""
SHAPES: Final = ("grid", "hold", "size")
"""Sections of a strategy that a market may have otherwise than the run."""


class MarketSection(Section):
    """What one book trades, and the money that it begins with at the instrument's venue.

    ``capital`` is in the quote asset, ``coins`` are those that margin its contract. ``side``: the
    position that it may hold; in hedge mode the leg that it trades. ``strategy``, ``grid``,
    ``hold``, ``size``: in place of the run's; what a section leaves out is the run's.
    """

    instrument: str
    capital: Money = Decimal(0)
    coins: Coins = Field(default={})
    side: Side = "both"
    strategy: TickStrategy | None = None
    grid: GridConfig | None = None
    hold: HoldConfig | None = None
    size: ImbalanceConfig | None = None


class VenueOverride(Section):
    """What one venue has otherwise than ``[venue]``; ``latency`` and ``feed`` as wholes."""

    hedged: bool | None = None
    margin: MarginMode | None = None
    amend: Amending | None = None
    collateral: tuple[str, ...] | None = None
    transfer_delay_ms: int | None = Field(default=None, ge=0, le=10**9)
    transfer_fees: TransferFees | None = None
    reducing: Reducing | None = None
    stop_margin: StopMargin | None = None
    triggered_stops: TriggeredStops | None = None
    waiting_amends: WaitingAmends | None = None
    queue_exponent: float | None = Field(default=None, gt=0, le=100)
    max_orders: int | None = Field(default=None, ge=1, le=10**6)
    max_trigger_orders: int | None = Field(default=None, ge=0, le=10**6)
    max_order_rate: tuple[OrderRate, ...] | None = None
    self_trade: SelfTrade | None = None
    tick_impact_y: float | None = Field(default=None, ge=0, le=100)
    latency: OrderLatency | None = None
    feed: FeedSection | None = None

    def over(self, venue: VenueSection) -> VenueSection:
        """Return the venue with what this one has otherwise."""
        own = {name: getattr(self, name) for name in type(self).model_fields}
        return venue.model_copy(update={name: v for name, v in own.items() if v is not None})


def completed(raw: Mapping[str, object]) -> dict[str, object]:
    """Return a run's raw config with what its markets imply.

    ``instrument`` is the first one's, ``capital`` what they have in all; a market's section of a
    strategy is the run's with its own keys. A run that begins with coins has no capital unless it
    says so.

    Raises
    ------
    ValueError
        The run says itself what they imply.
    """
    made = dict(raw)
    markets = raw.get("markets")
    for key in ("venues", "coins"):
        if key in raw:
            made[key] = _upper(raw[key])
    if not isinstance(markets, Mapping) or not markets:
        return {"capital": 0, **made} if raw.get("coins") else made
    for name in IMPLIED:
        if name in raw:
            raise ValueError(f"{name}: the markets say it, each its own: leave it out")
    filled = {name: _filled(own, raw) for name, own in markets.items()}
    made["markets"] = filled
    try:
        amounts = [Decimal(str(own.get("capital", 0))) for own in filled.values()]
        first = next(iter(filled.values()))["instrument"]
        is_money = all(0 <= amount <= MOST for amount in amounts)
    except (ArithmeticError, KeyError):
        return made  # the markets' own checks say what is wrong
    if not is_money or not isinstance(first, str):
        return made
    return made | {"instrument": first, "capital": sum(amounts, Decimal(0))}


def _upper(named: object) -> object:
    """Write names in upper case: a variable of the environment is in lower case."""
    if not isinstance(named, Mapping):
        return named
    return {str(name).upper(): own for name, own in named.items()}


def _filled(own: object, raw: Mapping[str, object]) -> dict[str, Any]:
    made = _plain(own)
    if "coins" in made:
        made["coins"] = _upper(made["coins"])
    for name in SHAPES:
        if name in made and made[name] is not None:
            made[name] = _plain(raw.get(name, {})) | _plain(made[name])
    return made


def _plain(section: object) -> dict[str, Any]:
    if isinstance(section, BaseModel):
        return section.model_dump()
    if isinstance(section, Mapping):
        return dict(section)
    raise ValueError(f"markets: expected sections [markets.NAME], was {section!r}")


def check_markets(
    markets: Mapping[str, MarketSection],
    venues: Mapping[str, VenueOverride],
    hedged: bool,
) -> None:
    """Check that markets, venues and what they begin with belong together.

    Parameters
    ----------
    markets, venues
        As configured.
    hedged
        Whether venues are in hedge mode where they do not say.

    Raises
    ------
    ValueError
        Says which one does not fit.
    """
    known = dict.fromkeys(venue_of(market.instrument) for market in markets.values())
    for name in venues:
        if name not in known:
            raise ValueError(
                f"venues.{name}: no market trades there; venues of the run: {', '.join(known)}"
            )
    for name, market in markets.items():
        if not (market.capital or market.coins):
            raise ValueError(f"capital: {name} begins with nothing: expected capital, or coins")
    if WHOLE in markets:
        raise ValueError(f"markets.{WHOLE}: this is the sum of all books: give it another name")
    seen: dict[tuple[str, str], str] = {}
    for name, market in markets.items():
        own = venues.get(venue_of(market.instrument))
        is_hedged = hedged if own is None or own.hedged is None else own.hedged
        leg = market.side if is_hedged else "both"
        other = seen.setdefault((market.instrument, leg), name)
        if other != name:
            where = f"the {leg} leg of {market.instrument}" if is_hedged else market.instrument
            raise ValueError(
                f"markets.{name}: {where} is traded by markets.{other} already: one book each"
            )
