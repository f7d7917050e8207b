"""Whatever a loop of calls does, it gets an answer or one error, and its books add up."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from crypto_quant.backtesting.simulator import OrderType, Simulator, TimeInForce
from crypto_quant.core.errors import StrategyError
from tests.unit.backtesting.simulator.markets import MS, market, simulator

TICKS = st.sampled_from([599_990, 599_999, 600_000, 600_001, 600_002, 600_010, 0, -1])
LOTS = st.sampled_from([1, 2, 10, 300, 900, 0, -5])
CALLS = st.one_of(
    st.tuples(
        st.sampled_from(["buy", "sell"]),
        st.integers(0, 40),
        TICKS,
        LOTS,
        st.sampled_from(TimeInForce),
        st.sampled_from(OrderType),
    ),
    st.tuples(st.just("cancel"), st.integers(0, 40)),
    st.tuples(st.just("modify"), st.integers(0, 40), TICKS, LOTS),
    st.tuples(st.just("elapse"), st.integers(0, 400)),
    st.tuples(st.just("wait"), st.integers(0, 40), st.integers(0, 400)),
    st.tuples(st.just("clear")),
)
PRINTS = st.lists(
    st.tuples(
        st.integers(20, 3_000),
        st.sampled_from([1, -1]),
        st.sampled_from([599_990, 600_000, 600_001, 600_010]),
        st.integers(1, 900),
    ),
    max_size=20,
)


def do(made: Simulator, call: tuple[object, ...]) -> str | None:
    """Make one call; return what is said against one that cannot be one."""
    name, *given = call
    calls: dict[str, Callable[..., object]] = {
        "buy": lambda *a: made.submit_buy_order(0, *a),
        "sell": lambda *a: made.submit_sell_order(0, *a),
        "cancel": lambda *a: made.cancel(0, *a),
        "modify": lambda *a: made.modify(0, *a),
        "elapse": lambda ms: made.elapse(ms * MS),
        "wait": lambda order, ms: made.wait_order_response(0, order, ms * MS),
        "clear": made.clear_inactive_orders,
    }
    try:
        calls[str(name)](*given)
    except StrategyError as err:
        return str(err)
    return None


@settings(max_examples=150, deadline=None)
@given(st.lists(CALLS, max_size=60), PRINTS)
def test_books_add_up(calls: list[tuple[object, ...]], prints: list[tuple[int, ...]]) -> None:
    trades = tuple((ms, side, px, qty) for ms, side, px, qty in sorted(prints))
    made = simulator(market(trades=trades))
    for call in calls:
        said = do(made, call)
        assert said is None or (", event " in said and "\n" not in said)
        orders = made.orders(0).values()
        assert all(order.exec_qty + order.leaves_qty == order.qty for order in orders)
        assert all(order.exec_qty == order.qty for order in orders if order.status == "filled")
    while made.elapse(1_000 * MS):
        pass
    fills, sums = made.fills(), made.state_values(0)
    assert made.position(0) == sums.position == 0
    assert sum(fill.side * fill.qty for fill in fills) == 0
    unit = Decimal("0.0001")  # a tick of a lot
    assert sums.balance == -sum(f.side * f.price_tick * f.qty for f in fills) * unit
    assert sums.trading_value == sum(f.price_tick * f.qty for f in fills) * unit
    assert sums.num_trades == len(fills)
    assert sums.trading_volume == sum(fill.qty for fill in fills)
    assert made.equity() == 100_000 + sums.balance - sums.fee
