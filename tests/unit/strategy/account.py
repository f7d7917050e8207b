"""A small account for tests of the decision stages: what AccountView shows, settable."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from decimal import Decimal

from crypto_quant.core.messages import Wallet
from crypto_quant.core.terms import Terms
from crypto_quant.core.tickets import OrderReport

SPOT, PERP = 0, 1
CARRY, MODEL = 0, 1
SLEEVES = ("carry", "model")
HOUR = 3_600 * 10**9
DAY = 24 * HOUR

SPOT_TERMS = Terms(
    id="BTCUSDT.BINANCE",
    is_spot=True,
    is_inverse=False,
    base="BTC",
    counted_in="BTC",
    price_unit=0.01,
    size_unit=0.00001,
    price_step=Decimal("0.01"),
    size_step=Decimal("0.00001"),
    count_step=Decimal("0.00001"),
    tick=1,
    lot=1,
    min_notional=Decimal(10),
    taker=0.001,
    max_leverage=1,
)
PERP_TERMS = Terms(
    id="BTCUSDT-PERP.BINANCE",
    is_spot=False,
    is_inverse=False,
    base="BTC",
    counted_in="BTC",
    price_unit=0.01,
    size_unit=0.001,
    price_step=Decimal("0.01"),
    size_step=Decimal("0.001"),
    count_step=Decimal("0.001"),
    tick=10,
    lot=1,
    min_notional=Decimal(100),
    taker=0.0005,
    max_leverage=125,
)
TERMS = {SPOT: SPOT_TERMS, PERP: PERP_TERMS}


@dataclass
class Account:
    """Implements ``AccountView``; every value is set by the test."""

    now: int = 19_000 * DAY
    equity: float = 100_000.0
    day_start_equity: float = 100_000.0
    prices: dict[int, int] = field(default_factory=lambda: {SPOT: 5_000_000, PERP: 5_000_000})
    bids: dict[int, int] = field(default_factory=dict)
    asks: dict[int, int] = field(default_factory=dict)
    held: dict[tuple[int, int], int] = field(default_factory=dict)
    entries: dict[tuple[int, int], float] = field(default_factory=dict)
    pending: dict[tuple[int, int], int] = field(default_factory=dict)
    sales: dict[tuple[int, int], int] = field(default_factory=dict)
    stops: dict[tuple[int, int], int | None] = field(default_factory=dict)
    exits: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict)
    openings: dict[tuple[int, int], list[tuple[int, int]]] = field(default_factory=dict)
    reports: dict[tuple[int, str], OrderReport] = field(default_factory=dict)
    equities: dict[int, float] = field(default_factory=lambda: {CARRY: 50_000.0, MODEL: 50_000.0})
    money: dict[tuple[int, Wallet], float] = field(default_factory=dict)
    margins: dict[int, float] = field(default_factory=dict)
    on_its_way: float = 0.0
    fee: float = 0.0
    ages: dict[int, int | None] = field(default_factory=lambda: {SPOT: 0, PERP: 0})
    volumes: dict[int, int] = field(default_factory=lambda: {SPOT: 10**12, PERP: 10**10})

    def px(self, instrument: int) -> int:
        return self.prices.get(instrument, 0)

    def price_age(self, instrument: int) -> int | None:
        return self.ages.get(instrument)

    def day_volume(self, instrument: int) -> int:
        return self.volumes.get(instrument, 0)

    def top(self, instrument: int) -> tuple[int, int, int, int] | None:
        bid, ask = self.bid_px(instrument), self.ask_px(instrument)
        return (bid, 1, ask, 1) if bid and ask else None

    def bid_px(self, instrument: int) -> int:
        return self.bids.get(instrument, 0)

    def ask_px(self, instrument: int) -> int:
        return self.asks.get(instrument, 0)

    def position(self, sleeve: int, instrument: int) -> int:
        return self.held.get((sleeve, instrument), 0)

    def entry_price(self, sleeve: int, instrument: int) -> float:
        return self.entries.get((sleeve, instrument), math.nan)

    def working(self, sleeve: int, instrument: int) -> int:
        return self.pending.get((sleeve, instrument), 0)

    def selling(self, sleeve: int, instrument: int) -> int:
        """Return the sales; where the test names none, all that is pending is on one side."""
        return self.sales.get((sleeve, instrument), min(0, self.working(sleeve, instrument)))

    def order(self, sleeve: int, name: str) -> OrderReport | None:
        return self.reports.get((sleeve, name))

    def stop_px(self, sleeve: int, instrument: int) -> int | None:
        return self.stops.get((sleeve, instrument))

    def sleeve_equity(self, sleeve: int) -> float:
        return self.equities.get(sleeve, 0.0)

    def cash(self, sleeve: int, wallet: Wallet, venue: str = "") -> float:
        return self.money.get((sleeve, wallet), 0.0)

    def margin_balance(self, sleeve: int, venue: str = "") -> float:
        return self.margins.get(sleeve, 0.0)

    def coming(self, venue: str = "") -> float:
        return self.on_its_way

    def transfer_fee(self, venue: str = "") -> float:
        return self.fee

    def exact_equity(self) -> Decimal:
        return Decimal(str(self.equity))

    def exact_cash(self, sleeve: int, wallet: Wallet, venue: str = "") -> Decimal:
        return Decimal(str(self.cash(sleeve, wallet)))
