"""Carry, model, risk and netting on one account against a venue that fills as it likes."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import numpy as np
import pytest

from crypto_quant.core.ledger import prorate
from crypto_quant.core.messages import Allocation, Order, Prediction, Target, Transfer, Wallet
from crypto_quant.execution.netting import NO_PLAN, Netting, NettingConfig
from crypto_quant.execution.order_manager import OrderManager
from crypto_quant.strategy.carry import CarryConfig, CarrySleeve
from crypto_quant.strategy.carry.state import CarryState, Phase
from crypto_quant.strategy.position_manager.directional import DirectionalConfig, DirectionalSleeve
from crypto_quant.strategy.risk_manager.config import RiskConfig
from crypto_quant.strategy.signal_generator.directional import (
    DirectionalSignal,
    DirectionalSignalConfig,
)
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
from tests.unit.strategy.test_risk_manager import manager

HOURS = 24 * 60


class World:
    """A random market, a venue with bad days, and money booked in plain floats."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.view = Account()
        self.view.money = {(CARRY, Wallet.SPOT): 37_500.0}
        self.balance = {CARRY: 12_500.0, MODEL: 50_000.0}
        self.risk = manager()
        self.orders = OrderManager()
        self.netting = Netting(NettingConfig(), SLEEVES, self.orders)
        self.carry = CarrySleeve(
            CarryConfig(warmup=3), RiskConfig(), CARRY, "carry", SPOT, PERP, CarryState()
        )
        self.signal = DirectionalSignal(DirectionalSignalConfig(), "model")
        self.signal.begin_fold(0.25, 0.2)
        self.model = DirectionalSleeve(DirectionalConfig(), MODEL, "model", PERP)
        self.orders_seen = 0
        self.phases: set[Phase] = set()
        self.mark()

    def price(self, instrument: int) -> float:
        return self.view.px(instrument) / 100

    def mark(self) -> None:
        """Show the account at the last prices."""
        view = self.view
        view.equity = 0.0
        for sleeve in (CARRY, MODEL):
            held = view.position(sleeve, PERP) * 1e-3
            entry = view.entries.get((sleeve, PERP), 0.0)
            gain = held * (self.price(PERP) - entry) if held else 0.0
            view.margins[sleeve] = self.balance[sleeve] + gain
            free = view.margins[sleeve] - abs(held) * self.price(PERP) / 5
            view.money[sleeve, Wallet.MARGIN] = max(0.0, min(free, self.balance[sleeve]))
            coins = view.position(sleeve, SPOT) * 1e-5 * self.price(SPOT)
            cash = view.cash(sleeve, Wallet.SPOT)
            view.equities[sleeve] = view.margins[sleeve] + coins + cash
            view.equity += view.equities[sleeve]
        view.pending = {
            (s, i): self.orders.working(s, i) for s in (CARRY, MODEL) for i in (SPOT, PERP)
        }
        held = view.position(MODEL, PERP)
        view.stops[MODEL, PERP] = self.netting.stop_px(MODEL, PERP, held)
        view.sales = {key: self.orders.selling(*key) for key in view.pending}

    def hour(self, n: int) -> None:
        """Move the market one hour on, wake the line, answer what it sends."""
        view = self.view
        view.now += HOUR
        step = float(np.exp(self.rng.normal(0, 0.012)))
        spot = self.price(SPOT) * step
        perp = spot * (1 + self.rng.normal(0, 0.001))
        view.prices = {SPOT: round(spot * 100), PERP: round(perp * 10) * 10}
        if n % 8 == 0:
            rate = 0.0003 * np.cos(2 * np.pi * n / HOURS)
            self.carry.on_funding(view.now - 1, rate, 8.0)
        self.mark()
        if view.now % DAY == 0:
            view.day_start_equity = view.equity
        self.trigger_stops()
        self.wake(is_timer=True)
        for _ in range(60):
            waiting = [s for s in self.orders.live.values() if s.is_cancelling or not s.is_stop]
            if not waiting:
                break
            view.now += 10**8
            self.answer(waiting[int(self.rng.integers(len(waiting)))].order.id)
            self.mark()
            self.wake(is_timer=False)
        assert not [s for s in self.orders.live.values() if s.is_cancelling], "never comes to rest"

    def wake(self, *, is_timer: bool) -> None:
        """One step of the line."""
        view = self.view
        self.risk.observe(view)
        targets: list[Target] = []
        if is_timer:
            edge = float(self.rng.normal(0, 0.25))
            prediction = Prediction(view.now, 0.4 + edge / 2, 0.4 - edge / 2, "m")
            signal = self.signal(prediction, 0.6)
            bet = self.model.on_timer(
                signal, prediction, 0.008 * self.price(PERP), 0.6, TERMS[PERP], view
            )
            targets += [bet] if bet else []
        moves = self.carry.on_timer(view, TERMS) if is_timer else self.carry.on_account(view)
        for leg in moves.targets:
            assert len(moves.targets) == 2, leg
        targets += moves.targets
        self.phases.add(self.carry.state.phase)
        self.send(self.risk.shrink(targets, view, TERMS) if targets else (), is_timer=is_timer)
        for command in moves.commands:
            if isinstance(command, Transfer):
                self.move(command)
        self.mark()

    def send(self, targets: Sequence[Target], *, is_timer: bool) -> None:
        plan = self.netting.plan(targets, self.view, TERMS, is_timer=is_timer)
        if plan is NO_PLAN:
            return
        for cancel in plan.cancels:
            self.orders.cancel(cancel.order_id)
        approved, refused, agreed = self.risk.stamp(plan.orders, self.view, TERMS, plan.crosses)
        for item in agreed:
            assert sum(a.quantity for a in item.cross.allocations) == 0
            self.book(PERP, item.cross.allocations, self.price(PERP), 0.0)
        for passed in approved:
            self.orders.place(passed.order)
            self.orders_seen += 1
        self.netting.on_refused(refused, self.view)

    def move(self, transfer: Transfer) -> None:
        amount = float(transfer.amount)
        source, view = transfer.source, self.view
        assert Decimal(0) < transfer.amount
        assert amount <= view.cash(CARRY, source) + 1e-9
        sign = 1 if source is Wallet.SPOT else -1
        view.money[CARRY, Wallet.SPOT] -= sign * amount
        self.balance[CARRY] += sign * amount

    def answer(self, order_id: int) -> None:
        """Reject, fill in part and cancel the rest, or fill."""
        state = self.orders.live[order_id]
        if state.is_cancelling and self.rng.random() < 0.7:
            self.orders.on_cancelled(order_id)
            return
        luck = self.rng.random()
        if luck < 0.1:
            if state.is_cancelling:
                self.orders.on_cancelled(order_id)
            else:
                self.orders.on_reject(order_id, "bad day")
        elif luck < 0.3 and state.remaining > 1:
            self.trade(state.order, int(self.rng.integers(1, state.remaining)))
            self.orders.on_cancelled(order_id)
        else:
            self.trade(state.order, state.remaining)

    def trigger_stops(self) -> None:
        """Fill the stops that the price has passed."""
        px = self.view.px(PERP)
        for state in list(self.orders.live.values()):
            stop = state.order.stop
            if stop is None:
                continue
            if px <= stop if state.order.side == "sell" else px >= stop:
                self.trade(state.order, state.remaining)

    def trade(self, order: Order, quantity: int) -> None:
        """Fill at 2 bp worse than the last price, split as the ledger splits."""
        parts = prorate(order.allocations, self.orders.live[order.id].filled, quantity)
        self.orders.on_fill(order.id, quantity)
        worse = 1.0002 if order.side == "buy" else 0.9998
        fee = TERMS[order.instrument].taker
        self.book(order.instrument, parts, self.price(order.instrument) * worse, fee)

    def book(
        self,
        instrument: int,
        parts: Sequence[tuple[int, int] | Allocation],
        price: float,
        fee: float,
    ) -> None:
        view = self.view
        for sleeve, quantity in parts:
            key = (sleeve, instrument)
            held, unit = view.held.get(key, 0), TERMS[instrument].size_unit
            cost = abs(quantity) * unit * price * fee
            if instrument == SPOT:
                view.money[sleeve, Wallet.SPOT] -= quantity * unit * price + cost
                assert view.money[sleeve, Wallet.SPOT] >= 0, "borrowed"
                assert held + quantity >= 0, "sold spot that is not there"
            else:
                closed = min(abs(held), abs(quantity)) if held * quantity < 0 else 0
                gain = closed * unit * (price - view.entries.get(key, 0.0))
                self.balance[sleeve] += (gain if held > 0 else -gain) - cost
            new = held + quantity
            if held * new <= 0:
                view.entries[key] = price
            elif abs(new) > abs(held):
                grown = abs(quantity) / abs(new)
                view.entries[key] = view.entries[key] * (1 - grown) + price * grown
            view.held[key] = new


@pytest.mark.parametrize("seed", range(4))
def test_no_borrowing_no_naked_leg_no_unprotected_bet_whatever_the_venue_does(seed: int) -> None:
    world = World(seed)
    view, naked_hours = world.view, 0
    for n in range(HOURS):
        world.hour(n)
        leg = view.position(CARRY, SPOT) * 1e-5 + view.position(CARRY, PERP) * 1e-3
        if abs(leg) * world.price(SPOT) > 20:
            naked_hours += 1
            assert world.carry.state.phase in (Phase.OPENING, Phase.CLOSING)
            # a step is a tenth of equity; its rest and an hour's move come on top
            assert abs(leg) * world.price(SPOT) <= 0.11 * view.sleeve_equity(CARRY)
        bet = view.position(MODEL, PERP)
        if abs(bet) * 1e-3 * world.price(PERP) > 110:  # the venue takes no stop below 100
            stop = world.orders.stop_of(MODEL, PERP)
            closing = (MODEL, PERP) in world.netting._again
            assert closing or (stop is not None and stop.order.quantity == abs(bet))
        gross = (abs(view.position(CARRY, PERP)) + abs(bet)) * 1e-3 * world.price(PERP)
        assert gross / 5 <= 0.33 * view.equity  # 30 % at entry, and one hour's move
    assert world.orders_seen > 50
    assert world.phases == set(Phase)
    assert naked_hours < 0.01 * HOURS  # only where a leg failed all its attempts of one hour
