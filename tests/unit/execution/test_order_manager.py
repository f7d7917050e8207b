"""Orders folded from commands and answers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto_quant.core.errors import InvariantError
from crypto_quant.core.messages import (
    RISK_SEAL,
    Allocation,
    Amend,
    Cancel,
    Order,
    OrderType,
    Place,
    Side,
    approve,
)
from crypto_quant.core.messages import OrderStatus as Status
from crypto_quant.execution.order_manager import OrderManager


def _order(orders: OrderManager, *parts: int, stop: int | None = None) -> Order:
    """Return an order of sleeves 0, 1, … on instrument 1, numbered and placed."""
    net = sum(parts)
    made = Order(
        0,
        orders.next_id(),
        1,
        Side.BUY if net > 0 else Side.SELL,
        abs(net),
        OrderType.MARKET if stop is None else OrderType.STOP_MARKET,
        None,
        stop,
        False,
        tuple(Allocation(n, part) for n, part in enumerate(parts) if part),
        "test",
    )
    orders.place(made)
    return made


def test_order_lives_from_new_to_filled() -> None:
    orders = OrderManager()
    made = _order(orders, 10)
    state = orders.live[made.id]
    assert state.status is Status.NEW
    orders.on_ack(made.id)
    assert state.status.value == "working"
    orders.on_fill(made.id, 4)
    assert state.status.value == "partially_filled"
    assert (orders.working(0, 1), state.remaining) == (6, 6)
    orders.on_ack(made.id)  # a late ack is no step back
    assert state.status.value == "partially_filled"
    orders.on_fill(made.id, 6)
    assert state.status.value == "filled"
    assert orders.live == {}
    assert orders.working(0, 1) == 0
    assert orders.ended == [state]
    assert orders.touched == {1}


@pytest.mark.parametrize("end", ["cancelled", "expired", "rejected"])
def test_what_a_dead_order_left_is_no_longer_working(end: str) -> None:
    orders = OrderManager()
    made = _order(orders, 10, -4)
    orders.on_fill(made.id, 3)
    state = orders.live[made.id]
    if end == "cancelled":
        orders.cancel(made.id)
    if end != "rejected":
        orders.on_cancelled(made.id)
    else:
        orders.on_reject(made.id, "expired")
    assert (orders.working(0, 1), orders.working(1, 1)) == (0, 0)
    assert state.status.value == end
    orders.on_cancelled(made.id)  # a second answer is no news
    assert orders.ended == [state]


def test_refused_cancel_leaves_the_order_resting() -> None:
    orders = OrderManager()
    made = _order(orders, -5, stop=90)
    orders.on_ack(made.id)
    orders.cancel(made.id)
    assert orders.stop_of(0, 1) is None
    orders.on_reject(made.id, "cannot be cancelled")
    assert orders.stop_of(0, 1) is orders.live[made.id]


def test_resting_stop_does_not_count_as_working_and_a_triggered_one_does() -> None:
    orders = OrderManager()
    made = _order(orders, -5, stop=90)
    assert orders.working(0, 1) == 0
    orders.on_fill(made.id, 2)
    assert orders.working(0, 1) == -3
    orders.on_fill(made.id, 3)
    assert orders.working(0, 1) == 0
    assert orders.stop_of(0, 1) is None


def test_impossible_fills_stop_everything() -> None:
    orders = OrderManager()
    made = _order(orders, 5)
    with pytest.raises(InvariantError, match="expected 1 to 5"):
        orders.on_fill(made.id, 6)
    with pytest.raises(InvariantError, match="not live"):
        orders.on_fill(99, 1)
    with pytest.raises(InvariantError, match="placed twice"):
        orders.place(made)


def test_partial_fills_are_taken_from_each_sleeve_by_hand() -> None:
    """Buy 3 net of +5 and -2: of 1 filled the first has 5/3 = 2 rounded, the other -1."""
    orders = OrderManager()
    made = _order(orders, 5, -2)
    orders.on_fill(made.id, 1)
    assert (orders.working(0, 1), orders.working(1, 1)) == (3, -1)
    orders.on_fill(made.id, 1)  # of 2 the first has 10/3 = 3, the other -1
    assert (orders.working(0, 1), orders.working(1, 1)) == (2, -1)


@given(st.lists(st.integers(-1_000, 1_000), min_size=1, max_size=4), st.data())
def test_working_adds_up_to_what_is_not_filled_and_ends_at_nothing(
    parts: list[int], data: st.DataObject
) -> None:
    net = sum(parts)
    if net == 0 or not all(parts):
        return
    orders = OrderManager()
    made = _order(orders, *parts)
    cuts = data.draw(st.sets(st.integers(1, abs(net)), max_size=6))
    before, last = 0, parts
    for filled in sorted(cuts | {abs(net)}):
        orders.on_fill(made.id, filled - before)
        before = filled
        left = [orders.working(sleeve, 1) for sleeve in range(len(parts))]
        assert sum(left) == (abs(net) - filled) * (1 if net > 0 else -1)
        for part, mine, had in zip(parts, left, last, strict=True):
            assert 0 <= mine * (1 if part > 0 else -1) <= abs(had)
            assert abs(mine - part * (1 - filled / abs(net))) < 1.5
        last = left
    assert not any(left)


def test_ids_are_the_same_in_the_same_run_and_go_on_after_a_reset() -> None:
    first, second = OrderManager(), OrderManager()
    assert [first.next_id() for _ in range(3)] == [second.next_id() for _ in range(3)]
    first.reset()
    assert first.next_id() == 4


def test_sales_are_told_from_purchases_of_the_same_sleeve() -> None:
    orders = OrderManager()
    bought, sold = _order(orders, 10), _order(orders, -4)
    assert (orders.working(0, 1), orders.selling(0, 1)) == (6, -4)
    orders.on_fill(sold.id, 1)
    orders.on_fill(bought.id, 10)
    assert (orders.working(0, 1), orders.selling(0, 1)) == (-3, -3)
    orders.on_cancelled(sold.id)
    assert (orders.working(0, 1), orders.selling(0, 1)) == (0, 0)
    _order(orders, -4)
    orders.reset()
    assert orders.selling(0, 1) == 0


def _quote(orders: OrderManager, quantity: int, px: int) -> Order:
    """Return a quote of sleeve 0 on instrument 1, numbered and placed; ``quantity`` is signed."""
    side = Side.BUY if quantity > 0 else Side.SELL
    part = (Allocation(0, quantity),)
    kind = OrderType.POST_ONLY
    number, size = orders.next_id(), abs(quantity)
    made = Order(0, number, 1, side, size, kind, px, None, False, part, "test", is_quote=True)
    orders.take_up((Place(approve([made], (), RISK_SEAL)[0]),))
    return made


def test_quotes_work_beside_what_is_on_its_way_to_a_position() -> None:
    orders = OrderManager()
    _order(orders, 3)
    bid, ask = _quote(orders, 10, 90), _quote(orders, -7, 110)
    assert (orders.working(0, 1), orders.selling(0, 1), orders.taking(0, 1)) == (6, -7, 3)
    orders.on_ack(bid.id)
    orders.on_fill(bid.id, 4)
    orders.take_up((Cancel(ask.id, "test"),))
    orders.on_cancelled(ask.id)
    assert (orders.working(0, 1), orders.selling(0, 1), orders.taking(0, 1)) == (9, 0, 3)
    assert orders.quotes.live() == [(bid.id, 0, 1, 90, 10, 4, False, None)]
    assert (orders.is_touched, orders.take_touched(), orders.is_touched) == (True, {1}, False)


def test_a_sale_that_gets_smaller_is_no_longer_sold_in_full() -> None:
    orders = OrderManager()
    ask = _quote(orders, -10, 110)
    smaller = ask.sized(6)
    orders.take_up((Amend(approve([smaller], (), RISK_SEAL)[0]),))
    assert orders.quotes.live() == [(ask.id, 0, 1, -110, 10, 0, False, 6)]
    orders.on_amended(ask.id, 6)
    assert (orders.working(0, 1), orders.selling(0, 1)) == (-6, -6)
    orders.on_fill(ask.id, 6)
    assert (orders.working(0, 1), orders.selling(0, 1)) == (0, 0)


def test_impossible_quotes_stop_everything() -> None:
    orders = OrderManager()
    bid = _quote(orders, 10, 90)
    with pytest.raises(InvariantError, match="expected 1 to 10"):
        orders.on_fill(bid.id, 11)
    with pytest.raises(InvariantError, match="placed twice"):
        orders.take_up((Place(approve([bid], (), RISK_SEAL)[0]),))
    with pytest.raises(InvariantError, match="live quote at that price"):
        _quote(orders, 10, 90)
    with pytest.raises(InvariantError, match="positive price"):
        _quote(orders, 10, 0)
    with pytest.raises(InvariantError, match="order 4: what its side may trade"):
        _quote(orders, 2**63 - 1, 80)
    unnumbered = bid._replace(id=99, price=80)
    with pytest.raises(InvariantError, match="order 99 was never numbered"):
        orders.take_up((Place(approve([unnumbered], (), RISK_SEAL)[0]),))
    orders.quotes.count(0, 1, 2**63 - 1, False)
    with pytest.raises(InvariantError, match="orders may trade is"):
        orders.quotes.count(0, 1, 1, False)
