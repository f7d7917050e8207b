"""What one recorded session came to: counts, money by parts, and what prices did next."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple

import numpy as np

from crypto_quant.backtesting.engine.columns import Ints, texts, whole
from crypto_quant.backtesting.engine.liquidations import TAG, liquidation_rows
from crypto_quant.backtesting.engine.markouts import markouts
from crypto_quant.backtesting.engine.portfolio import Reasons
from crypto_quant.backtesting.engine.refusals import Refusals
from crypto_quant.core.instruments import Instrument
from crypto_quant.core.messages import Decision, Wake
from crypto_quant.core.terms import EXACT
from crypto_quant.runtime.compose_ticks import MS_NS, TRADED
from crypto_quant.runtime.decisions import DecisionSink
from crypto_quant.runtime.line import WAKES, RecordedLine
from crypto_quant.runtime.middles import Middles
from crypto_quant.runtime.order_latency import Travel
from crypto_quant.runtime.ticks import TickTape

SECOND_NS: Final = 10**9
FORCED: Final = "data_end"


class Watch(Reasons):
    """Counts wake-ups, and what was refused, on the way to another sink."""

    def __init__(self, inner: DecisionSink) -> None:
        super().__init__(inner)
        self.begin()

    def begin(self) -> None:
        """Start to count anew: a session begins."""
        self.wakes: dict[Wake, int] = {wake: 0 for wake in WAKES if wake is not None}
        self.refusals = Refusals()

    def append(self, decision: Decision) -> None:
        """Pass a decision on and count its wake-up."""
        super().append(decision)
        self.wakes[decision.wake] += 1


class Standing(NamedTuple):
    """How far a run has come: rows of each table, and the cumulative P&L by part."""

    fills: int
    orders: int
    rows: int
    liquidations: int
    parts: Mapping[str, Decimal]

    @classmethod
    def of(cls, line: RecordedLine) -> Standing:
        """Read it off a line whose session has ended."""
        native = line.native
        return cls(
            len(whole(native.fills(), "px")),
            len(whole(native.orders(), "qty")),
            len(whole(native.equity_rows(), "ts")),
            len(whole(native.liquidations(), "qty")),
            native.attribution(TRADED),
        )


NOTHING: Final = Standing(0, 0, 0, 0, {})


def session_figures(
    line: RecordedLine,
    tape: TickTape,
    before: Standing,
    watch: Watch,
    middles: Middles,
    travel: Travel,
) -> dict[str, Any]:
    """Return a session's numbers, ready for ``metrics.json``; money as decimal text.

    Parameters
    ----------
    line
        The line of the session, which has ended.
    tape
        What was on it.
    before
        Where the run stood when the session began.
    watch
        The wake-ups of this session, and what was refused in it.
    middles
        The middles of its book.
    travel
        How long orders travelled in it.
    """
    instrument = line.spec.instruments[TRADED]
    fills = {
        name: whole(line.native.fills(), name)[before.fills :]
        for name in ("ts_event", "px", "qty", "side", "is_taker")
    }
    tags = texts(line.native.fills(), "tag")[before.fills :]
    own = np.array([not tag for tag in tags], dtype=bool)
    clock = tape.session.clock
    return {
        "session": tape.session.name,
        "decisions_from_ns": tape.start,
        "decisions_to_ns": tape.end,
        "length_s": round((tape.end - tape.start) / SECOND_NS, 3),
        "recv": "stamps as recorded" if clock is None else clock.describe(),
        "recv_shift_ns": 0 if clock is None else clock.shift,
        "latency": {
            "entry_ms": travel.entry / MS_NS,
            "response_ms": travel.response / MS_NS,
            "source": travel.source,
        },
        "events": dict(tape.rows),
        "updates_of_no_book": tape.unused,
        "missing_trade_ids": tape.missing_trades,
        "wake_ups": {wake.value: count for wake, count in watch.wakes.items()},
        "orders": _orders(line, before),
        "refused": [row.model_dump() for row in watch.refusals.rows()],
        "fills": {
            "taker": int(fills["is_taker"].sum()),
            "maker": int((1 - fills["is_taker"]).sum()),
            "at_data_end": tags.count(FORCED),
            "liquidated": tags.count(TAG),
        },
        "liquidations": liquidation_rows(
            line.native.liquidations(), line.spec.instruments, before.liquidations
        ),
        "traded": f"{_notional(instrument, fills):f}",
        "pnl": _pnl(line.native.attribution(TRADED), before.parts),
        "position_end": line.native.position(TRADED),
        "markout_bps": markouts(fills, own, middles, tape.end),
    }


def _orders(line: RecordedLine, before: Standing) -> dict[str, int]:
    """Count a session's orders by type, and those that the venue rejected."""
    table = line.native.orders()
    kinds = texts(table, "type")[before.orders :]
    states = texts(table, "status")[before.orders :]
    counted = {kind: kinds.count(kind) for kind in sorted(set(kinds))}
    return {"sent": len(kinds), **counted, "rejected": states.count("rejected")}


def _notional(instrument: Instrument, fills: Mapping[str, Ints]) -> Decimal:
    units = sum(int(px) * int(qty) for px, qty in zip(fills["px"], fills["qty"], strict=True))
    step = Decimal(1).scaleb(-instrument.price_exp - instrument.qty_exp)
    return EXACT.multiply(EXACT.multiply(Decimal(units), step), instrument.multiplier)


def _pnl(after: Mapping[str, Decimal], before: Mapping[str, Decimal]) -> dict[str, str]:
    parts = {name: EXACT.subtract(after[name], before.get(name, Decimal(0))) for name in after}
    total = Decimal(0)
    for value in parts.values():
        total = EXACT.add(total, value)
    return {name: f"{value:f}" for name, value in {"total": total, **parts}.items()}
