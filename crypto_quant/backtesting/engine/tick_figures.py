"""What one recorded session came to: counts, money by parts, and what prices did next."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from crypto_quant.backtesting.engine.columns import Ints, texts, whole
from crypto_quant.backtesting.engine.liquidations import TAG, liquidation_rows
from crypto_quant.backtesting.engine.portfolio import Reasons
from crypto_quant.core.instruments import Instrument
from crypto_quant.core.messages import Decision, Wake
from crypto_quant.core.terms import EXACT
from crypto_quant.runtime.compose_ticks import TRADED
from crypto_quant.runtime.decisions import DecisionSink
from crypto_quant.runtime.line import WAKES, RecordedLine
from crypto_quant.runtime.ticks import TickTape
from crypto_quant.runtime.view import LineView

SECOND_NS: Final = 10**9
HORIZONS_S: Final = (1, 5)
FORCED: Final = "data_end"


class Watch(Reasons):
    """Counts wake-ups and notes the middle of the known book at each of the clock's.

    ``middles`` are sums of best bid and ask, 0 where no book is valid.
    """

    def __init__(self, inner: DecisionSink) -> None:
        super().__init__(inner)
        self.view: LineView | None = None
        self.begin()

    def begin(self) -> None:
        """Start to count anew: a session begins."""
        self.wakes: dict[Wake, int] = {wake: 0 for wake in WAKES if wake is not None}
        self.times: list[int] = []
        self.middles: list[int] = []

    def append(self, decision: Decision) -> None:
        """Pass a decision on and note what was known when it was made."""
        super().append(decision)
        self.wakes[decision.wake] += 1
        if decision.wake is Wake.TIMER and self.view is not None:
            bid, ask = self.view.bid_px(TRADED), self.view.ask_px(TRADED)
            self.times.append(decision.ts)
            self.middles.append(bid + ask if bid and ask else 0)


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
    grid_ns: int,
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
        What was seen at the wake-ups of this session.
    grid_ns
        Distance of the clock's wake-ups: a middle that is older is too old.
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
        "events": dict(tape.rows),
        "updates_of_no_book": tape.unused,
        "missing_trade_ids": tape.missing_trades,
        "wake_ups": {wake.value: count for wake, count in watch.wakes.items()},
        "orders": _orders(line, before),
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
        "markout_bps": _markouts(fills, own, watch, tape.end, grid_ns),
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


def _markouts(
    fills: Mapping[str, Ints], own: NDArray[np.bool_], watch: Watch, end: int, grid_ns: int
) -> dict[str, dict[str, float | int | None]]:
    """Return what the known middle did after entries and exits, in bps of the fill's price.

    Positive: the middle went the way of the fill, by more than the fill paid to get in.
    Weighted by quantity. Fills so late that the session ends before the horizon count for
    nothing, and neither do closes at the data's end.
    """
    signed = fills["side"] * fills["qty"]
    held = np.cumsum(signed) - signed
    is_entry = held * signed >= 0
    times = np.array(watch.times, dtype=np.int64)
    middles = np.array(watch.middles, dtype=np.int64) / 2.0
    out: dict[str, dict[str, float | int | None]] = {}
    for seconds in HORIZONS_S:
        when = fills["ts_event"] + seconds * SECOND_NS
        at = np.searchsorted(times, when, side="right") - 1
        seen = own & (at >= 0) & (when <= end)
        seen &= (times[at] > when - grid_ns) & (middles[at] > 0) if len(times) else False
        gain = fills["side"] * (middles[at] / fills["px"] - 1.0) * 1e4 if len(times) else when * 0.0
        row: dict[str, float | int | None] = {}
        for name, chosen in (("entry", seen & is_entry), ("exit", seen & ~is_entry)):
            weight = fills["qty"][chosen]
            mean = float(np.average(gain[chosen], weights=weight)) if len(weight) else None
            row[name] = None if mean is None else round(mean, 4)
            row[f"{name}_fills"] = len(weight)
        out[f"{seconds}s"] = row
    return out
