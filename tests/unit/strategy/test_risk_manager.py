"""Limits by worked example, and that nothing passes the risk manager."""

from __future__ import annotations

import ast
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import ValidationError

import crypto_quant
from crypto_quant.core.errors import InvariantError
from crypto_quant.core.messages import (
    Allocation,
    Approved,
    ApprovedCross,
    Cross,
    Order,
    OrderType,
    Refused,
    Side,
    Target,
    Wallet,
)
from crypto_quant.strategy.risk_manager import CHECKS
from crypto_quant.strategy.risk_manager.book import RiskState
from crypto_quant.strategy.risk_manager.config import RiskConfig
from crypto_quant.strategy.risk_manager.manager import RiskManager
from tests.unit.strategy.account import (
    CARRY,
    DAY,
    HOUR,
    MODEL,
    PERP,
    SLEEVES,
    SPOT,
    TERMS,
    Account,
)


def manager(**limits: object) -> RiskManager:
    """Return a manager with every registered check."""
    config = RiskConfig.model_validate(limits)
    checks = {name: build(config) for name, build in CHECKS.items()}
    return RiskManager(config, checks, SLEEVES, RiskState())


def target(quantity: int, stop: int | None = None, sleeve: str = "model") -> Target:
    return Target(0, sleeve, PERP, quantity, stop, "test")


def pair(size_milli: int) -> list[Target]:
    """Return the targets of a matched pair, in thousandths of BTC."""
    return [
        Target(0, "carry", SPOT, size_milli * 100, None, "test"),
        Target(0, "carry", PERP, -size_milli, None, "test"),
    ]


def order(quantity: int, **changes: object) -> Order:
    """Return a market order of the model sleeve on the perpetual; ``quantity`` is signed."""
    made = Order(
        0,
        1,
        PERP,
        Side.BUY if quantity > 0 else Side.SELL,
        abs(quantity),
        OrderType.MARKET,
        None,
        None,
        False,
        (Allocation(MODEL, quantity),),
        "test",
    )
    return made._replace(**changes)  # type: ignore[arg-type]  # the test knows the fields


def cross(quantity: int, px: int = 5_000_000) -> Cross:
    """Return a cross in which the model buys ``quantity`` contracts of carry."""
    parts = (Allocation(CARRY, -quantity), Allocation(MODEL, quantity))
    return Cross(0, PERP, px, parts, "test")


def _stamp(risk: RiskManager, view: Account, *orders: Order) -> tuple[int, list[str]]:
    approved, refused, _ = risk.stamp(orders, view, TERMS)
    return len(approved), [r.reason for r in refused]


def test_loss_at_stop_is_cut_to_one_percent_of_equity() -> None:
    """At 50,000 one lot is 50 USDT; 2 % stop + 0.5 % gap + 2 (5 + 5 bp) is 2.7 %: 1.35 USDT.

    1 % of 100,000 is 1,000: 740 lots.
    """
    (cut,) = manager().shrink([target(2_000, 4_900_000)], Account(), TERMS)
    assert cut.quantity == 740
    assert "cut by loss_at_stop" in cut.reason
    assert 740 * 50 * 0.027 <= 1_000 < 741 * 50 * 0.027


def test_target_within_all_limits_is_returned_as_it_was() -> None:
    asked = target(-700, 5_100_000)
    assert manager().shrink([asked], Account(), TERMS) == (asked,)


def test_growth_without_a_stop_is_not_allowed() -> None:
    view = Account(held={(MODEL, PERP): 100})
    (cut,) = manager().shrink([target(300)], view, TERMS)
    assert cut.quantity == 100
    (flat,) = manager().shrink([target(-300)], view, TERMS)
    assert flat.quantity == 0


def test_stop_on_the_wrong_side_protects_nothing() -> None:
    (cut,) = manager().shrink([target(300, 5_000_000)], Account(), TERMS)
    assert cut.quantity == 0


def test_hedged_pair_needs_no_stop_and_is_cut_as_a_pair() -> None:
    """Spot leg: 1 % + 0.5 % gap + 4 (10 + 5 bp) = 2.1 % of 50,000: 0.952 BTC lose 999.60 USDT."""
    view = Account()
    view.money[CARRY, Wallet.SPOT] = 1e9
    spot, perp = manager().shrink(pair(2_000), view, TERMS)
    assert (spot.quantity, perp.quantity) == (95_200, -952)
    assert 0.952 * 50_000 * 0.021 <= 1_000 < 0.953 * 50_000 * 0.021


def test_gap_allowance_of_a_pair_is_the_one_of_the_config() -> None:
    """The basis moved by 2.4 % within an hour on 2020-03-13: 1 + 2.4 + 0.6 % allow 0.5 BTC."""
    view = Account()
    view.money[CARRY, Wallet.SPOT] = 1e9
    spot, perp = manager(gap=0.024).shrink(pair(2_000), view, TERMS)
    assert (spot.quantity, perp.quantity) == (50_000, -500)


def test_leg_that_cannot_be_paid_shrinks_its_pair() -> None:
    view = Account()
    view.money[CARRY, Wallet.SPOT] = 10_000.0
    spot, perp = manager().shrink(pair(1_000), view, TERMS)
    assert spot.quantity == -perp.quantity * 100
    needed = spot.quantity * 0.5 * (1 + 0.002 + 0.001)
    assert needed <= 10_000 < needed + 50 * 1.003
    assert "cut by spot_balance" in spot.reason


def test_pair_below_the_smallest_notional_is_not_opened_on_one_leg() -> None:
    view = Account()
    view.money[CARRY, Wallet.SPOT] = 60.0  # would buy 0.001 BTC: the short needs 0.002
    spot, perp = manager().shrink(pair(1_000), view, TERMS)
    assert (spot.quantity, perp.quantity) == (0, 0)


def test_notional_of_all_sleeves_is_at_most_three_times_equity() -> None:
    """300,000 less 50,000 spot and 50,000 short of carry leave 200,000: 4,000 lots."""
    view = Account(held={(CARRY, SPOT): 100_000, (CARRY, PERP): -1_000})
    limits = {"loss_at_stop": 1.0, "initial_margin": 1.0, "leverage": 10}
    (cut,) = manager(**limits).shrink([target(9_000, 4_900_000)], view, TERMS)
    assert cut.quantity == 4_000


def test_initial_margin_in_total_is_at_most_30_percent() -> None:
    """At 5 x, 30,000 of margin carry 150,000; carry's short takes 50,000: 2,000 lots."""
    view = Account(held={(CARRY, SPOT): 100_000, (CARRY, PERP): -1_000})
    (cut,) = manager(loss_at_stop=1.0).shrink([target(9_000, 4_900_000)], view, TERMS)
    assert cut.quantity == 2_000
    assert "cut by initial_margin" in cut.reason


def test_leverage_is_counted_on_the_sleeves_own_equity() -> None:
    view = Account(equities={CARRY: 90_000.0, MODEL: 10_000.0})
    (cut,) = manager(loss_at_stop=1.0, leverage=2).shrink([target(900, 4_900_000)], view, TERMS)
    assert cut.quantity == 400


def test_two_targets_of_one_wakeup_share_the_limits() -> None:
    risk = manager(loss_at_stop=1.0)
    both = [target(2_000, 4_900_000), target(-2_000, 5_100_000, "carry")]
    first, second = risk.shrink(both, Account(), TERMS)
    assert (first.quantity, second.quantity) == (2_000, -1_000)


@pytest.mark.parametrize("leverage", [0, 11])
def test_leverage_setting_is_1_to_10(leverage: int) -> None:
    with pytest.raises(ValidationError):
        RiskConfig(leverage=leverage)


def test_daily_loss_stops_growth_until_the_next_utc_day() -> None:
    risk, view = manager(), Account(held={(MODEL, PERP): 300})
    view.equity = 97_000.01
    risk.observe(view)
    assert risk.shrink([target(400, 4_900_000)], view, TERMS)[0].quantity == 400
    view.equity = 97_000.0
    risk.observe(view)
    view.equity = 99_999.0  # a recovery does not lift it
    risk.observe(view)
    assert risk.shrink([target(400, 4_900_000)], view, TERMS)[0].quantity == 300
    assert risk.shrink([target(-400, 5_100_000)], view, TERMS)[0].quantity == 0
    assert risk.shrink([target(100, 4_900_000)], view, TERMS)[0].quantity == 100
    assert _stamp(risk, view, order(-300)) == (1, [])
    assert "daily_loss" in _stamp(risk, view, order(100))[1][0]
    view.now += 23 * HOUR + HOUR - 1
    assert risk.shrink([target(400, 4_900_000)], view, TERMS)[0].quantity == 300
    view.now += 1
    view.day_start_equity = view.equity
    risk.observe(view)
    assert view.now % DAY == 0
    assert risk.shrink([target(400, 4_900_000)], view, TERMS)[0].quantity == 400


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (order(100)._replace(quantity=0), "no positive multiple of the lot"),
        (order(100, type=OrderType.LIMIT, price=5_000_005), "price 5000005"),
        (order(-100, type=OrderType.STOP_MARKET, stop=4_900_001), "stop 4900001"),
        (order(1), "notional 50.00 below the venue's smallest 100"),
        (order(100, instrument=7), "not traded in this run"),
    ],
)
def test_orders_that_the_venue_would_reject_are_refused(made: Order, said: str) -> None:
    approved, reasons = _stamp(manager(), Account(), made)
    assert approved == 0
    assert said in reasons[0]


def test_off_lot_order_is_refused() -> None:
    coarse = {**TERMS, PERP: TERMS[PERP]._replace(lot=10)}
    refused = manager().stamp([order(105)], Account(), coarse).refused
    assert "multiple of the lot 10" in refused[0].reason


def test_reduce_only_close_may_be_smaller_than_the_smallest_notional() -> None:
    view = Account(held={(MODEL, PERP): 1})
    assert _stamp(manager(), view, order(-1, reduce_only=True)) == (1, [])


def _spot(quantity: int) -> Order:
    part = (Allocation(CARRY, quantity),)
    return order(quantity, instrument=SPOT, allocations=part)


def test_spot_is_never_bought_with_borrowed_money() -> None:
    """100,000 units are 1 BTC: 50,000 x (1 + 20 bp buffer + 10 bp fee) = 50,150."""
    risk, view = manager(), Account()
    view.money[CARRY, Wallet.SPOT] = 50_150.0
    assert _stamp(risk, view, _spot(100_000)) == (1, [])
    view.money[CARRY, Wallet.SPOT] = 50_149.99
    assert "needs 50150.00 for spot and has 50149.99" in _stamp(risk, view, _spot(100_000))[1][0]


def test_spot_is_never_sold_short() -> None:
    view = Account(held={(CARRY, SPOT): 50_000})
    assert _stamp(manager(), view, _spot(-50_000)) == (1, [])
    assert "sell more spot than it holds" in _stamp(manager(), view, _spot(-50_001))[1][0]


def test_runaway_growth_is_refused_and_closes_pass() -> None:
    risk = manager(orders_per_wake=3, orders_per_minute=5)
    view = Account(held={(MODEL, PERP): 1_000})
    assert [_stamp(risk, view, order(10))[0] for _ in range(4)] == [1, 1, 1, 0]
    assert _stamp(risk, view, *[order(-10)] * 4) == (4, [])
    view.now += 10**9
    assert "5 orders within a minute" in _stamp(risk, view, order(10))[1][0]
    view.now += 60 * 10**9
    assert _stamp(risk, view, order(10)) == (1, [])


def test_stamp_refuses_growth_beyond_the_exposure_limits() -> None:
    """Netting cannot make more of the targets than risk left of them, even by mistake."""
    risk, view = manager(), Account()
    assert "notional 300050.00 above 300000.00" in _stamp(risk, view, order(6_001))[1][0]
    assert "initial margin 30010.00 above 30000.00" in _stamp(risk, view, order(3_001))[1][0]
    assert _stamp(risk, view, order(3_000)) == (1, [])


def test_orders_of_one_wakeup_share_the_exposure_limits() -> None:
    first = order(-2_000, allocations=(Allocation(CARRY, -2_000),))
    approved, (reason,) = _stamp(manager(), Account(), first, order(-2_000, id=2))
    assert approved == 1
    assert "initial margin 40000.00 above 30000.00" in reason


def test_spot_orders_of_one_wakeup_share_the_cash() -> None:
    view = Account()
    view.money = {(CARRY, Wallet.SPOT): 50_000.0}
    spot = order(60_000, instrument=SPOT, allocations=(Allocation(CARRY, 60_000),))
    assert _stamp(manager(), view, spot) == (1, [])
    approved, (_, reason) = _stamp(manager(), view, spot, spot._replace(id=2))
    assert approved == 0  # never leg by leg: the first goes with the second
    assert "needs 60" in reason
    assert "has 50000.00" in reason


def test_order_that_only_shrinks_passes_every_exposure_limit() -> None:
    view = Account(held={(MODEL, PERP): 9_000}, equity=50_000.0)
    risk = manager()
    risk.observe(view)
    assert _stamp(risk, view, order(-9_000)) == (1, [])
    assert risk.shrink([target(8_999, 4_900_000)], view, TERMS)[0].quantity <= 8_999
    view.pending = {(MODEL, PERP): -9_000}  # a close works: its stop still protects the rest
    stop = order(-9_000, type=OrderType.STOP_MARKET, stop=4_900_000)
    assert _stamp(risk, view, stop) == (1, [])


def test_refused_leg_takes_the_other_leg_with_it() -> None:
    view = Account()  # no cash for the spot leg
    short = order(-500, id=2, allocations=(Allocation(CARRY, -500),))
    approved, reasons = _stamp(manager(), view, _spot(50_000), short)
    assert approved == 0
    assert "never leg by leg" in reasons[1]
    view.held[CARRY, PERP] = -500  # a closing leg is never held back
    buy = order(500, id=2, allocations=(Allocation(CARRY, 500),))
    assert _stamp(manager(), view, _spot(50_000), buy)[0] == 1


def test_stamp_names_the_checks_and_keeps_the_order() -> None:
    made = order(100)
    approved, refused, _ = manager().stamp([made], Account(), TERMS)
    assert approved[0].order is made
    assert approved[0].checks == tuple(CHECKS)
    assert refused == ()
    refused = manager().stamp([order(1)], Account(), TERMS).refused
    assert isinstance(refused[0], Refused)


def test_a_cross_that_grows_a_sleeve_is_held_to_the_limits() -> None:
    """Initial margin is at most 30 000: two sleeves of 2 000 contracts need 40 000."""
    view = Account(equities={CARRY: 1e6, MODEL: 1e6})
    stamped = manager().stamp([], view, TERMS, [cross(2_000)])
    assert stamped.crosses == ()
    assert stamped.refused[0].reason.startswith("initial_margin: ")
    (agreed,) = manager().stamp([], view, TERMS, [cross(1_000)]).crosses
    assert agreed.cross == cross(1_000)
    assert set(agreed.checks) == set(CHECKS) - {"order_validity", "order_rate"}


def test_a_cross_and_an_order_of_one_wakeup_share_the_limits() -> None:
    view = Account(equities={CARRY: 1e6, MODEL: 1e6})
    grow = order(2_000)
    assert len(manager().stamp([grow], view, TERMS).approved) == 1
    both = manager().stamp([grow], view, TERMS, [cross(1_000)])
    assert len(both.crosses) == 0  # never leg by leg: the model's order was refused
    assert [r.order for r in both.refused] == [cross(1_000), grow]
    assert both.refused[1].reason.startswith("initial_margin: ")


def test_a_cross_needs_neither_the_smallest_notional_nor_the_order_rate() -> None:
    risk = manager(orders_per_wake=1, orders_per_minute=1)
    view = Account()
    assert len(risk.stamp([order(100)], view, TERMS).approved) == 1
    stamped = risk.stamp([], view, TERMS, [cross(1), cross(1)])
    assert len(stamped.crosses) == 2
    assert risk.state.sent.at(view.now) == 1


def test_unknown_price_lets_nothing_grow() -> None:
    view = Account(prices={}, held={(MODEL, PERP): 50})
    (kept,) = manager().shrink([target(100, 4_900_000)], view, TERMS)
    assert kept.quantity == 50
    assert manager().shrink([target(0)], view, TERMS)[0].quantity == 0


def test_approval_cannot_be_forged() -> None:
    with pytest.raises(InvariantError, match="something else than the risk manager"):
        Approved(order(100), (), object())
    with pytest.raises(InvariantError, match="a cross was approved by something else"):
        ApprovedCross(cross(100), (), object())


def test_only_the_risk_manager_approves() -> None:
    """No other module of the package names the seal or builds an approval by hand."""
    root = Path(crypto_quant.__file__).parent
    manager_file = root / "strategy" / "risk_manager" / "manager.py"
    naming = {path for path in root.rglob("*.py") if _approves(path)}
    assert naming == {root / "core" / "messages.py", manager_file}


def _approves(path: Path) -> bool:
    """Tell whether a module names the seal, in whatever way, or calls ``Approved`` or its like."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        named = [getattr(node, field, None) for field in ("id", "attr", "name", "value")]
        if "RISK_SEAL" in named:
            return True
        if isinstance(node, ast.Call):
            built = getattr(node.func, "id", None) or getattr(node.func, "attr", None)
            if built in ("Approved", "ApprovedCross"):
                return True
    return False


def test_exact_limits_use_exact_equity() -> None:
    """One cent of equity decides: 2,999.99... of margin is no 3,000."""
    view = Account(equity=100_000.0)
    view.exact_equity = lambda: Decimal("99999.99")  # type: ignore[method-assign]  # a stub
    assert "initial margin" in _stamp(manager(), view, order(3_000))[1][0]
