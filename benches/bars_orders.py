"""The same orders through both engines: on a recorded book, and on bars built from its trades."""

from __future__ import annotations

from decimal import Decimal
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benches.session import MS_NS, Recording
from crypto_quant.core.messages import Wake, Wallet
from crypto_quant.data_pipeline.storage.flags import NOT_MARKET
from crypto_quant.runtime.line import RecordedLine
from crypto_quant.runtime.line_spec import Deposit, LineSpec
from crypto_quant.runtime.tape import Columns

Ints = NDArray[np.int64]
INTERVAL_NS: Final = 5 * 10**9
LIVES: Final = 4
"""Bars that an order which rests or waits is left there for."""
MARKET, LIMIT, STOP = 0, 1, 3
KINDS: Final = {"market": MARKET, "limit": LIMIT, "stop": STOP}


class Bars(NamedTuple):
    """Bars of a session's market trades by venue time, each (n,); ``first`` is when each opened."""

    open_ts: Ints
    first: Ints
    open: Ints
    high: Ints
    low: Ints
    close: Ints
    volume: Ints


class Asked(NamedTuple):
    """An order: when, its side, and its price or trigger (``None``: a market order)."""

    ts: int
    side: int
    px: int | None


class Filled(NamedTuple):
    """What came of an order: venue time of its last fill, and its mean price, grid units."""

    ts: int
    px: float


def market_trades(session: Recording) -> tuple[Ints, Ints, Ints]:
    """Return venue time, price and quantity of a session's market trades, in venue order."""
    parts = list(session.tape.streams["trade"])
    names = ("ts_event", "px", "qty", "flags")
    ts, px, qty, marks = (np.concatenate([part[name] for part in parts]) for name in names)
    kept = (marks & NOT_MARKET) == 0
    return np.maximum.accumulate(ts[kept]), px[kept], qty[kept]


def bars_of(trades: tuple[Ints, Ints, Ints]) -> Bars:
    """Build bars; an interval without a trade has none."""
    ts, px, qty = trades
    which = ts // INTERVAL_NS
    start = np.flatnonzero(np.append(True, np.diff(which) > 0))
    stop = np.append(start[1:], len(ts))
    return Bars(
        which[start] * INTERVAL_NS,
        ts[start],
        px[start],
        np.maximum.reduceat(px, start),
        np.minimum.reduceat(px, start),
        px[stop - 1],
        np.add.reduceat(qty, start),
    )


def orders(kind: str, bars: Bars, session: Recording) -> list[Asked]:
    """Return one order at each bar's end that has a next bar, now a purchase, now a sale."""
    tick = session.tick
    out = []
    inside = (bars.open_ts > session.tape.start) & (bars.open_ts < session.tape.end - INTERVAL_NS)
    for n in np.flatnonzero(inside[1:]) + 1:
        side = 1 if n % 2 else -1
        last = int(bars.close[n - 1]) // tick * tick
        # A limit three ticks inside what was paid last, a stop three ticks beyond it.
        px = {"market": None, "limit": last - 3 * side * tick, "stop": last + 3 * side * tick}[kind]
        out.append(Asked(int(bars.open_ts[n]), side, px))
    return out


def tick_line(session: Recording, latency: int) -> RecordedLine:
    """Return the session's recorded book, at the pessimistic end."""
    sim = {"entry_latency_ns": latency, "response_latency_ns": latency, "self_trade": "ignore"}
    return session.line(INTERVAL_NS, {**sim, "queue": "risk_averse"})


def bars_line(session: Recording, bars: Bars, latency: int) -> RecordedLine:
    """Return the same session as bars, with the costs that bars mode has by default."""
    end = session.tape.end
    sim = {"entry_latency_ns": latency, "response_latency_ns": latency, "max_participation": 1}
    spec = LineSpec(
        (session.instrument,),
        ("none",),
        (),
        (),
        session.instrument.settle,
        INTERVAL_NS,
        session.tape.start,
        end,
        sim,
        10,
        sample_ns=60_000 * MS_NS,
    )
    line = RecordedLine(spec, [Deposit(0, Wallet.MARGIN, Decimal(100_000))])
    whole = bars.open_ts + INTERVAL_NS <= end
    columns: Columns = {
        "ts_event": bars.open_ts[whole],
        "ts_recv": bars.open_ts[whole] + INTERVAL_NS,
        **{name: getattr(bars, name)[whole] for name in ("open", "high", "low", "close", "volume")},
    }
    line.load("bars", line.native.add_bars, 0, INTERVAL_NS, **columns)
    return line


def size(session: Recording, bars: Bars) -> int:
    """Return the lots that are worth twice the venue's least notional, grid units."""
    dated = session.instrument.min_notional
    least = Decimal(0) if dated is None else dated.at(session.tape.start)[0]
    scale = session.instrument.price_exp + session.instrument.qty_exp
    worth = Decimal(int(bars.low.min()) * session.lot).scaleb(-scale)
    return session.lot * (int(2 * least // worth) + 1)


def trade(line: RecordedLine, kind: str, asked: list[Asked], lot: int) -> dict[int, Filled]:
    """Place ``lot`` at each order's time, cancel what is left after its life; return fills."""
    at = {order.ts: n for n, order in enumerate(asked)}
    while (wake := line.next()) is not None:
        now = line.native.now
        if wake is not Wake.TIMER:
            continue
        gone = at.get(now - LIVES * INTERVAL_NS)
        if gone is not None and kind != "market":
            line.native.cancel(gone + 1)
        n = at.get(now)
        if n is not None:
            _, side, px = asked[n]
            limit, trigger = (px, None) if kind == "limit" else (None, px)
            line.native.place(
                n + 1, 0, side > 0, lot, KINDS[kind], limit, trigger, False, [(0, side * lot)]
            )
    fills = line.native.fills()
    names = ("order_id", "ts_event", "px", "qty")
    sums: dict[int, list[int]] = {}
    for order, ts, px, qty in zip(*(np.asarray(fills[n]).tolist() for n in names), strict=True):
        if order <= len(asked):
            spent = sums.setdefault(order - 1, [0, 0, 0])
            spent[0], spent[1], spent[2] = ts, spent[1] + px * qty, spent[2] + qty
    return {n: Filled(ts, worth / qty) for n, (ts, worth, qty) in sums.items() if qty == lot}
