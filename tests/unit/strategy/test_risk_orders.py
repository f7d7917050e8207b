"""What only shrinks a position is judged by where it is headed, whatever fills first."""

from __future__ import annotations

import pytest

from crypto_quant.core.messages import Allocation, Order, OrderType, Side, Target
from crypto_quant.execution.netting import Netting, NettingConfig
from crypto_quant.execution.order_manager import OrderManager
from crypto_quant.strategy.risk_manager.batch import Batch
from crypto_quant.strategy.risk_manager.book import Proposal, RiskBook, RiskState
from crypto_quant.strategy.risk_manager.config import RiskConfig
from crypto_quant.strategy.risk_manager.manager import RiskManager
from tests.unit.strategy.account import CARRY, DAY, HOUR, MODEL, PERP, SLEEVES, SPOT, TERMS, Account
from tests.unit.strategy.test_risk_manager import cross, manager, order

LOST = "daily_loss: "


def halted(held: int = 1_000) -> tuple[RiskManager, Account]:
    """Return a day on which 4 % are lost, and an account with a position of the model."""
    view = Account(equity=96_000.0, held={(MODEL, PERP): held})
    risk = manager()
    risk.observe(view)
    assert risk.state.halted_day == view.now // DAY
    return risk, view


def left(risk: RiskManager, view: Account, *orders: Order) -> list[int]:
    """Return what the model's orders that may leave would trade, signed."""
    return [
        part.quantity
        for item in risk.stamp(orders, view, TERMS).approved
        for part in item.order.allocations
        if part.sleeve == MODEL
    ]


class Never:
    """An exposure check that has room for nothing."""

    is_exposure = True
    is_of_venue = False

    def shrink(self, proposal: Proposal, book: RiskBook) -> int:
        return 0

    def clears(self, batch: Batch, book: RiskBook) -> bool:
        return False

    def refusal(self, order: Order, book: RiskBook) -> str | None:
        return "no room"


def test_no_exposure_check_is_asked_about_a_close() -> None:
    view = Account(held={(MODEL, PERP): 1_000})
    risk = RiskManager(RiskConfig(), {"never": Never()}, SLEEVES, RiskState())
    assert left(risk, view, order(-1_000)) == [-1_000]
    assert left(risk, view, order(-1_001)) == [-1_000]
    assert left(risk, view, order(1)) == []


@pytest.mark.parametrize(("held", "asked", "leaves"), [(1_000, -2_000, -1_000), (-700, 701, 700)])
def test_a_flip_on_a_halted_day_is_cut_to_its_close(held: int, asked: int, leaves: int) -> None:
    risk, view = halted(held)
    stamped = risk.stamp([order(asked)], view, TERMS)
    (item,) = stamped.approved
    assert item.order == order(asked)._replace(
        quantity=abs(leaves), allocations=(Allocation(MODEL, leaves),)
    )
    (refused,) = stamped.refused
    assert refused.order == order(asked)
    assert refused.reason.startswith(LOST)
    assert refused.reason.endswith("; what closes may leave")


def test_closes_of_one_wakeup_add_up_to_no_more_than_the_position() -> None:
    risk, view = halted()
    five = [order(-1_000, id=n) for n in range(1, 6)]
    stamped = risk.stamp(five, view, TERMS)
    assert [item.order.id for item in stamped.approved] == [1]
    assert [r.reason.startswith(LOST) for r in stamped.refused] == [True] * 4
    assert left(risk, view, order(-600), order(-600, id=2), order(-1, id=3)) == [-600, -400]


def test_a_second_close_is_refused_while_the_first_one_works() -> None:
    risk, view = halted()
    view.pending = {(MODEL, PERP): -1_000}
    assert left(risk, view, order(-1_000)) == []
    view.pending = {(MODEL, PERP): -300}
    assert left(risk, view, order(-700)) == [-700]
    assert left(risk, view, order(-701)) == [-700]


def test_what_is_still_to_be_bought_does_not_make_room_to_sell() -> None:
    """Long 1,000 with 500 to be bought and 300 to be sold: 700 are held in any case."""
    risk, view = halted()
    view.pending, view.sales = {(MODEL, PERP): 200}, {(MODEL, PERP): -300}
    assert left(risk, view, order(-701)) == [-700]
    assert left(risk, view, order(-700)) == [-700]


def test_reversals_do_not_pile_up_on_any_day() -> None:
    """30 % of 100,000 at 5 x are 3,000 lots; at first 1,000 are long, so 4,000 can be sold."""
    view, risk = Account(held={(MODEL, PERP): 1_000}), manager()
    for n in range(40):
        sold = sum(left(risk, view, order(-2_000, id=n + 1)))
        view.pending[MODEL, PERP] = view.working(MODEL, PERP) + sold
        view.now += HOUR
    assert view.pending == {(MODEL, PERP): -4_000}


def test_orders_on_both_sides_do_not_hide_one_another() -> None:
    """Buys and sells of 3,000 each come to nothing only if both fill."""
    view = Account(pending={(MODEL, PERP): 0}, sales={(MODEL, PERP): -3_000})
    refused = manager().stamp([order(-10)], view, TERMS).refused
    assert "initial margin 30100.00 above 30000.00" in refused[0].reason
    assert left(manager(), view, order(-10), order(10)) == []


def test_a_flip_counts_as_an_order_that_grows() -> None:
    risk = manager(orders_per_wake=1)
    view = Account(held={(MODEL, PERP): 100})
    first = order(50, allocations=(Allocation(CARRY, 50),))
    stamped = risk.stamp([first, order(-200, id=2)], view, TERMS)
    assert stamped.refused[0].reason.startswith("order_rate: ")
    assert [item.order.quantity for item in stamped.approved] == [50, 100]


def test_reduce_only_does_not_let_a_sleeve_close_twice() -> None:
    """The venue bounds it by the account's position, which is another sleeve's as well."""
    risk, view = halted(500)
    view.held[CARRY, PERP] = 500
    twice = [order(-500, id=n, reduce_only=True) for n in (1, 2)]
    assert left(risk, view, *twice) == [-500]


def test_of_an_order_of_two_sleeves_only_what_closes_leaves() -> None:
    risk, view = halted(500)
    parts = (Allocation(CARRY, -300), Allocation(MODEL, -900))
    stamped = risk.stamp([order(-1_200, allocations=parts)], view, TERMS)
    assert stamped.approved[0].order.allocations == (Allocation(MODEL, -500),)
    view.held[CARRY, PERP] = 900
    parts = (Allocation(CARRY, -300), Allocation(MODEL, -900))
    stamped = risk.stamp([order(-1_200, allocations=parts)], view, TERMS)
    assert stamped.approved[0].order.quantity == 800
    parts = (Allocation(CARRY, 700), Allocation(MODEL, -900))
    stamped = risk.stamp([order(-200, allocations=parts)], view, TERMS)
    assert stamped.approved[0].order.allocations == (Allocation(MODEL, -500),)


def test_a_close_of_the_other_side_than_the_order_leaves_on_its_own_side() -> None:
    """A hedge that is closed goes with its spot leg, whatever another sleeve wanted to open."""
    risk, view = halted(-500)
    parts = (Allocation(CARRY, -900), Allocation(MODEL, 400))
    asked = order(-500, allocations=parts)
    stamped = risk.stamp([asked], view, TERMS)
    (item,) = stamped.approved
    assert item.order == asked._replace(
        side=Side.BUY, quantity=400, allocations=(Allocation(MODEL, 400),)
    )
    (refused,) = stamped.refused
    assert refused.order == asked
    assert refused.reason.startswith(LOST)
    (only,) = risk.stamp([asked._replace(reduce_only=True)], view, TERMS).approved
    assert only.order == item.order  # reduce-only was meant for the other side


@pytest.mark.parametrize(
    ("kind", "px"), [(OrderType.LIMIT, 5_000_000), (OrderType.POST_ONLY, 5_000_000)]
)
def test_a_price_of_one_side_is_not_sent_on_the_other(kind: OrderType, px: int) -> None:
    risk, view = halted(-500)
    parts = (Allocation(CARRY, -900), Allocation(MODEL, 400))
    asked = order(-500, allocations=parts, type=kind, price=px)
    assert risk.stamp([asked], view, TERMS).approved == ()


def test_a_cross_that_takes_a_sleeve_past_flat_is_refused_whole() -> None:
    risk, view = halted(-100)
    view.held[CARRY, PERP] = 900
    stamped = risk.stamp([], view, TERMS, [cross(200)])
    assert (stamped.crosses, stamped.approved) == ((), ())
    assert len(risk.stamp([], view, TERMS, [cross(100)]).crosses) == 1


def test_more_spot_than_is_held_is_not_sold_in_part() -> None:
    view = Account(held={(CARRY, SPOT): 50_000})
    part = (Allocation(CARRY, -50_001),)
    stamped = manager().stamp([order(-50_001, instrument=SPOT, allocations=part)], view, TERMS)
    assert stamped.approved == ()


def test_a_flip_that_goes_with_a_refused_leg_still_closes() -> None:
    risk, view = manager(), Account(held={(MODEL, PERP): 500})
    spot = order(50_000, instrument=SPOT, allocations=(Allocation(MODEL, 50_000),))
    stamped = risk.stamp([spot, order(-900, id=2)], view, TERMS)
    assert [r.order for r in stamped.refused] == [spot, order(-900, id=2)]
    assert [item.order.allocations for item in stamped.approved] == [(Allocation(MODEL, -500),)]


def test_stops_of_one_wakeup_protect_a_position_once() -> None:
    risk, view = halted()
    stop = order(-1_000, type=OrderType.STOP_MARKET, stop=4_900_000)
    assert left(risk, view, stop, stop._replace(id=2)) == [-1_000]
    assert left(risk, view, order(-1_000), stop._replace(id=2)) == [-1_000, -1_000]


def test_a_reversal_decided_before_the_halt_only_closes_after_it() -> None:
    """The cancel of a resting purchase is not answered before 3 % of the day are lost."""
    view, orders, risk = Account(held={(MODEL, PERP): 500}), OrderManager(), manager()
    netting = Netting(NettingConfig(), SLEEVES, orders)

    def wake(*targets: Target, is_timer: bool = True) -> list[tuple[int, int]]:
        view.pending = {(s, PERP): orders.working(s, PERP) for s in (CARRY, MODEL)}
        view.sales = {(s, PERP): orders.selling(s, PERP) for s in (CARRY, MODEL)}
        risk.observe(view)
        wanted = risk.shrink(targets, view, TERMS)
        plan = netting.plan(wanted, view, TERMS, is_timer=is_timer)
        for cancel in plan.cancels:
            orders.cancel(cancel.order_id)
        stamped = risk.stamp(plan.orders, view, TERMS, plan.crosses)
        netting.on_refused(stamped.refused, view)
        for item in stamped.approved:
            orders.place(item.order)
        return [(i.order.id, i.order.allocations[0].quantity) for i in stamped.approved]

    (buy, _) = wake(Target(view.now, "model", PERP, 700, 4_900_000, "grow"))
    assert buy == (1, 200)
    view.now += HOUR
    assert wake(Target(view.now, "model", PERP, -500, 5_100_000, "reverse")) == []
    view.equity = 96_500.0
    for number in [n for n, state in orders.live.items() if state.is_cancelling]:
        orders.on_cancelled(number)
    ((close, quantity),) = wake(is_timer=False)
    assert quantity == -500
    orders.on_fill(close, 500)
    view.held[MODEL, PERP] = 0
    assert wake(is_timer=False) == []
    view.now += HOUR
    assert wake() == []
