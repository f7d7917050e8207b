"""A venue that is down takes nothing: what rests stays, what is sent meanwhile comes after it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from crypto_quant.backtesting.simulator import Market
from crypto_quant.backtesting.stress.shocks import SHOCKS
from crypto_quant.backtesting.stress.tape import SessionTape, StressTape, Way
from crypto_quant.core.instruments import venue_of
from crypto_quant.core.messages import OrderType, Side
from crypto_quant.core.tickets import Amendment, Withdrawal
from crypto_quant.data_pipeline.storage.flags import LAST, SNAPSHOT
from crypto_quant.runtime.line import RecordedLine
from crypto_quant.runtime.segments import Span
from tests.unit.backtesting.simulator.markets import BTC, LATENCY, MS, T0
from tests.unit.backtesting.stress.tapes import together
from tests.unit.runtime.own_orders import Ran, Script, run, ticket

DOWN = Span(T0 + 450 * MS, T0 + 1_450 * MS)
TICK = 10
BUY = Side.BUY


def session(entry: int, response: int) -> SessionTape:
    """Return a book that falls by 20 ticks at 600 ms, and that nothing changes after."""
    rows = [
        (0, 1, 600_000, 500, SNAPSHOT),
        (0, -1, 600_001, 500, SNAPSHOT | LAST),
        (600, 1, 600_000, 0, 0),
        (600, 1, 599_980, 500, 0),
        (600, -1, 599_981, 500, LAST),
        (1_500, 1, 500_000, 1, LAST),
        (9_000, 1, 500_000, 2, LAST),
    ]
    ms, side, px, qty, marks = np.array(rows, dtype=np.int64).T
    book = {
        "ts_event": T0 + ms * MS,
        "ts_recv": T0 + (ms + 2) * MS,
        "side": side.astype(np.int8),
        "px": px * TICK,
        "qty": qty,
        "flags": marks.astype(np.uint32),
    }
    ways = {venue_of(BTC.id): Way(entry, response)}
    return StressTape((BTC,), {("delta", 0): [book]}, {}, 0, ways=ways)


def down(script: Script, entry: int = 4, response: int = 6) -> Ran:
    laid = SHOCKS["venue_down"].on_ticks(session(entry * MS, response * MS), DOWN)
    streams = together(laid).streams
    book, gaps = streams["delta", 0], streams["gap", 0]

    def put(line: RecordedLine, index: int) -> None:
        line.load("book", line.native.add_deltas, index, **book)
        line.load("gaps", line.native.add_gaps, index, **gaps)

    market = Market(BTC, int(book["ts_recv"][0]), int(book["ts_recv"][-1]), put)
    sim: dict[str, Any] = laid.ways[venue_of(BTC.id)].native()
    return run(market, script, **sim)


def test_a_quote_that_is_taken_back_too_late_meets_the_market_of_after() -> None:
    """A bid at 600,000 rests when the venue goes down; when it is up again, 599,981 is asked.

    It is taken at its own price, 19 ticks above. Were the cancellation let in, it would be gone.
    """
    quote = ticket("a", BUY, 5, OrderType.POST_ONLY, price=600_000 * TICK)
    back = Withdrawal(0, "one", "a", "a")
    ran = down({100: [quote], 500: [back]})
    assert ran.fills == [(1, 1_450, 1, 600_000, 5, False)]
    assert ran.statuses[0] == "filled"
    in_time = down({100: [quote], 400: [back]})
    assert in_time.fills == []
    assert in_time.statuses == ["cancelled"]


def test_an_amendment_is_too_late_as_well() -> None:
    quote = ticket("a", BUY, 5, OrderType.POST_ONLY, price=600_000 * TICK)
    lower = Amendment(0, "one", "a", 5, 599_000 * TICK)
    ran = down({100: [quote], 500: [lower]})
    assert [fill[1:4] for fill in ran.fills] == [(1_450, 1, 600_000)]


@pytest.mark.parametrize("entry", [0, 4, 60])
def test_what_would_arrive_within_the_outage_arrives_after_it(entry: int) -> None:
    """Arrivals by the rule itself: in time, or one way after the later of sending and the end."""
    times = range(100, 2_000, 100)
    limit = ticket("", BUY, 2, OrderType.LIMIT, price=600_010 * TICK)  # takes in either market
    ran = down({ms: [limit._replace(name=f"at {ms}")] for ms in times}, entry)

    def arrives(ms: int) -> int:
        return ms + entry if ms + entry < 450 else max(ms, 1_450) + entry

    assert [fill[1] for fill in ran.fills] == [arrives(ms) for ms in times]
    table = ran.line.native.fills()
    took = np.asarray(table["ts_recv"]) - np.asarray(table["ts_event"])
    assert set(took[: len(times)].tolist()) == {6 * MS}


def test_without_an_outage_latencies_are_constant() -> None:
    assert session(4 * MS, 6 * MS).ways[venue_of(BTC.id)].native() == LATENCY
