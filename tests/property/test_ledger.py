"""The ledger against naive cash-flow accounting in exact fractions.

The oracle knows no cost, no realised P&L and no averages: equity is the cash that came
and went plus what is held at the marks; basis is added at each single mark. Only the
rounding of what is booked (8 decimals, half to even) is shared, as a rule.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto_quant.core.errors import InvariantError
from crypto_quant.core.instruments import Bracket, Dated, Fees, Instrument, Row
from crypto_quant.core.ledger import Fill, Ledger, Wallet
from crypto_quant.core.messages import Allocation

SPOT, PERP, COIN = 0, 1, 2
SLEEVES = 3
PX_UNIT = (Fraction(1, 100), Fraction(1, 100), Fraction(1, 10))
LOT = (Fraction(1, 10**5), Fraction(1, 1000), Fraction(100))
START = {SPOT: 5_000_000, PERP: 5_010_000, COIN: 500_500}
FUNDS = Decimal(200_000)
COINS = Decimal(3)


def _dated(value: Decimal) -> Dated[Decimal]:
    return Dated((Row(0, value, "made up"),))


def _instrument(kind: str) -> Instrument:
    inverse = kind == "inverse"
    return Instrument(
        id=kind,
        venue="test",
        symbol=kind,
        contract=kind,  # type: ignore[arg-type]  # one of the three literals below
        base="BTC",
        quote="USD" if inverse else "USDT",
        settle="BTC" if inverse else "USDT",
        multiplier=Decimal(100 if inverse else 1),
        price_exp=1 if inverse else 2,
        qty_exp={"spot": 5, "linear": 3, "inverse": 0}[kind],
        tick=_dated(Decimal("0.1")),
        lot=_dated(Decimal(1)),
        min_notional=_dated(Decimal(0)),
        fees={"VIP0": Dated((Row(0, Fees(Decimal(0), Decimal(0)), "made up"),))},
        brackets=None
        if kind == "spot"
        else Dated((Row(0, (Bracket(None, Decimal("0.01"), 10, Decimal(0)),), "made up"),)),
        bracket_unit="quote",
        funding_interval_h=None,
        valid_from=None,
        valid_to=None,
    )


def _book(amount: Fraction) -> Fraction:
    """Round as a booking: ``round`` of a fraction goes half to even."""
    return Fraction(round(amount * 10**8), 10**8)


def _split(amount: Fraction, sizes: list[int]) -> list[Fraction]:
    shares = [_book(amount * size / sum(sizes)) for size in sizes[:-1]]
    return [*shares, amount - sum(shares)]


def _value(instrument: int, qty: int, price: Fraction) -> Fraction:
    size = qty * LOT[instrument]
    return -_book(size / price) if instrument == COIN else size * price


@dataclass
class _Sleeve:
    cash: Fraction = Fraction(FUNDS * 2)
    """USDT in both wallets, as if every trade were paid in full."""
    spot_usdt: Fraction = Fraction(FUNDS)
    btc: Fraction = Fraction(COINS)
    coin: Fraction = Fraction(COINS)
    """BTC of the coin-margined wallet, as if every trade were paid in full."""
    held: dict[int, int] = field(default_factory=lambda: {PERP: 0, COIN: 0})
    parts: dict[str, Fraction] = field(default_factory=dict)

    def add(self, part: str, amount: Fraction) -> None:
        self.parts[part] = self.parts.get(part, Fraction(0)) + amount


class _Oracle:
    def __init__(self) -> None:
        self.sleeves = [_Sleeve() for _ in range(SLEEVES)]
        self.px = {i: START[i] * PX_UNIT[i] for i in START}

    def coin_equity(self, s: _Sleeve) -> Fraction:
        return s.coin + _value(COIN, s.held[COIN], self.px[COIN])

    def equity(self, s: _Sleeve) -> Fraction:
        perp = _value(PERP, s.held[PERP], self.px[PERP])
        return s.cash + perp + s.btc * self.px[SPOT] + self.coin_equity(s) * self.px[COIN]

    def mark(self, instrument: int, price: Fraction) -> None:
        before = [self.equity(s) for s in self.sleeves]
        move = price - self.px[instrument]
        self.px[instrument] = price
        for s, old in zip(self.sleeves, before, strict=True):
            hedged = min(max(Fraction(0), -s.held[PERP] * LOT[PERP]), s.btc)
            basis = {SPOT: hedged, PERP: -hedged, COIN: Fraction(0)}[instrument] * move
            s.add("basis", basis)
            s.add("price", self.equity(s) - old - basis)

    def fill(self, f: Fill, parts: list[Allocation]) -> bool:
        """Book a fill as cash flows; ``False`` if a sleeve cannot pay or deliver spot."""
        i, sign = f.instrument, 1 if f.qty > 0 else -1
        unit = PX_UNIT[i]
        paid = _book(_value(i, f.qty, f.px * unit))
        clean = _book(_value(i, f.qty, f.px * unit - sign * Fraction(f.impact)))
        at_reference = [_book(_value(i, q, f.reference * unit)) for _, q in parts]
        sizes = [abs(q) for _, q in parts]
        impacts = _split(clean - paid, sizes)
        spreads = _split(sum(at_reference) - clean, sizes)
        fees = _split(-Fraction(f.fee), sizes)
        flows = [
            -at + spread + impact + fee
            for at, spread, impact, fee in zip(at_reference, spreads, impacts, fees, strict=True)
        ]
        if i == SPOT and not self._affordable(parts, flows):
            return False
        rate = self.px[COIN] if i == COIN else Fraction(1)
        for n, (sleeve, qty) in enumerate(parts):
            s = self.sleeves[sleeve]
            old = self.equity(s)
            self._move(s, i, qty, flows[n])
            costs = {"fees": fees[n], "spread": spreads[n], "impact": impacts[n]}
            for part, amount in costs.items():
                s.add(part, amount * rate)
            s.add("price", self.equity(s) - old - sum(costs.values()) * rate)
        return True

    def _affordable(self, parts: list[Allocation], flows: list[Fraction]) -> bool:
        return all(
            self.sleeves[sleeve].spot_usdt + flow >= 0
            if qty > 0
            else self.sleeves[sleeve].btc + qty * LOT[SPOT] >= 0
            for (sleeve, qty), flow in zip(parts, flows, strict=True)
        )

    def _move(self, s: _Sleeve, instrument: int, qty: int, flow: Fraction) -> None:
        if instrument == COIN:
            s.coin += flow
        else:
            s.cash += flow
        if instrument == SPOT:
            s.spot_usdt += flow
            s.btc += qty * LOT[SPOT]
        else:
            s.held[instrument] += qty

    def funding(self, instrument: int, rate: Fraction, price: Fraction) -> Fraction:
        total = Fraction(0)
        for s in self.sleeves:
            size = s.held[instrument] * LOT[instrument]
            notional = size / price if instrument == COIN else size * price
            amount = _book(-notional * rate)
            total += amount
            if instrument == COIN:
                s.coin += amount
            else:
                s.cash += amount
            s.add("funding", amount * (self.px[COIN] if instrument == COIN else 1))
        return total


def _ledger() -> Ledger:
    ledger = Ledger(
        [_instrument(kind) for kind in ("spot", "linear", "inverse")],
        ["a", "b", "c"],
        [
            Wallet("spot", ("USDT", "BTC"), (SPOT,)),
            Wallet("usdm", ("USDT",), (PERP,)),
            Wallet("coinm", ("BTC",), (COIN,)),
        ],
        at_par=["USD"],
    )
    for instrument, px in START.items():
        ledger.mark(instrument, px)
    for sleeve in range(SLEEVES):
        ledger.deposit(0, sleeve, 0, "USDT", FUNDS)
        ledger.deposit(0, sleeve, 1, "USDT", FUNDS)
        ledger.deposit(0, sleeve, 0, "BTC", COINS)
        ledger.deposit(0, sleeve, 2, "BTC", COINS)
    return ledger


class _Mark(NamedTuple):
    instrument: int
    px: int


class _Funding(NamedTuple):
    instrument: int
    rate: int
    px: int


class _Trade(NamedTuple):
    fill: Fill
    parts: list[Allocation]


def _fills() -> st.SearchStrategy[_Trade]:
    def build(
        instrument: int, tenths: int, worse: int, impact: int, fee: int, sizes: list[int]
    ) -> _Trade:
        scale = 1_000 if instrument == SPOT else 1
        parts = [Allocation(s, q * scale) for s, q in enumerate(sizes) if q]
        qty = sum(part.quantity for part in parts)
        reference = tenths * (1 if instrument == COIN else 10)
        px = reference + (worse if qty > 0 else -worse)
        money = Decimal(fee).scaleb(-12 if instrument == COIN else -8)
        fee_booked = money.quantize(Decimal("1e-8"))
        fill = Fill(0, instrument, px, qty, fee_booked, reference, Decimal(impact).scaleb(-2))
        return _Trade(fill, parts)

    fills = st.builds(
        build,
        st.sampled_from([SPOT, PERP, COIN]),
        st.integers(200_000, 800_000),
        st.integers(-50, 400),
        st.integers(-100, 900),
        st.integers(-10_000_000, 5_000_000_000),
        st.lists(st.integers(-200, 200), min_size=SLEEVES, max_size=SLEEVES),
    )
    return fills.filter(lambda trade: trade.fill.qty != 0)


def _px(instrument: int, tenths: int) -> int:
    """Put a price in tenths of a dollar on the instrument's grid."""
    return tenths * (1 if instrument == COIN else 10)


TENTHS = st.integers(200_000, 800_000)
STEPS = st.lists(
    st.one_of(
        _fills(),
        st.builds(lambda i, t: _Mark(i, _px(i, t)), st.sampled_from([SPOT, PERP, COIN]), TENTHS),
        st.builds(
            lambda i, r, t: _Funding(i, r, _px(i, t)),
            st.sampled_from([PERP, COIN]),
            st.integers(-40_000, 40_000),
            TENTHS,
        ),
    ),
    min_size=1,
    max_size=40,
)


def _check(ledger: Ledger, oracle: _Oracle, start: list[Fraction]) -> None:
    total = Fraction(0)
    for n, sleeve in enumerate(oracle.sleeves):
        equity = oracle.equity(sleeve)
        total += equity
        assert Fraction(ledger.sleeve_equity(n)) == equity
        assert Fraction(ledger.deposits(n)) == start[n]
        seen = ledger.attribution(n)._asdict()
        assert {part: Fraction(amount) for part, amount in seen.items()} == {
            part: sleeve.parts.get(part, Fraction(0)) for part in seen
        }
        assert sum(sleeve.parts.values()) == equity - start[n]
        assert Fraction(ledger.sleeve_balance(n, 0, "BTC")) == sleeve.btc
        assert Fraction(ledger.sleeve_balance(n, 0, "USDT")) == sleeve.spot_usdt
        for instrument, held in sleeve.held.items():
            assert ledger.sleeve_position(n, instrument).qty == held
    assert Fraction(ledger.equity()) == total


@settings(max_examples=150, deadline=None)
@given(steps=STEPS)
def test_ledger_equals_cash_flow_accounting(steps: list[_Mark | _Funding | _Trade]) -> None:
    ledger, oracle = _ledger(), _Oracle()
    start = [oracle.equity(s) for s in oracle.sleeves]
    for ts, step in enumerate(steps, 1):
        match step:
            case _Mark(instrument, px):
                ledger.mark(instrument, px)
                oracle.mark(instrument, px * PX_UNIT[instrument])
            case _Funding(instrument, rate, px):
                got = ledger.apply_funding(ts, instrument, Decimal(rate).scaleb(-7), px)
                price = px * PX_UNIT[instrument]
                assert Fraction(got) == oracle.funding(instrument, Fraction(rate, 10**7), price)
            case _Trade(fill, parts):
                if oracle.fill(fill, parts):
                    ledger.apply_fill(fill._replace(ts=ts), parts)
                else:
                    with pytest.raises(InvariantError, match="to spend in spot"):
                        ledger.apply_fill(fill._replace(ts=ts), parts)
        _check(ledger, oracle, start)


@settings(max_examples=100, deadline=None)
@given(fills=st.lists(_fills(), min_size=1, max_size=20))
def test_balance_of_a_flat_account_is_all_cash(fills: list[_Trade]) -> None:
    ledger, oracle = _ledger(), _Oracle()
    for ts, (fill, parts) in enumerate(fills, 1):
        if fill.instrument != SPOT:
            oracle.fill(fill, parts)
            ledger.apply_fill(fill._replace(ts=ts), parts)
    for instrument in (PERP, COIN):
        parts = [
            Allocation(n, -s.held[instrument])
            for n, s in enumerate(oracle.sleeves)
            if s.held[instrument]
        ]
        px = START[instrument]
        fill = Fill(99, instrument, px, sum(p.quantity for p in parts), Decimal(0), px, Decimal(0))
        if fill.qty:
            oracle.fill(fill, parts)
            ledger.apply_fill(fill, parts)
        elif parts:
            for part in parts:
                single = fill._replace(qty=part.quantity)
                oracle.fill(single, [part])
                ledger.apply_fill(single, [part])
    for n, s in enumerate(oracle.sleeves):
        assert Fraction(ledger.sleeve_balance(n, 1, "USDT")) == s.cash - s.spot_usdt
        assert Fraction(ledger.sleeve_balance(n, 2, "BTC")) == s.coin
    assert Fraction(ledger.balance(1, "USDT")) == sum(s.cash - s.spot_usdt for s in oracle.sleeves)
    assert Fraction(ledger.balance(2, "BTC")) == sum(s.coin for s in oracle.sleeves)
    assert ledger.margin(1, "USDT", 0).unrealised == 0
    assert ledger.margin(2, "BTC", 0).initial == 0
