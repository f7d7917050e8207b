"""What the risk checks stopped, by check: counted from decisions, and said where nothing traded."""

from __future__ import annotations

from pathlib import Path

import pytest

from crypto_quant.backtesting.engine.refusals import Refusals
from crypto_quant.backtesting.engine.tick_figures import Watch
from crypto_quant.backtesting.metrics.description import Refusal
from crypto_quant.backtesting.visualization import refusal_text, tick_text
from crypto_quant.core.messages import (
    Allocation,
    Decision,
    Order,
    OrderType,
    Quote,
    Refused,
    Side,
    Target,
    Wake,
)
from crypto_quant.execution.quoting.quoting import MEETS_OWN
from crypto_quant.execution.tickets.tickets import BEING_CHANGED
from crypto_quant.runtime.config import TickConfig
from crypto_quant.runtime.decisions import NoLog
from crypto_quant.runtime.drive import recorded
from crypto_quant.runtime.ticks import TickReader, TickTape
from crypto_quant.strategy.risk_manager.manager import CLOSES, OTHER_LEG
from tests.unit.runtime.one_market import compose_tick_state, tick_capital, tick_line
from tests.unit.runtime.tick_market import PERP, book, keep, levels, snapshot

ORDER = Order(
    ts=1,
    id=1,
    instrument=0,
    side=Side.BUY,
    quantity=5,
    type=OrderType.MARKET,
    price=None,
    stop=None,
    reduce_only=False,
    allocations=(Allocation(0, 5),),
    reason="signal",
)
QUOTES = (Quote(Side.BUY, 100, 5),)


def decision(*targets: Target, refused: tuple[Refused, ...] = ()) -> Decision:
    return Decision(1, Wake.TIMER, None, (), targets, refused, ())


def position(quantity: int, reason: str) -> Target:
    return Target(1, "carry", 0, quantity, None, reason)


def test_orders_and_targets_are_counted_by_the_check_that_stopped_them() -> None:
    seen = Refusals()
    seen.take(decision(position(5, "signal"), position(0, "signal: out and about")))
    seen.take(decision(position(3, "signal; cut by notional")))
    seen.take(decision(position(0, "signal; cut by notional")))
    quotes = Target(1, "grid", 0, 2, None, "grid; cut by loss_at_stop and notional", QUOTES)
    seen.take(decision(quotes, quotes._replace(quotes=())))
    why = "order_rate: 10 orders at one wake-up"
    seen.take(decision(refused=(Refused(ORDER, why), Refused(ORDER, why + "; what closes may"))))
    assert seen.rows() == (
        Refusal(check="notional", orders=0, targets=4, to_nothing=2),
        Refusal(check="loss_at_stop", orders=0, targets=2, to_nothing=1),
        Refusal(check="order_rate", orders=2, targets=0, to_nothing=0),
    )


def test_what_no_check_refused_is_counted_apart_and_said() -> None:
    """The first part of a reason is a check's name only where a check gave it."""
    seen = Refusals()
    whys = (OTHER_LEG, BEING_CHANGED, f"{MEETS_OWN}two", "notional: above", f"{OTHER_LEG}{CLOSES}")
    seen.take(decision(refused=tuple(Refused(ORDER, why) for why in whys)))
    rows = seen.rows()
    assert rows == (
        Refusal(check="other rules", orders=4, targets=0, to_nothing=0),
        Refusal(check="notional", orders=1, targets=0, to_nothing=0),
    )
    said = list(refusal_text.lines(rows, 1))
    assert [line.split("  ")[0] for line in said[1:3]] == ["other rules", "notional"]
    assert said[3].startswith("Other rules are no limits: ")
    assert list(refusal_text.lines(rows[1:], 1)) == [said[0], said[2]]
    unsent = refusal_text.nothing_sent(rows[:1], 0)
    assert unsent.endswith("was refused, by other rules.")
    assert "[risk]" in refusal_text.nothing_sent(rows, 0)


@pytest.mark.parametrize("allowed", [False, True])
def test_a_grid_that_may_not_quote_says_which_check_it_was(tmp_path: Path, allowed: bool) -> None:
    """The default limits ask for a stop, which no quote has; without that limit it quotes."""
    risk = {"require_stop": False, "loss_at_stop": 0.9} if allowed else {}
    config = TickConfig.model_validate({"strategy": "grid", "risk": risk})
    updates = [snapshot(0, 5, levels(200, 20)), (3_000, 5, 6, [(1, 9_000_000, 1)], 0)]
    reader = TickReader(keep(tmp_path, "delta", book(updates, 3), "a", "vendor"), PERP)
    tape = reader.read(reader.sessions()[0])
    assert isinstance(tape, TickTape)
    line = tick_line(config, reader.instrument, tape, tick_capital(config, reader.instrument))
    watch = Watch(NoLog())
    recorded(line, compose_tick_state(config, reader.instrument), watch)
    rows, sent = watch.refusals.rows(), len(line.native.orders()["qty"])
    said = "\n".join(refusal_text.lines(rows, sent))
    if allowed:
        assert sent > 0
        assert (rows, said) == ((), "")
        return
    timers = watch.wakes[Wake.TIMER]
    assert sent == 0
    assert rows == (Refusal(check="loss_at_stop", orders=0, targets=timers, to_nothing=timers),)
    assert said.endswith(
        "No order was sent: all that the strategy wanted was refused, by loss_at_stop. The limits "
        "are those of [risk] in the configuration."
    )


def test_sessions_are_one_table_and_one_that_says_nothing_has_none() -> None:
    row = {"check": "notional", "orders": 1, "targets": 2, "to_nothing": 0}
    sessions = [
        {"refused": [row], "orders": {"sent": 3}},
        {"refused": [row, {**row, "check": "leverage", "orders": 9}], "orders": {"sent": 0}},
        {"orders": {"sent": 1}},
    ]
    rows, sent = tick_text.refused({"sessions": sessions})
    assert [(r.check, r.orders, r.targets) for r in rows] == [
        ("leverage", 9, 2),
        ("notional", 2, 4),
    ]
    assert sent == 4
    assert "No order" not in "\n".join(refusal_text.lines(rows, sent))
    assert list(refusal_text.lines((), 0)) == []
