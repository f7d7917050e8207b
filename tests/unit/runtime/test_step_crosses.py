"""What sleeves trade among themselves passes the risk manager at the wake-up that does it."""

from __future__ import annotations

import numpy as np

from crypto_quant.core.instruments import Instrument
from crypto_quant.core.messages import (
    Allocation,
    Cross,
    Decision,
    Exchange,
    Place,
    Target,
    Wake,
)
from crypto_quant.execution.netting import NettingConfig
from crypto_quant.runtime.compose import join
from crypto_quant.runtime.sleeves import NO_WISH, TermsMap, Wish
from crypto_quant.runtime.state import SettledFunding, State
from crypto_quant.runtime.step import step
from crypto_quant.runtime.view import LineView
from crypto_quant.strategy.risk_manager.config import RiskConfig
from crypto_quant.venues.rules import load_instruments
from tests.unit.strategy.account import CARRY, DAY, HOUR, MODEL, PERP, SLEEVES, SPOT, Account

EMPTY = SettledFunding(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0), np.empty(0))


class Desk(Account):
    """An account that the step may look at, as it does at a line."""

    features = np.empty(0)

    def wake(self) -> int:
        return self.now

    def answers(self) -> list[object]:
        return []


class Script:
    """A sleeve that asks for what the test wrote down."""

    def __init__(self) -> None:
        self.wish = NO_WISH

    def on_timer(self, view: LineView, terms: TermsMap) -> Wish:
        said, self.wish = self.wish, NO_WISH
        return said

    def on_account(self, view: LineView) -> Wish:
        return NO_WISH

    def on_funding(self, ts: int, rate: float, interval_h: float) -> None:
        return

    def reset(self) -> None:
        return


class World:
    """The step over a scripted account: a contract of 50 USDT, the venue's smallest is 100."""

    def __init__(self) -> None:
        rules: dict[int, Instrument] = {
            SPOT: load_instruments()["BTCUSDT.BINANCE"],
            PERP: load_instruments()["BTCUSDT-PERP.BINANCE"],
        }
        self.view = Desk(now=19_875 * DAY)  # 2024-06-01
        self.script = Script()
        risk, netting = RiskConfig(require_stop=False), NettingConfig()
        made = join(rules, "VIP0", SLEEVES, (self.script,), risk, netting, EMPTY)
        self.state: State = made
        self.state.view = self.view  # type: ignore[assignment]  # the same calls, without a line

    def wake(self, **wanted: int) -> Decision:
        """Let an hour go by and the named sleeves want these positions in the contract."""
        self.view.now += HOUR
        targets = tuple(
            Target(self.view.now, sleeve, PERP, quantity, None, f"{sleeve} wants {quantity}")
            for sleeve, quantity in wanted.items()
        )
        self.script.wish = (None, (), targets, ())
        decision = step(self.state, Wake.TIMER)
        for command in decision.commands:
            if isinstance(command, Exchange):
                for sleeve, quantity in command.approved.cross.allocations:
                    held = self.view.position(sleeve, PERP)
                    self.view.held[sleeve, PERP] = held + quantity
        return decision

    def halt(self) -> None:
        self.view.equity = 0.96 * self.view.day_start_equity


def test_wishes_that_cancel_out_are_exchanged_with_the_checks_they_passed() -> None:
    world = World()
    world.view.held[CARRY, PERP] = 1
    (command,) = world.wake(carry=0, model=1).commands
    assert isinstance(command, Exchange)
    assert command.approved.cross.allocations == (Allocation(CARRY, -1), Allocation(MODEL, 1))
    assert "daily_loss" in command.approved.checks
    assert "order_validity" not in command.approved.checks  # the venue never sees it


def test_a_wish_from_before_a_halt_does_not_grow_by_crossing_after_it() -> None:
    """One contract is too small to order, so the wish waits; the halt comes before its match."""
    world = World()
    world.view.held[CARRY, PERP] = 1
    assert world.wake(model=1).commands == ()
    world.halt()
    decision = world.wake(carry=0)
    assert decision.commands == ()
    (refused,) = decision.refused
    assert isinstance(refused.order, Cross)
    assert refused.reason.startswith("daily_loss: ")
    assert world.view.position(MODEL, PERP) == 0


def test_the_close_in_a_refused_cross_is_sent_alone_at_the_next_clock() -> None:
    world = World()
    world.view.held[CARRY, PERP] = 1
    world.wake(model=1)
    world.halt()
    world.wake(carry=0)
    (command,) = world.wake().commands
    assert isinstance(command, Place)
    order = command.approved.order
    assert (order.allocations, order.reduce_only) == ((Allocation(CARRY, -1),), True)


def test_sleeves_that_both_close_may_cross_on_a_halted_day() -> None:
    world = World()
    world.view.held = {(CARRY, PERP): -1, (MODEL, PERP): 1}
    world.halt()
    (command,) = world.wake(carry=0, model=0).commands
    assert isinstance(command, Exchange)
    assert world.view.held == {(CARRY, PERP): 0, (MODEL, PERP): 0}


def test_nothing_is_crossed_without_a_price() -> None:
    world = World()
    world.view.held[CARRY, PERP] = 1
    world.wake(model=1)
    world.view.prices = {}
    decision = world.wake(carry=0)
    assert not any(isinstance(command, Exchange) for command in decision.commands)
