"""Amendments of sleeves' own orders: what is beyond a limit by now may still get smaller."""

from __future__ import annotations

import pytest

from crypto_quant.core.messages import Allocation, Conditions, Order, OrderType, Side
from crypto_quant.strategy.risk_manager import CHECKS
from crypto_quant.strategy.risk_manager.book import DAY_NS, RiskState
from crypto_quant.strategy.risk_manager.config import RiskConfig
from crypto_quant.strategy.risk_manager.manager import RiskManager
from crypto_quant.strategy.risk_manager.own_orders import Change
from tests.unit.strategy.account import MODEL, PERP, SLEEVES, TERMS, Account

PX = 5_000_000
CALM, HALTED, KILLED, POOR, RUSHED = "calm", "halted", "killed", "poor", "rushed"


def bid(quantity: int, price: int = PX) -> Order:
    """Return a bid of the model sleeve; 1,000 are one coin, 50,000."""
    return Order(
        ts=0,
        id=1,
        instrument=PERP,
        side=Side.BUY,
        quantity=quantity,
        type=OrderType.LIMIT,
        price=price,
        stop=None,
        reduce_only=False,
        allocations=(Allocation(MODEL, quantity),),
        reason="test",
        conditions=Conditions("bid"),
    )


def amended(day: str, after: Order) -> tuple[list[Order], list[str]]:
    """Return what a bid of 1,000, of which 100 are filled, becomes on a day, or why not."""
    key, equity = (MODEL, PERP), 10_000.0 if day is POOR else 100_000.0
    view = Account(equity=equity, held={key: 100}, pending={key: 900})
    state = RiskState()
    state.halted_day = view.now // DAY_NS if day is HALTED else -1
    state.sent.add(view.now, 10_000 if day is RUSHED else 0)
    config = RiskConfig(require_stop=False, loss_at_stop=1.0, notional=1.0, initial_margin=1.0)
    risk = RiskManager(config, {n: build(config) for n, build in CHECKS.items()}, SLEEVES, state)
    if day is KILLED:
        risk.kill()
    approved, refused = risk.amend([Change(bid(1_000), after, 100)], (), (), view, TERMS)
    return [item.order for item in approved], [item.reason for item in refused]


@pytest.mark.parametrize("day", [CALM, HALTED, KILLED, POOR, RUSHED])
def test_what_only_gets_smaller_passes_on_any_day(day: str) -> None:
    for quantity in (999, 500, 100, 50):
        assert amended(day, bid(quantity)) == ([bid(quantity)], [])


@pytest.mark.parametrize("day", [HALTED, KILLED, POOR, RUSHED])
def test_as_much_at_another_price_is_no_less(day: str) -> None:
    assert amended(CALM, bid(1_000, PX + 10)) == ([bid(1_000, PX + 10)], [])
    for after in (bid(1_000, PX + 10), bid(1_010)):
        approved, refused = amended(day, after)
        assert (approved, len(refused)) == ([], 1)


def test_what_is_left_has_to_be_an_order_still() -> None:
    assert amended(CALM, bid(101)) == (
        [],
        ["order_validity: notional 50.00 below the venue's smallest 100"],
    )
