"""The Python face of the ledger: names of what it returns, and its errors."""

from __future__ import annotations

from decimal import Decimal

import pytest

from crypto_quant.core.errors import ConfigError, InvariantError
from crypto_quant.core.instruments import Bracket, Dated, Fees, Instrument, Row
from crypto_quant.core.ledger import Fill, Flow, Ledger, Leg, Outcome, Position, Wallet, prorate
from crypto_quant.core.messages import Allocation

FEES = Fees(maker=Decimal("0.0002"), taker=Decimal("0.0005"))
PERP = Instrument(
    id="BTCUSDT-PERP.TEST",
    venue="test",
    symbol="BTCUSDT",
    contract="linear",
    base="BTC",
    quote="USDT",
    settle="USDT",
    multiplier=Decimal(1),
    price_exp=2,
    qty_exp=3,
    tick=Dated((Row(0, Decimal("0.1"), "made up"),)),
    lot=Dated((Row(0, Decimal("0.001"), "made up"),)),
    min_notional=Dated((Row(0, Decimal(5), "made up"),)),
    fees={"VIP0": Dated((Row(0, FEES, "made up"),))},
    brackets=Dated((Row(0, (Bracket(None, Decimal("0.01"), 10, Decimal(0)),), "made up"),)),
    bracket_unit="quote",
    funding_interval_h=None,
    valid_from=None,
    valid_to=None,
)
USDM = Wallet("usdm", ("USDT",), (0,))


@pytest.fixture
def ledger() -> Ledger:
    made = Ledger([PERP], ["carry", "model"], [USDM, Wallet("spare", ("USDT",), ())])
    made.mark(0, 5_000_000)
    made.deposit(1, 0, 0, "USDT", Decimal(10_000))
    return made


def _fill(ts: int, qty: int, px: int) -> Fill:
    return Fill(ts, 0, px, qty, Decimal(1), 5_000_000, Decimal(2))


def test_ledger_returns_named_exact_values(ledger: Ledger) -> None:
    ledger.apply_fill(_fill(2, 100, 5_001_000), [Allocation(0, 100)])
    assert ledger.position(0) == ledger.sleeve_position(0, 0) == Position(100, Decimal(5001))
    assert ledger.sleeve_position(1, 0) == Position(0, Decimal(0))
    seen = ledger.attribution(0)
    assert seen[3:6] == (Decimal(-1), Decimal("-0.8"), Decimal("-0.2"))
    assert ledger.apply_funding(3, 0, Decimal("0.0001"), 5_000_000) == Decimal("-0.5")
    ledger.book_funding(4, 0, Decimal("-0.25"), Decimal("0.0001"))
    assert ledger.attribution(0).funding == Decimal("-0.75")
    ledger.set_leverage(0, 5)
    margin = ledger.margin(0, "USDT", 0)
    assert (margin.unrealised, margin.initial) == (Decimal(-1), Decimal(1000))
    assert margin.maintenance == 50
    assert margin.margin_balance == ledger.equity() == Decimal("9997.25")
    ledger.apply_fill(_fill(5, -100, 5_000_000), [Allocation(0, -100)])
    (trip,) = ledger.round_trips()
    assert (trip.sleeve, trip.base, trip.entry_ts, trip.exit_ts) == (0, "BTC", 2, 5)
    assert trip.legs == (Leg(0, 100, Decimal(50_010), Decimal(50_000)),)
    assert trip.outcome == Outcome(
        pnl=Decimal("-3.75"),
        fees=Decimal(-2),
        funding=Decimal("-0.75"),
        spread=Decimal("-0.6"),
        impact=Decimal("-0.4"),
    )
    assert isinstance(ledger.equity(), Decimal)


def test_ledger_moves_money_and_keeps_flows_apart(ledger: Ledger) -> None:
    ledger.transfer(0, 0, 1, "USDT", Decimal(100), Decimal("0.5"))
    ledger.withdraw(7, 0, 1, "USDT", Decimal(40))
    assert ledger.balance(0, "USDT") == Decimal("9899.5")
    assert ledger.sleeve_balance(0, 1, "USDT") == 60
    assert ledger.deposits(0) == 9_960
    assert ledger.sleeve_equity(0) == Decimal("9959.5")
    assert ledger.attribution(0).transfer_fees == Decimal("-0.5")
    assert ledger.flows() == (
        Flow(1, 0, 0, "USDT", Decimal(10_000), Decimal(10_000)),
        Flow(7, 0, 1, "USDT", Decimal(-40), Decimal(-40)),
    )


def test_fee_is_makers_or_takers(ledger: Ledger) -> None:
    assert ledger.fee(0, 5_000_000, -100, is_taker=True, ts=0) == Decimal("2.5")
    assert ledger.fee(0, 5_000_000, 100, is_taker=False, ts=0) == 1


def test_internal_cross_leaves_the_account_flat(ledger: Ledger) -> None:
    ledger.internal_cross(2, 0, 4_990_000, [Allocation(0, 100), Allocation(1, -100)])
    assert ledger.position(0).qty == 0
    assert ledger.sleeve_equity(1) == -10
    assert ledger.equity() == 10_000


def test_bookings_that_cannot_be_are_refused_with_the_reason(ledger: Ledger) -> None:
    with pytest.raises(InvariantError, match="ledger: allocations: expected parts that sum to 1"):
        ledger.apply_fill(_fill(2, 1, 5_000_000), [Allocation(0, 2)])
    with pytest.raises(InvariantError, match="sleeve model has 0 USDT to spend in usdm, needs 1"):
        ledger.withdraw(2, 1, 0, "USDT", Decimal(1))
    with pytest.raises(InvariantError, match="wallet usdm does not hold BTC"):
        ledger.balance(0, "BTC")
    with pytest.raises(InvariantError, match="a price must be positive, was 0"):
        ledger.mark(0, 0)
    with pytest.raises(ConfigError, match=r"leverage: expected .* from 1 to 10, was 11$"):
        ledger.set_leverage(0, 11)
    with pytest.raises(ConfigError, match="ledger set-up: no instrument prices SOL"):
        Ledger([PERP], ["a"], [Wallet("usdm", ("USDT", "SOL"), (0,))])


def test_a_fill_is_shared_by_hand_and_never_beyond_its_order() -> None:
    """Sell 3 of -2 and -1: of the first 2 the larger has 4/3 = 1, of the third the rest."""
    order = [Allocation(0, -2), Allocation(4, -1)]
    assert prorate(order, 0, 2) == [(0, -1), (4, -1)]
    assert prorate(order, 2, 1) == [(0, -1), (4, 0)]
    with pytest.raises(InvariantError, match="more was filled than ordered"):
        prorate(order, 2, 2)
    with pytest.raises(InvariantError, match="nets to nothing"):
        prorate([Allocation(0, 1), Allocation(1, -1)], 0, 0)
