"""Sleeves that send orders themselves, run through the whole step on a market in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np

from crypto_quant.backtesting.simulator import Market
from crypto_quant.core.messages import (
    Decision,
    OrderType,
    Prediction,
    Side,
    Signal,
    Target,
    TimeInForce,
    TriggerBy,
    Wallet,
)
from crypto_quant.core.tickets import Amendment, Instruction, Ticket, Withdrawal
from crypto_quant.execution.netting import NettingConfig
from crypto_quant.runtime.compose import join
from crypto_quant.runtime.decisions import DecisionSink
from crypto_quant.runtime.drive import recorded
from crypto_quant.runtime.line import RecordedLine
from crypto_quant.runtime.line_spec import Deposit, LineSpec
from crypto_quant.runtime.sleeves import NO_WISH, TermsMap, Wish
from crypto_quant.runtime.state import SettledFunding
from crypto_quant.runtime.view import LineView
from crypto_quant.strategy.risk_manager.config import RiskConfig
from tests.unit.backtesting.simulator.markets import LATENCY, MS, T0

LOOSE = RiskConfig(
    require_stop=False,
    loss_at_stop=1.0,
    daily_loss=1.0,
    initial_margin=1.0,
    notional=10.0,
    leverage=10,
)
T = OrderType
IOC, FOK, GTX = TimeInForce.IOC, TimeInForce.FOK, TimeInForce.GTX
MARK = TriggerBy.MARK
TICK = 10
DEEP = ((50, -1, 600_001, 5_000), (50, 1, 600_000, 5_000))
Said = Sequence[Instruction | Target | Signal | Prediction]
Script = Mapping[int, Said | Callable[[LineView], Said]]
"""What is said at which ms since T0, or what says it; times are those of a clock of 100 ms."""


class Scripted:
    """Says at each wake-up of the clock what the script has."""

    def __init__(self, script: Script) -> None:
        self._script = script

    def on_timer(self, view: LineView, terms: TermsMap) -> Wish:
        said = self._script.get((view.now - T0) // MS)
        if said is None:
            return NO_WISH
        both = said(view) if callable(said) else said
        targets = tuple(one for one in both if isinstance(one, Target))
        signals = tuple(one for one in both if isinstance(one, Signal))
        prediction = next((one for one in both if isinstance(one, Prediction)), None)
        own = tuple(one for one in both if isinstance(one, Ticket | Amendment | Withdrawal))
        return prediction, signals, targets, own

    def on_account(self, view: LineView) -> Wish:
        return NO_WISH

    def on_funding(self, ts: int, rate: float, interval_h: float) -> None:
        return

    def reset(self) -> None:
        return


class Ran(NamedTuple):
    """What became of a run; ``fills`` are order, ms at the venue, side, tick, lots, is taker."""

    decisions: list[Decision]
    fills: list[tuple[int, int, int, int, int, bool]]
    line: RecordedLine
    statuses: Sequence[str]


class Kept:
    """A log in memory."""

    def __init__(self) -> None:
        self.decisions: list[Decision] = []

    def append(self, decision: Decision) -> None:
        self.decisions.append(decision)


def run(
    market: Market,
    *scripts: Script,
    risk: RiskConfig = LOOSE,
    hedged: tuple[str, ...] = (),
    capital: int = 100_000,
    log: DecisionSink | None = None,
    **sim: object,
) -> Ran:
    """Run sleeves ``one``, ``two`` … with the scripts given; each has its part of the capital."""
    names = ("one", "two", "three")[: len(scripts)]
    spec = LineSpec(
        instruments=(market.instrument,),
        sleeves=names,
        features=(),
        series=(),
        quote="USDT",
        grid_ns=100 * MS,
        start=market.start,
        end=market.end,
        sim={**LATENCY, **sim},
        leverage=10,
        hedged=hedged,
    )
    part = Decimal(capital) / len(names)
    line = RecordedLine(spec, [Deposit(n, Wallet.MARGIN, part) for n in range(len(names))])
    market.put(line, 0)
    none = np.empty(0, dtype=np.int64)
    state = join(
        dict(enumerate(line.legs.instruments)),
        "VIP0",
        names,
        tuple(map(Scripted, scripts)),
        risk,
        NettingConfig(),
        SettledFunding(none, none, none.astype(float), none.astype(float)),
    )
    kept = Kept()
    recorded(line, state, kept if log is None else log)
    table = line.native.fills()
    names_of = ("order_id", "ts_event", "side", "px", "qty", "is_taker")
    rows = zip(*(np.asarray(table[name]).tolist() for name in names_of), strict=True)
    tags = list(table["tag"])
    tick, lot = 10, 1
    fills = [
        (order, (ts - T0) // MS, side, px // tick, qty // lot, bool(taker))
        for (order, ts, side, px, qty, taker), tag in zip(rows, tags, strict=True)
        if not tag
    ]
    return Ran(kept.decisions, fills, line, [str(s) for s in line.native.orders()["status"]])


def ticket(
    name: str, side: Side, quantity: int, kind: OrderType = T.MARKET, **more: object
) -> Ticket:
    return Ticket(0, "one", 0, name, side, quantity, kind, name)._replace(**more)  # type: ignore[arg-type]


def seen(times: Sequence[int], names: Sequence[str], script: Script) -> tuple[Script, list[Any]]:
    """Return a script that also notes what is known of names at some times."""
    notes: list[Any] = []

    def note(ms: int) -> Callable[[LineView], Said]:
        def say(view: LineView) -> Said:
            notes.append(tuple(view.order(0, name) for name in names))
            said = script.get(ms, ())
            return said(view) if callable(said) else said

        return say

    return {**script, **{ms: note(ms) for ms in times}}, notes


def refusals(ran: Ran) -> list[str]:
    return [item.reason for decision in ran.decisions for item in decision.refused]


def commands(ran: Ran, kind: type) -> list[Any]:
    return [c for decision in ran.decisions for c in decision.commands if isinstance(c, kind)]
