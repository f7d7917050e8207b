"""On a halted day no sequence of approvals takes a position up or past flat, whatever fills."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from crypto_quant.core.ledger import prorate
from crypto_quant.core.messages import Allocation, Order, OrderType, Side
from crypto_quant.execution.order_manager import OrderManager
from tests.unit.strategy.account import CARRY, MODEL, PERP, TERMS, Account
from tests.unit.strategy.test_risk_manager import manager

PARTS = st.integers(-2_500, 2_500)


class Venue:
    """Fills orders as the test draws; reduce-only ones no further than the account is open."""

    def __init__(self, view: Account) -> None:
        self.view = view
        self.orders = OrderManager()

    def order(self, parts: dict[int, int], *, reduce_only: bool = False) -> Order | None:
        """Return a market order with these parts; ``None`` where they come to nothing."""
        kept = tuple(Allocation(s, q) for s, q in parts.items() if q)
        net = sum(q for _, q in kept)
        if net == 0:
            return None
        return Order(
            ts=self.view.now,
            id=self.orders.next_id(),
            instrument=PERP,
            side=Side.BUY if net > 0 else Side.SELL,
            quantity=abs(net),
            type=OrderType.MARKET,
            price=None,
            stop=None,
            reduce_only=reduce_only,
            allocations=kept,
            reason="drawn",
        )

    def show(self) -> None:
        """Show the account what works."""
        keys = [(sleeve, PERP) for sleeve in (CARRY, MODEL)]
        self.view.pending = {key: self.orders.working(*key) for key in keys}
        self.view.sales = {key: self.orders.selling(*key) for key in keys}

    def fill(self, number: int, share: int) -> None:
        """Fill a share of an order, in per cent; 0 cancels it."""
        state = self.orders.live[number]
        order, quantity = state.order, -(-state.remaining * share // 100)
        if order.reduce_only:
            account = sum(self.view.held.values())
            against = -account if order.side is Side.BUY else account
            quantity = min(quantity, max(0, against))
        if quantity == 0:
            self.orders.on_cancelled(number)
            return
        for sleeve, part in prorate(order.allocations, state.filled, quantity):
            self.view.held[sleeve, PERP] = self.view.position(sleeve, PERP) + part
        self.orders.on_fill(number, quantity)


@given(st.data())
def test_approvals_take_no_position_up_or_past_flat(data: st.DataObject) -> None:
    """One sleeve or two, what lived before the halt, orders and fills in any sequence."""
    names = data.draw(st.sampled_from([(MODEL,), (CARRY, MODEL)]), "sleeves")
    view = Account(held={(s, PERP): data.draw(PARTS, "held") for s in names})
    venue, risk = Venue(view), manager()
    lows, highs = ({s: view.position(s, PERP) for s in names} for _ in range(2))
    for _ in range(data.draw(st.integers(0, 2), "live before")):
        old = venue.order({s: data.draw(PARTS, "old") for s in names})
        if old is not None:
            venue.orders.place(old)
            for sleeve, quantity in old.allocations:
                (lows if quantity < 0 else highs)[sleeve] += quantity
    view.equity = 96_000.0
    for _ in range(data.draw(st.integers(1, 6), "wake-ups")):
        venue.show()
        risk.observe(view)
        asked = [
            venue.order({s: data.draw(PARTS, "asked") for s in names}, reduce_only=only)
            for only in data.draw(st.lists(st.booleans(), max_size=3), "reduce only")
        ]
        stamped = risk.stamp([o for o in asked if o is not None], view, TERMS)
        for item in stamped.approved:
            venue.orders.place(item.order)
        for share in data.draw(st.lists(st.sampled_from([0, 30, 100]), max_size=5), "fills"):
            if venue.orders.live:
                live = sorted(venue.orders.live)
                venue.fill(data.draw(st.sampled_from(live), "which"), share)
    while venue.orders.live:
        venue.fill(data.draw(st.sampled_from(sorted(venue.orders.live)), "last"), 100)
    for sleeve in names:
        assert min(0, lows[sleeve]) <= view.position(sleeve, PERP) <= max(0, highs[sleeve])


@given(st.integers(-2_500, 2_500), st.integers(1, 100), st.booleans())
def test_what_is_left_to_close_is_approved_whole(held: int, share: int, only: bool) -> None:
    """A close in pieces, each of them while those before it still work."""
    view = Account(held={(MODEL, PERP): held})
    venue, risk = Venue(view), manager()
    view.equity = 96_000.0
    risk.observe(view)
    left = held
    while left:
        piece = max(2, abs(left) * share // 100)  # one contract is too small for the venue
        piece = abs(left) if abs(left) - piece < 2 else piece
        made = venue.order({MODEL: -piece if left > 0 else piece}, reduce_only=only)
        assert made is not None
        venue.show()
        stamped = risk.stamp([made], view, TERMS)
        if abs(left) == 1 and not only:
            assert stamped.refused[0].reason.startswith("order_validity: ")
            return
        assert [item.order for item in stamped.approved] == [made]
        venue.orders.place(made)
        left += made.allocations[0].quantity
    assert left == 0
