"""Netting: sleeves' targets into orders, crosses and stops."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto_quant.core.messages import Allocation, OrderType, Refused, Side, Target
from crypto_quant.execution.netting import NO_PLAN, Netting, NettingConfig, Plan, Style
from crypto_quant.execution.netting.split import crossed, on_lot
from crypto_quant.execution.order_manager import OrderManager
from tests.unit.strategy.account import CARRY, HOUR, MODEL, PERP, SLEEVES, SPOT, TERMS, Account


class Desk:
    """A venue of one account: carries plans out, fills what it is told to."""

    def __init__(self, **config: object) -> None:
        self.view = Account()
        self.orders = OrderManager()
        self.netting = Netting(NettingConfig.model_validate(config), SLEEVES, self.orders)

    def plan(self, *targets: Target, is_timer: bool = True) -> Plan:
        """Plan, and take up what was planned as if risk approved all of it."""
        self._show_working()
        plan = self.netting.plan(targets, self.view, TERMS, is_timer=is_timer)
        for cancel in plan.cancels:
            self.orders.cancel(cancel.order_id)
        for cross in plan.crosses:
            self._book(cross.instrument, [(a.sleeve, a.quantity) for a in cross.allocations])
        for order in plan.orders:
            self.orders.place(order)
        self._show_working()
        return plan

    def fill(self, order_id: int, quantity: int | None = None) -> None:
        """Fill an order of one sleeve in part, or any order in full."""
        order = self.orders.live[order_id].order
        parts = list(order.allocations)
        if quantity is not None:
            side = 1 if order.side is Side.BUY else -1
            parts = [Allocation(order.allocations[0].sleeve, side * quantity)]
        self.orders.on_fill(order_id, quantity or order.quantity)
        self._book(order.instrument, [(a.sleeve, a.quantity) for a in parts])

    def _book(self, instrument: int, parts: Sequence[tuple[int, int]]) -> None:
        for sleeve, quantity in parts:
            key = (sleeve, instrument)
            self.view.held[key] = self.view.held.get(key, 0) + quantity

    def _show_working(self) -> None:
        self.view.pending = {
            (s, i): self.orders.working(s, i) for s in (CARRY, MODEL) for i in (SPOT, PERP)
        }


def want(
    quantity: int, stop: int | None = None, sleeve: str = "model", instrument: int = PERP
) -> Target:
    return Target(0, sleeve, instrument, quantity, stop, f"{sleeve} wants {quantity}")


def test_target_becomes_one_market_order() -> None:
    (order,) = Desk().plan(want(500, 4_900_000)).orders
    assert (order.side, order.quantity, order.type) == (Side.BUY, 500, OrderType.MARKET)
    assert order.allocations == (Allocation(MODEL, 500),)
    assert not order.reduce_only
    assert order.reason == "model wants 500"


def test_only_the_net_of_two_sleeves_is_traded() -> None:
    plan = Desk().plan(want(500, 4_900_000), want(-300, sleeve="carry"))
    (order,) = plan.orders
    assert (order.side, order.quantity) == (Side.BUY, 200)
    assert order.allocations == (Allocation(CARRY, -300), Allocation(MODEL, 500))
    assert plan.crosses == ()


def test_sleeves_that_cancel_out_trade_with_one_another() -> None:
    desk = Desk()
    plan = desk.plan(want(300, 4_900_000), want(-300, sleeve="carry"))
    assert plan.orders == ()
    (cross,) = plan.crosses
    assert cross.allocations == (Allocation(CARRY, -300), Allocation(MODEL, 300))
    assert cross.px == 5_000_000
    (stop,) = desk.plan().orders  # the cross gave the model a position to protect
    assert (stop.type, stop.quantity, stop.stop) == (OrderType.STOP_MARKET, 300, 4_900_000)
    assert not stop.reduce_only  # the account itself is flat


def test_net_too_small_for_the_venue_is_crossed_as_far_as_it_cancels() -> None:
    plan = Desk().plan(want(301, 4_900_000), want(-300, sleeve="carry"))
    assert plan.orders == ()
    assert plan.crosses[0].allocations == (Allocation(CARRY, -300), Allocation(MODEL, 300))


def test_nothing_is_planned_while_nothing_changes() -> None:
    desk = Desk()
    assert desk.plan() is NO_PLAN
    (order,) = desk.plan(want(500, 4_900_000)).orders
    assert desk.plan() is NO_PLAN
    desk.fill(order.id)
    assert len(desk.plan(is_timer=False).orders) == 1  # the stop
    assert desk.plan() is NO_PLAN


def test_stop_rests_after_the_fill_and_follows_the_position() -> None:
    desk = Desk()
    (order,) = desk.plan(want(500, 4_900_000)).orders
    desk.fill(order.id, 200)
    (stop,) = desk.plan(is_timer=False).orders
    assert (stop.side, stop.quantity, stop.stop, stop.reduce_only) == (
        Side.SELL,
        200,
        4_900_000,
        True,
    )
    desk.fill(order.id, 300)
    plan = desk.plan(is_timer=False)
    assert [c.order_id for c in plan.cancels] == [stop.id]
    assert plan.orders[0].quantity == 500


def test_stop_is_taken_back_with_the_close_and_rests_again_if_it_fails() -> None:
    desk = Desk()
    (order,) = desk.plan(want(500, 4_900_000)).orders
    desk.fill(order.id)
    (stop,) = desk.plan(is_timer=False).orders
    plan = desk.plan(want(0))
    assert [c.order_id for c in plan.cancels] == [stop.id]
    (close,) = plan.orders
    assert close.reduce_only
    desk.orders.on_cancelled(stop.id)
    desk.orders.on_reject(close.id, "venue busy")
    (again,) = desk.plan(is_timer=False).orders
    assert (again.type, again.stop) == (OrderType.STOP_MARKET, 4_900_000)
    retry = desk.plan(is_timer=True)  # the clock asks for the close again
    assert [o.type for o in retry.orders] == [OrderType.MARKET]
    assert [c.order_id for c in retry.cancels] == [again.id]


def test_stopped_sleeve_does_not_buy_again() -> None:
    desk = Desk()
    (order,) = desk.plan(want(500, 4_900_000)).orders
    desk.fill(order.id)
    (stop,) = desk.plan(is_timer=False).orders
    desk.fill(stop.id, 100)  # triggered, filled in part
    assert desk.plan(is_timer=False) == Plan((), (), ())
    assert desk.plan(is_timer=True) == NO_PLAN
    desk.fill(stop.id, 400)
    assert desk.plan(is_timer=False) == Plan((), (), ())
    assert desk.plan(is_timer=True) == NO_PLAN


@pytest.mark.parametrize("side", [1, -1])
def test_position_that_stays_keeps_its_stop_where_its_target_names_none(side: int) -> None:
    desk, stop = Desk(), 5_000_000 - side * 100_000
    (order,) = desk.plan(want(side * 500, stop)).orders
    desk.plan(want(side * 500))  # before the first one is filled: it is on its way
    desk.fill(order.id)
    (resting,) = desk.plan(is_timer=False).orders
    assert (resting.stop, resting.quantity) == (stop, 500)
    (less,) = (o for o in desk.plan(want(side * 300)).orders if o.stop is None)
    desk.fill(less.id)
    desk.orders.on_cancelled(resting.id)
    (moved,) = desk.plan(is_timer=False).orders
    assert (moved.stop, moved.quantity) == (stop, 300)
    assert desk.netting.stop_px(MODEL, PERP, side * 300) == stop
    assert desk.netting.stop_px(MODEL, PERP, -side * 300) is None


def test_stop_of_a_position_that_is_gone_does_not_come_back_with_the_next_one() -> None:
    desk = Desk()
    (order,) = desk.plan(want(500, 4_900_000)).orders
    desk.fill(order.id)
    (stop,) = desk.plan(is_timer=False).orders
    desk.fill(stop.id)
    desk.plan(is_timer=False)
    (again,) = desk.plan(want(500)).orders
    desk.fill(again.id)
    assert desk.plan(is_timer=False).orders == ()
    assert desk.netting.stop_px(MODEL, PERP, 500) is None


def test_position_whose_close_is_called_off_has_its_stop_again() -> None:
    """What works would close it, so nothing is headed for; but it is held."""
    desk = Desk()
    (order,) = desk.plan(want(500, 4_900_000)).orders
    desk.fill(order.id)
    (stop,) = desk.plan(is_timer=False).orders
    (close,) = desk.plan(want(0)).orders
    desk.orders.on_cancelled(stop.id)
    desk.plan(want(500))
    desk.orders.on_cancelled(close.id)
    (again,) = desk.plan(is_timer=False).orders
    assert (again.type, again.stop, again.quantity) == (OrderType.STOP_MARKET, 4_900_000, 500)


def test_stop_rests_again_where_a_reversal_failed() -> None:
    desk = Desk()
    (order,) = desk.plan(want(500, 4_900_000)).orders
    desk.fill(order.id)
    (stop,) = desk.plan(is_timer=False).orders
    (turn,) = desk.plan(want(-400, 5_100_000)).orders
    desk.orders.on_cancelled(stop.id)
    desk.orders.on_reject(turn.id, "busy")
    (again,) = desk.plan(is_timer=False).orders
    assert (again.stop, again.allocations) == (4_900_000, (Allocation(MODEL, -500),))


def test_reversal_on_its_way_is_not_taken_back_where_the_price_passes_the_old_stop() -> None:
    desk = Desk()
    (order,) = desk.plan(want(500, 4_900_000)).orders
    desk.fill(order.id)
    (stop,) = desk.plan(is_timer=False).orders
    (turn,) = desk.plan(want(-400, 5_100_000)).orders
    desk.view.prices[PERP] = 4_890_000
    desk.orders.on_cancelled(stop.id)
    assert desk.plan(is_timer=False) == Plan((), (), ())
    desk.fill(turn.id)
    (new,) = desk.plan(is_timer=False).orders
    assert (new.stop, new.allocations) == (5_100_000, (Allocation(MODEL, 400),))


def test_price_beyond_the_stop_closes_at_once() -> None:
    desk = Desk()
    (order,) = desk.plan(want(500, 4_900_000)).orders
    desk.fill(order.id)
    desk.view.prices[PERP] = 4_899_990
    (close,) = desk.plan(is_timer=False).orders
    assert (close.side, close.quantity, close.type) == (Side.SELL, 500, OrderType.MARKET)


def test_growth_that_falls_short_is_not_chased() -> None:
    desk = Desk()
    (order,) = desk.plan(want(500, 4_900_000)).orders
    desk.fill(order.id, 200)
    desk.orders.on_cancelled(order.id)  # the bar had no more volume
    plan = desk.plan(is_timer=False)
    assert [o.type for o in plan.orders] == [OrderType.STOP_MARKET]
    desk.view.now += HOUR
    assert desk.plan() is NO_PLAN


def test_reversal_that_is_rejected_closes_at_the_next_clock() -> None:
    desk = Desk()
    (order,) = desk.plan(want(500, 4_900_000)).orders
    desk.fill(order.id)
    desk.plan(is_timer=False)
    (turn,) = desk.plan(want(-400, 5_100_000)).orders
    assert (turn.side, turn.quantity, turn.reduce_only) == (Side.SELL, 900, False)
    desk.orders.on_reject(turn.id, "busy")
    desk.plan(is_timer=False)
    (close,) = desk.plan(is_timer=True).orders
    assert (close.side, close.quantity, close.reduce_only) == (Side.SELL, 500, True)


def test_changed_target_cancels_first_and_orders_when_it_is_gone() -> None:
    desk = Desk()
    (order,) = desk.plan(want(500, 4_900_000)).orders
    plan = desk.plan(want(200, 4_900_000))
    assert [c.order_id for c in plan.cancels] == [order.id]
    assert plan.orders == ()
    assert desk.plan(want(200, 4_900_000)).cancels == ()  # once is enough
    desk.orders.on_cancelled(order.id)
    (new,) = desk.plan(is_timer=False).orders
    assert new.quantity == 200


def test_refused_growth_is_given_up_and_a_refused_close_is_repeated() -> None:
    desk = Desk()
    (order,) = desk.plan(want(500, 4_900_000)).orders
    desk.orders.on_cancelled(order.id)
    desk.netting.on_refused([Refused(order, "limit")], desk.view)
    desk.plan()
    assert desk.plan() is NO_PLAN
    desk.view.held[MODEL, PERP] = 500
    (close,) = desk.plan(want(0)).orders
    desk.orders.cancel(close.id)
    desk.orders.on_cancelled(close.id)
    desk.netting.on_refused([Refused(close, "venue")], desk.view)
    (again,) = desk.plan().orders
    assert (again.side, again.quantity) == (Side.SELL, 500)


def test_close_that_would_open_the_account_is_not_reduce_only() -> None:
    """The model is long 500 while the account, with carry short 500, is flat."""
    desk = Desk()
    desk.view.held = {(MODEL, PERP): 500, (CARRY, PERP): -500}
    (close,) = desk.plan(want(0)).orders
    assert (close.quantity, close.reduce_only) == (500, False)


def test_spot_dust_is_left_and_contract_dust_is_closed() -> None:
    desk = Desk()
    desk.view.held = {(CARRY, SPOT): 10, (MODEL, PERP): 1}
    plan = desk.plan(want(0), want(0, sleeve="carry", instrument=SPOT))
    assert [(o.instrument, o.quantity) for o in plan.orders] == [(PERP, 1)]


def test_joining_sleeve_rests_at_its_side_and_moves_on() -> None:
    desk = Desk(styles={"model": Style.JOIN}, join_ms=1_000)
    desk.view.bids[PERP], desk.view.asks[PERP] = 4_999_994, 5_000_001
    (order,) = desk.plan(want(10, 4_990_000)).orders
    assert (order.type, order.price) == (OrderType.POST_ONLY, 4_999_990)
    desk.view.now += 999 * 10**6
    assert desk.plan() is NO_PLAN
    desk.view.now += 10**6
    assert [c.order_id for c in desk.plan().cancels] == [order.id]
    desk.view.bids[PERP] = 4_999_000
    desk.orders.on_cancelled(order.id)
    (moved,) = desk.plan(is_timer=False).orders
    assert moved.price == 4_999_000
    desk.fill(moved.id)
    desk.plan(is_timer=False)
    (close,) = desk.plan(want(0)).orders
    assert close.type is OrderType.MARKET  # leaving does not wait


def test_join_sells_at_the_best_ask_rounded_away() -> None:
    desk = Desk(styles={"model": Style.JOIN})
    desk.view.bids[PERP], desk.view.asks[PERP] = 4_999_994, 5_000_001
    (order,) = desk.plan(want(-10, 5_010_000)).orders
    assert order.price == 5_000_010


def test_reset_forgets_everything() -> None:
    desk = Desk()
    (order,) = desk.plan(want(500, 4_900_000)).orders
    desk.fill(order.id)
    desk.netting.reset()
    desk.view.held.clear()
    assert desk.plan() is NO_PLAN


WISHES = st.dictionaries(st.integers(0, 5), st.integers(-10_000, 10_000), max_size=6)


@given(WISHES, st.integers(1, 50))
def test_lot_rounding_keeps_sides_and_rounds_the_net_towards_zero(
    wishes: dict[int, int], lot: int
) -> None:
    parts = on_lot(wishes, lot)
    net, asked = sum(parts.values()), sum(wishes.values())
    assert net % lot == 0
    assert 0 <= abs(asked) - abs(net) < lot
    assert net * asked >= 0
    assert sum(abs(wishes[s] - parts.get(s, 0)) for s in wishes) < lot


@given(WISHES)
def test_cross_adds_up_to_zero_and_gives_nobody_more_than_wished(wishes: dict[int, int]) -> None:
    parts = crossed(wishes)
    assert sum(parts.values()) == 0
    for sleeve, part in parts.items():
        assert part * wishes[sleeve] > 0
        assert abs(part) <= abs(wishes[sleeve])
    left = [wish - parts.get(s, 0) for s, wish in wishes.items()]
    assert all(x >= 0 for x in left) or all(x <= 0 for x in left)


TARGETS = st.tuples(
    st.sampled_from(SLEEVES), st.integers(-3_000, 3_000), st.sampled_from([None, 400_000])
)


@settings(deadline=None)
@given(st.lists(TARGETS, min_size=1, max_size=12), st.data())
def test_positions_come_to_the_targets_and_stops_to_the_positions(
    asked: list[tuple[str, int, int | None]], data: st.DataObject
) -> None:
    """Any sequence of targets, any order of full fills: allocations add up, all comes to rest."""
    desk = Desk()
    last = {}
    for sleeve, quantity, distance in asked:
        stop = None
        if distance is not None and quantity:
            stop = 5_000_000 - distance if quantity > 0 else 5_000_000 + distance
        last[sleeve] = (quantity, stop)
        _check(desk.plan(want(quantity, stop, sleeve)))
        for _ in range(data.draw(st.integers(0, 2))):
            _answer(desk, data)
    for _ in range(40):
        _answer(desk, data)
        _check(desk.plan(is_timer=True))
    for n, sleeve in enumerate(SLEEVES):
        if sleeve not in last:
            continue
        quantity, stop = last[sleeve]
        held = desk.view.position(n, PERP)
        assert abs(held - quantity) * 50 < 100  # up to what the venue is too coarse for
        resting = desk.orders.stop_of(n, PERP)
        if stop is not None and held * quantity > 0:
            assert resting is not None
            assert (resting.order.stop, resting.order.allocations) == (
                stop,
                (Allocation(n, -held),),
            )
        elif held == 0:
            assert resting is None


def _check(plan: Plan) -> None:
    for order in plan.orders:
        net = sum(part.quantity for part in order.allocations)
        assert abs(net) == order.quantity > 0
        assert (net > 0) == (order.side is Side.BUY)
    for cross in plan.crosses:
        assert sum(part.quantity for part in cross.allocations) == 0


def _answer(desk: Desk, data: st.DataObject) -> None:
    """Answer one live order: a cancel that was asked for, or a full fill (stops rest)."""
    waiting = [s for s in desk.orders.live.values() if s.is_cancelling or not s.is_stop]
    if not waiting:
        return
    state = data.draw(st.sampled_from(waiting))
    if state.is_cancelling:
        desk.orders.on_cancelled(state.order.id)
    else:
        desk.fill(state.order.id)
    _check(desk.plan(is_timer=False))


@pytest.mark.parametrize("quantity", [1, -1])
def test_order_below_the_smallest_notional_is_not_made(quantity: int) -> None:
    assert Desk().plan(want(quantity, 4_900_000 if quantity > 0 else 5_100_000)).orders == ()
