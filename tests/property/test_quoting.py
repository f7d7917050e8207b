"""Quotes against a venue that answers as it likes, beside a naive book of what is wanted."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto_quant.core.errors import StrategyError
from crypto_quant.core.messages import Quote, Refused, Side, Target
from crypto_quant.execution.order_manager import OrderManager
from crypto_quant.execution.quoting import NO_QUOTES, QuotePlan, Quoting, QuotingConfig
from tests.unit.strategy.account import CARRY, MODEL, PERP, SLEEVES, Account

Ladder = tuple[Quote, ...]
STEP = 100_000_000


class Live(NamedTuple):
    """A live quote as the order manager shows it."""

    id: int
    sleeve: int
    instrument: int
    at: int
    quantity: int
    filled: int
    is_cancelling: bool
    amended: int | None

    @property
    def remaining(self) -> int:
        return self.quantity - self.filled

    @property
    def place(self) -> tuple[Side, int]:
        return (Side.BUY, self.at) if self.at > 0 else (Side.SELL, -self.at)


@st.composite
def ladders(draw: st.DrawFn) -> Ladder:
    """Draw quotes that do not meet one another, in any order."""
    middle = draw(st.integers(5, 12))
    bids = draw(st.sets(st.integers(1, middle - 1), max_size=4))
    asks = draw(st.sets(st.integers(middle, 16), max_size=4))
    quotes = [Quote(Side.BUY, 10 * px, draw(st.integers(1, 9))) for px in bids]
    quotes += [Quote(Side.SELL, 10 * px, draw(st.integers(1, 9))) for px in asks]
    return tuple(draw(st.permutations(quotes)))


def signed(quote: Quote) -> int:
    return quote.px if quote.side is Side.BUY else -quote.px


class World:
    """One account; every answer of the venue is drawn."""

    def __init__(self, config: QuotingConfig, data: st.DataObject) -> None:
        self.view = Account(bids={PERP: 90}, asks={PERP: 100})
        self.orders = OrderManager()
        self.config = config
        self.quoting = Quoting(config, SLEEVES, self.orders)
        self.data = data
        self.wanted: dict[int, Ladder] = {}
        self.sent: list[tuple[int, int]] = []

    def every(self) -> list[Live]:
        return [Live(*row) for row in self.orders.quotes.live()]

    def live(self, sleeve: int) -> list[Live]:
        return [s for s in self.every() if s.sleeve == sleeve]

    def want(self, sleeve: int, ladder: Ladder) -> QuotePlan:
        self.wanted[sleeve] = ladder
        return self.clock({sleeve: ladder})

    def clock(self, said: dict[int, Ladder]) -> QuotePlan:
        """Let a wake-up of the clock pass, at which these ladders are said."""
        self.view.now += STEP
        targets = tuple(
            Target(self.view.now, SLEEVES[s], PERP, 0, None, "quote", ladder)
            for s, ladder in said.items()
        )
        fresh = self.quoting.news(targets)
        before = {s.id: fits(s, self.wanted) for s in self.every()}
        plan = self.quoting.plan(fresh, self.view, is_timer=True)
        self.check(plan, before)
        for cancel in plan.cancels:
            self.orders.cancel(cancel.order_id)
        for _, after in plan.smaller:
            self.orders.amend(after)
        for order in plan.orders:
            self.orders.place(order)
        self.sent.append((self.view.now, len(plan.cancels) + len(plan.smaller) + len(plan.orders)))
        self.never_meets()
        return plan

    def check(self, plan: QuotePlan, fitting: dict[int, bool]) -> None:
        """Nothing that fits is touched, and nothing goes twice."""
        live = {s.id: s for s in self.every()}
        touched = [c.order_id for c in plan.cancels] + [b.id for b, _ in plan.smaller]
        assert len(touched) == len(set(touched))
        for order_id in touched:
            assert not live[order_id].is_cancelling
            assert live[order_id].amended is None or order_id in {c.order_id for c in plan.cancels}
            assert not fitting[order_id]
        for order in plan.orders:
            sleeve = order.allocations[0].sleeve
            assert (order.side, order.price, order.quantity) in self.wanted[sleeve]
            assert all(s.place[1] != order.price for s in self.live(sleeve))

    def never_meets(self) -> None:
        """No own bid reaches an own ask, and no sleeve has two orders at a price."""
        live = self.every()
        bids = [s.at for s in live if s.at > 0]
        asks = [-s.at for s in live if s.at < 0]
        assert not bids or not asks or max(bids) < min(asks)
        places = [(s.sleeve, s.at) for s in live]
        assert len(places) == len(set(places))
        for sleeve, ladder in self.wanted.items():
            for quote in ladder:
                resting = [
                    s.remaining
                    for s in self.live(sleeve)
                    if s.place == quote[:2] and not s.is_cancelling
                ]
                assert len(resting) <= 1

    def answer(self, *, may_fill: bool) -> None:
        """Answer some of what is on its way."""
        draw = self.data.draw
        for state in self.every():
            order_id = state.id
            if not draw(st.booleans(), label="answers"):
                continue
            self.orders.on_ack(order_id)
            if may_fill and draw(st.integers(0, 3), label="fills") == 0:
                self.orders.on_fill(order_id, draw(st.integers(1, state.remaining)))
            elif state.amended is not None:
                if draw(st.booleans(), label="amends"):
                    self.amended(state, state.amended)
                else:
                    self.orders.on_kept(order_id)
            elif state.is_cancelling:
                if draw(st.integers(0, 3), label="refuses") == 0:
                    self.orders.on_kept(order_id)
                else:
                    self.orders.on_cancelled(order_id)
        self.never_meets()

    def amended(self, state: Live, quantity: int) -> None:
        """Answer that a quote has another quantity; one that is filled by it is gone."""
        self.orders.on_amended(state.id, quantity)
        if quantity <= state.filled:
            self.orders.on_cancelled(state.id)

    def settle(self) -> None:
        """Answer everything in full until nothing is sent for longer than the budget's window."""
        quiet = 0
        for _ in range(400):
            for state in self.every():
                if state.is_cancelling:
                    self.orders.on_cancelled(state.id)
                elif state.amended is not None:
                    self.amended(state, state.amended)
            plan = self.clock(dict(self.wanted))
            quiet = 0 if plan.cancels or plan.smaller or plan.orders else quiet + 1
            if quiet > 4:
                return
        raise AssertionError("never comes to rest")


def fits(state: Live, wanted: dict[int, Ladder]) -> bool:
    """Tell, naively, whether exactly what rests is wanted at that price."""
    return (*state.place, state.remaining) in wanted.get(state.sleeve, ())


def meets(quote: Quote, others: list[Live]) -> bool:
    """Tell whether a quote would meet one of these orders."""
    if quote.side is Side.BUY:
        return any(s.at < 0 and quote.px >= -s.at for s in others)
    return any(quote.px <= s.at for s in others)


CONFIGS = st.builds(
    QuotingConfig,
    messages=st.sampled_from([1, 3, 1_000]),
    per_ms=st.sampled_from([100, 300]),
    refill=st.just(1.0),
    amends=st.booleans(),
)


@settings(max_examples=150, deadline=None)
@given(config=CONFIGS, data=st.data())
def test_after_all_answers_what_works_is_what_is_wanted(
    config: QuotingConfig, data: st.DataObject
) -> None:
    world = World(config, data)
    for _ in range(data.draw(st.integers(1, 6))):
        sleeve = data.draw(st.sampled_from([CARRY, MODEL]))
        world.want(sleeve, data.draw(ladders()))
        world.answer(may_fill=True)
    world.settle()
    orders = world.every()
    for sleeve, ladder in world.wanted.items():
        rests = {(*s.place, s.remaining) for s in world.live(sleeve)}
        absent = set(ladder) - rests
        assert rests <= set(ladder)
        assert all(meets(quote, orders) for quote in absent)  # withheld from another sleeve's


@settings(max_examples=100, deadline=None)
@given(config=CONFIGS, data=st.data(), ladder=ladders())
def test_what_stands_is_never_said_twice(
    config: QuotingConfig, data: st.DataObject, ladder: Ladder
) -> None:
    world = World(config, data)
    world.want(MODEL, ladder)
    world.settle()
    for _ in range(3):
        again = tuple(Quote(*quote) for quote in ladder)  # equal, not the same
        assert world.clock({MODEL: again}) is NO_QUOTES


@settings(max_examples=100, deadline=None)
@given(config=CONFIGS, data=st.data())
def test_no_window_holds_more_messages_than_the_budget(
    config: QuotingConfig, data: st.DataObject
) -> None:
    world = World(config, data)
    for _ in range(8):
        world.want(MODEL, data.draw(ladders()))
        world.answer(may_fill=False)
    for end, _ in world.sent:
        window = [n for ts, n in world.sent if end - config.per_ms * 10**6 < ts <= end]
        assert sum(window) <= config.messages


@settings(max_examples=100, deadline=None)
@given(data=st.data(), ladder=ladders(), after=ladders())
def test_without_a_limit_one_wakeup_sends_as_few_messages_as_can_be(
    data: st.DataObject, ladder: Ladder, after: Ladder
) -> None:
    """From rest: what is in both stays, what is only in the old goes, what is free comes."""
    world = World(QuotingConfig(messages=10**6, refill=1.0), data)
    world.want(MODEL, ladder)
    world.settle()
    plan = world.want(MODEL, after)
    old, new = set(ladder), set(after)
    assert len(plan.cancels) == len(old - new)
    held = [(q.side, q.px) for q in old]
    resting = [s for s in world.every() if s.is_cancelling]
    free = [q for q in new - old if (q.side, q.px) not in held and not meets(q, resting)]
    assert {(o.side, o.price, o.quantity) for o in plan.orders} == set(free)


@settings(max_examples=60, deadline=None)
@given(data=st.data(), ladder=ladders().filter(bool))
def test_what_risk_refuses_is_given_up_until_it_is_wanted_anew(
    data: st.DataObject, ladder: Ladder
) -> None:
    world = World(QuotingConfig(), data)
    target = Target(0, "model", PERP, 0, None, "quote", ladder)
    plan = world.quoting.plan((target,), world.view, is_timer=True)
    refused = data.draw(st.sets(st.sampled_from(plan.orders), min_size=1))
    for order in plan.orders:
        if order not in refused:
            world.orders.place(order)
    world.quoting.on_stamped((), [Refused(order, "no") for order in refused])
    assert world.quoting.plan((), world.view, is_timer=True) is NO_QUOTES
    (again,) = world.quoting.news((target,))  # it was cut, so it is news
    world.view.now += STEP
    more = world.quoting.plan((again,), world.view, is_timer=True).orders
    assert {o.price for o in more} == {o.price for o in refused}


def test_the_same_wish_is_news_again_once_an_order_of_it_is_refused() -> None:
    """A wish that stands is known at sight; a later order for it that risk refuses undoes that."""
    orders, view = OrderManager(), Account(bids={PERP: 90}, asks={PERP: 100})
    quoting = Quoting(QuotingConfig(), SLEEVES, orders)
    wish = (Target(0, "model", PERP, 0, None, "quote", (Quote(Side.BUY, 90, 1),)),)
    (order,) = quoting.plan(quoting.news(wish), view, is_timer=True).orders
    orders.place(order)
    assert quoting.news(wish) == quoting.news(wish) == ()
    orders.on_cancelled(order.id)  # the venue ended it
    view.now += STEP
    (again,) = quoting.plan((), view, is_timer=True).orders
    quoting.on_stamped((), [Refused(again, "no")])
    assert quoting.news(wish) == wish


def test_a_sleeve_says_once_what_it_quotes() -> None:
    quoting = Quoting(QuotingConfig(), SLEEVES, OrderManager())
    one = Target(0, "model", PERP, 0, None, "quote", (Quote(Side.BUY, 90, 1),))
    other = one._replace(quotes=(Quote(Side.BUY, 80, 1),))
    assert quoting.news((one, other._replace(instrument=PERP + 1)))
    with pytest.raises(StrategyError, match="sleeve model, instrument 1: expected one target"):
        quoting.news((one, other))
