"""Buys breakouts with a bracket: a take-profit and a trailing stop, of which one ends the trade.

The entry waits: a stop that buys above the last highs. Once it has bought, both exits are sent.
They only reduce, so the second one can open nothing; what is left of it is taken back before the
next trade.
"""

from __future__ import annotations

from collections import deque
from decimal import Decimal
from itertools import count

from crypto_quant.backtesting.simulator import OrderType, Simulator, TimeInForce
from examples.quotes import to_next
from examples.tape import LATENCY, markets, tell

STEP_NS = 100_000_000
WINDOW = 10
"""Steps whose highest ask is the level that has to break."""
QTY, PROFIT = 10, 4
"""Lots, and the take-profit's distance, ticks."""
CALLBACK = Decimal("0.0005")
"""The trailing stop's distance, percent."""
GTC = TimeInForce.GTC
LIVE = ("sent", "working", "triggered")


class Bracket:
    """One trade after another: entry, exits, and what is left of them taken back."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._ids = count(1)
        self._highs: deque[int] = deque(maxlen=WINDOW)
        self._entry = 0
        self._exits: tuple[int, ...] = ()

    def step(self) -> None:
        """Look at the book and the orders, and do what is next."""
        simulator = self._simulator
        touch = simulator.depth(0).touch()
        if touch is None:
            return
        held, orders = simulator.position(0), simulator.orders(0)
        sent = (self._entry, *self._exits)
        live = [n for n in sent if n in orders and orders[n].status in LIVE]
        level = max(self._highs, default=touch[2]) + 1
        if held and not self._exits:
            self._protect(orders[self._entry].exec_qty, touch[0])
        elif not held and self._exits:
            self._withdraw(live)
            self._exits = self._exits if live else ()
        elif not held and live:
            bound = orders[self._entry].conditions
            if bound is not None and bound.stop_tick != level:
                self._withdraw(live)
        elif not held and len(self._highs) == WINDOW:
            simulator.clear_inactive_orders(0)
            self._enter(level)
        self._highs.append(touch[2])

    def _withdraw(self, numbers: list[int]) -> None:
        for number in numbers:
            self._simulator.cancel(0, number)

    def _enter(self, level: int) -> None:
        self._entry = next(self._ids)
        self._simulator.submit_buy_order(
            0, self._entry, None, QTY, GTC, OrderType.STOP, stop_tick=level
        )

    def _protect(self, qty: int, bid: int) -> None:
        self._exits = profit, trail = next(self._ids), next(self._ids)
        self._simulator.submit_sell_order(
            0,
            profit,
            bid + PROFIT,
            qty,
            GTC,
            OrderType.TAKE_PROFIT,
            stop_tick=bid + PROFIT,
            reduce_only=True,
        )
        self._simulator.submit_sell_order(
            0,
            trail,
            None,
            qty,
            GTC,
            OrderType.TRAILING_STOP,
            callback_rate=CALLBACK,
            reduce_only=True,
        )


def strategy(simulator: Simulator) -> None:
    """Look every step."""
    bracket = Bracket(simulator)
    goes_on = simulator.elapse(to_next(simulator.current_timestamp, STEP_NS))
    while goes_on:
        bracket.step()
        goes_on = simulator.elapse(STEP_NS)


if __name__ == "__main__":
    made = Simulator(markets(), sim=LATENCY)
    made.run(strategy)
    tell(made)
