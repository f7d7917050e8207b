"""The grid market maker through the step on made-up books: every order by hand."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from crypto_quant.core.messages import Amend, Cancel, Command, Place, Side, Wake
from crypto_quant.execution.quoting import QuotingConfig
from crypto_quant.runtime.config import TickConfig
from crypto_quant.runtime.drive import recorded
from crypto_quant.runtime.line import RecordedLine
from crypto_quant.runtime.state import State
from crypto_quant.runtime.step import HALTED, KILLED, LOST, step
from crypto_quant.runtime.ticks import TickReader, TickTape
from crypto_quant.strategy.grid import GridConfig
from crypto_quant.strategy.risk_manager.config import RiskConfig
from tests.unit.runtime.one_market import compose_tick_state, tick_capital, tick_line

from .tick_market import (
    BID,
    MS,
    PERP,
    T0,
    Sink,
    Update,
    book,
    keep,
    levels,
    snapshot,
    table,
)

VENDOR = "vendor's own"
FREE = RiskConfig(require_stop=False, loss_at_stop=1.0)
GRID = GridConfig(levels=1)
Print = tuple[int, int, int, int]
"""ms since T0, price, quantity, aggressor."""


def run(
    root: Path, updates: Sequence[Update], prints: Sequence[Print], **config: object
) -> tuple[RecordedLine, State, Sink]:
    """Run the grid on a book and trades that are known 2 ms after they happened."""
    line, state = begun(root, updates, prints, **config)
    sink = Sink()
    recorded(line, state, sink)
    return line, state, sink


def begun(
    root: Path, updates: Sequence[Update], prints: Sequence[Print], **config: object
) -> tuple[RecordedLine, State]:
    """Load such a run."""
    keep(root, "delta", book(updates, 2), "a", VENDOR)
    rows = [
        (T0 + ms * MS, T0 + (ms + 2) * MS, number, px, qty, side, 0)
        for number, (ms, px, qty, side) in enumerate(prints)
    ]
    reader = TickReader(keep(root, "trade", table("trade", rows), "a", VENDOR), PERP)
    tape = reader.read(reader.sessions()[0])
    assert isinstance(tape, TickTape)
    made = TickConfig.model_validate({"strategy": "grid", "grid": GRID, "risk": FREE} | config)
    line = tick_line(made, reader.instrument, tape, tick_capital(made, reader.instrument))
    return line, compose_tick_state(made, reader.instrument)


def said(sink: Sink) -> list[tuple[int, str, list[tuple[str, int, int]]]]:
    """Return what was sent: ms since T0, the wake-up, and (what, id, signed price or quantity)."""
    out = []
    for decision in sink.decisions:
        if decision.commands:
            made = [_plain(command) for command in decision.commands]
            out.append(((decision.ts - T0) // MS, decision.wake.value, made))
    return out


def _plain(command: Command) -> tuple[str, int, int]:
    match command:
        case Place(approved):
            order = approved.order
            assert order.price is not None
            return "place", order.id, order.price if order.side is Side.BUY else -order.price
        case Amend(approved):
            return "amend", approved.order.id, approved.order.quantity
        case Cancel(order_id, _):
            return "cancel", order_id, 0
    raise AssertionError(command)


START = snapshot(0, 5, levels(200, 200))
FIRST = (100, "timer", [("place", 1, BID - 20), ("place", 2, -(BID + 30))])
"""Bid and ask of 1,000,000 and 1,000,001 ticks: their middle less and plus 2, outwards."""
THROUGH: Print = (1_050, BID + 40, 10, 1)
"""A purchase through our ask: it had to meet it first."""


def test_a_fill_moves_the_grid_by_hand(tmp_path: Path) -> None:
    """Short one quote: the centre is 2 ticks up, so bids join the best and asks go to +5.

    The fill at 1,050 ms is known at 1,055; the clock acts at 1,100. A bid at the best price
    needs the cancelled one not to be gone: they are at different prices.
    """
    far: Update = (2_000, 5, 6, [(1, BID - 5_000, 1)], 0)
    line, state, sink = run(tmp_path, [START, far], [(10, BID, 1, -1), THROUGH])
    assert said(sink) == [
        FIRST,
        (1_100, "timer", [("cancel", 1, 0), ("place", 3, BID), ("place", 4, -(BID + 50))]),
    ]
    fills = line.native.fills()
    assert list(fills["order_id"])[:1] == [2]
    assert line.native.position(0) == 0  # closed at the data's end
    assert state.orders.live == {}
    assert sink.decisions[-1].wake is Wake.DATA_END
    assert line.native.equity() == Decimal(100_000) + sum(line.native.attribution(0).values())


def test_a_book_that_moves_takes_the_quotes_with_it(tmp_path: Path) -> None:
    """Half a tick up: 2.025 from the middle is the same bid, and an ask one tick further."""
    moved: Update = (1_050, 5, 6, [(-1, BID + 10, 0)], 0)
    far: Update = (2_000, 6, 7, [(1, BID - 5_000, 1)], 0)
    _, _, sink = run(tmp_path, [START, moved, far], [(10, BID, 1, -1)])
    assert said(sink) == [
        FIRST,
        (1_100, "timer", [("cancel", 2, 0), ("place", 3, -(BID + 40))]),
    ]


def test_what_the_budget_does_not_pay_is_sent_later_while_the_sleeve_says_the_same(
    tmp_path: Path,
) -> None:
    far: Update = (2_000, 5, 6, [(1, BID - 5_000, 1)], 0)
    _, _, sink = run(
        tmp_path,
        [START, far],
        [(10, BID, 1, -1)],
        grid=GridConfig(levels=2),
        quoting=QuotingConfig(messages=3, per_ms=1_000),
    )
    (now, _, first), (later, _, rest) = said(sink)
    assert (now, len(first), later, len(rest)) == (100, 3, 1_100, 1)
    prices = [BID - 20, BID - 30, -(BID + 30), -(BID + 40)]
    assert {px for _, _, px in first + rest} == set(prices)


def test_a_gap_takes_all_quotes_back_until_the_book_is_known_again(tmp_path: Path) -> None:
    updates = [
        START,
        (1_500, 5, 6, [(1, BID - 5_000, 1)], 0),
        (2_000, 7, 8, [(1, BID - 5_000, 2)], 0),
        snapshot(3_030, 20, levels(200, 200)),
        (4_000, 20, 21, [(1, BID - 5_000, 1)], 0),
    ]
    _, _, sink = run(tmp_path, updates, [(10, BID, 1, -1)])
    lost, again = said(sink)[1:]
    assert lost == (2_002, "gap", [("cancel", 1, 0), ("cancel", 2, 0)])
    assert again == (3_100, "timer", [("place", 3, BID - 20), ("place", 4, -(BID + 30))])
    (gap,) = [d for d in sink.decisions if d.wake is Wake.GAP]
    assert {c.reason for c in gap.commands if isinstance(c, Cancel)} == {LOST}


def test_the_days_limit_takes_all_quotes_back_and_leaves_what_closes(tmp_path: Path) -> None:
    """Short 0.01 at 100,000.30: at a price of 101,000 that lost 10 of 100,000; 1 is the limit.

    The print at 101,000 gives our ask its one lot; when that is known all quotes go, and at the
    next clock only the bid may rest, for what is held.
    """
    far: Update = (3_000, 5, 6, [(1, BID - 5_000, 1)], 0)
    prints = [(10, BID, 1, -1), THROUGH, (1_550, BID + 100_000, 1, 1)]
    limits = FREE.model_copy(update={"daily_loss": 1e-5})
    _, _, sink = run(tmp_path, [START, far], prints, risk=limits)
    assert said(sink)[2:] == [
        (1_555, "account", [("cancel", 3, 0), ("cancel", 4, 0)]),
        (1_600, "timer", [("place", 5, BID)]),
    ]
    (halted,) = [d for d in sink.decisions if d.ts == T0 + 1_555 * MS]
    assert {c.reason for c in halted.commands if isinstance(c, Cancel)} == {HALTED}


def test_a_kill_takes_all_quotes_back_for_good_and_leaves_what_closes(tmp_path: Path) -> None:
    """Short one quote since 1,050 ms; the operator says stop at 2,000 ms.

    All quotes go at once. From the next clock on only the bid may rest, for what is held.
    """
    far: Update = (4_000, 5, 6, [(1, BID - 5_000, 1)], 0)
    line, state = begun(tmp_path, [START, far], [(10, BID, 1, -1), THROUGH])
    sink = Sink()
    state.view.bind(line)
    while (wake := line.next()) is not None:
        decisions = [step(state, wake)]
        if wake is Wake.TIMER and line.native.now == T0 + 2_000 * MS:
            decisions.append(step(state, Wake.CONTROL))
        for decision in decisions:
            sink.append(decision)
            line.execute(decision.commands)
    *_, moved, killed, closes = said(sink)
    assert moved[0] == 1_100
    assert killed == (2_000, "control", [("cancel", 3, 0), ("cancel", 4, 0)])
    assert closes == (2_100, "timer", [("place", 5, BID)])
    (control,) = [d for d in sink.decisions if d.wake is Wake.CONTROL]
    assert {c.reason for c in control.commands if isinstance(c, Cancel)} == {KILLED}


@pytest.mark.parametrize("amends", [True, False])
def test_a_quote_that_may_only_get_smaller_keeps_its_place_where_the_venue_lets_it(
    tmp_path: Path, amends: bool
) -> None:
    """A budget of 20,000 are 200 lots: 120 and 80 on each side.

    10 asks are sold; with the fee and the higher price 199 are left: 69 for the outer ask, and
    89 for the outer bid, which is replaced, as no venue keeps the place of what grows.
    """
    far: Update = (3_000, 5, 6, [(1, BID - 5_000, 1)], 0)
    config = {
        "risk": FREE.model_copy(update={"loss_at_stop": 0.2}),
        "grid": GridConfig(levels=2, size=Decimal("0.12"), most=Decimal(1), skew=0.0),
        "quoting": QuotingConfig(amends=amends),
    }
    line, _, sink = run(tmp_path, [START, far], [(10, BID, 1, -1), THROUGH], **config)
    first, *rest = said(sink)
    asks = [("place", 3, -(BID + 30)), ("place", 4, -(BID + 40))]
    assert first[2] == [("place", 1, BID - 20), ("place", 2, BID - 30), *asks]
    bid, ask = ("place", 5, BID - 30), ("place", 6, -(BID + 40))
    if amends:
        changes, replaced = [("cancel", 2, 0), ("amend", 4, 69)], [bid]
    else:
        changes, replaced = [("cancel", 2, 0), ("cancel", 4, 0)], [bid, ask]
    assert rest == [(1_100, "timer", changes), (1_200, "timer", replaced)]
    sizes = np.asarray(line.native.orders()["qty"])  # in the order of their ids, from 1
    assert [sizes[n - 1] for n in (1, 5, 3, 4 if amends else 6)] == [120, 89, 120, 69]
