"""What one recorded session came to: counts, money by parts, and what prices did next."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from itertools import compress
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from crypto_quant.backtesting.engine.columns import Ints, money, texts, whole
from crypto_quant.backtesting.engine.liquidations import TAG, liquidation_rows
from crypto_quant.backtesting.engine.markouts import markouts
from crypto_quant.backtesting.engine.portfolio import Reasons
from crypto_quant.backtesting.engine.refusals import Refusals
from crypto_quant.backtesting.engine.tick_venues import exact_sum, summed, venue_figures
from crypto_quant.core.instruments import Instrument, venue_of
from crypto_quant.core.messages import Decision, Wake, Wallet
from crypto_quant.core.terms import EXACT
from crypto_quant.runtime.compose_ticks import MS_NS
from crypto_quant.runtime.decisions import DecisionSink
from crypto_quant.runtime.joint_ticks import JointTape
from crypto_quant.runtime.line import WAKES, RecordedLine
from crypto_quant.runtime.markets import Book, Markets
from crypto_quant.runtime.middles import Middles
from crypto_quant.runtime.order_latency import Travel

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
    """How far a run has come: rows of each table, what each book holds, and its P&L by part.

    A book is flat between sessions, but for coins that it has sent to the margin wallet. ``coins``
    are those that a book has as margin of its inverse contract, ``None`` of another one.
    """

    fills: int
    orders: int
    rows: int
    liquidations: int
    transfers: int
    held: tuple[int, ...]
    coins: tuple[Decimal | None, ...]
    parts: tuple[Mapping[str, Decimal], ...]

    @classmethod
    def of(cls, line: RecordedLine, markets: Markets) -> Standing:
        """Read it off a line whose session has ended."""
        native = line.native
        return cls(
            len(whole(native.fills(), "px")),
            len(whole(native.orders(), "qty")),
            len(whole(native.equity_rows(), "ts")),
            len(whole(native.liquidations(), "qty")),
            len(whole(native.transfers(), "ts")),
            tuple(native.sleeve_position(book.number, book.at) for book in markets.books),
            tuple(_margin(line, markets, book) for book in markets.books),
            tuple(native.attribution(book.number) for book in markets.books),
        )


NOTHING: Final = Standing(0, 0, 0, 0, 0, (), (), ())


class Ran(NamedTuple):
    """A session that has ended.

    ``ways`` says how long orders travelled, by venue; ``paths`` are the middles of each
    instrument's book.
    """

    line: RecordedLine
    markets: Markets
    tape: JointTape
    ways: Mapping[str, Travel]
    paths: tuple[Middles, ...]


def session_figures(ran: Ran, before: Standing, watch: Watch) -> dict[str, Any]:
    """Return a session's numbers, ready for ``metrics.json``; money as decimal text.

    Of configured markets they are sums, and ``markets`` and ``venues`` have each one's own.

    Parameters
    ----------
    ran
        The session.
    before
        Where the run stood when it began.
    watch
        The wake-ups of this session, and what was refused in it.
    """
    line, tape, native = ran.line, ran.tape, ran.line.native
    each = [_of_book(ran, before, book) for book in ran.markets.books]
    seen = {
        "session": tape.session.name,
        "decisions_from_ns": tape.start,
        "decisions_to_ns": tape.end,
        "length_s": round((tape.end - tape.start) / SECOND_NS, 3),
        "wake_ups": {wake.value: count for wake, count in watch.wakes.items()},
        "refused": [row.model_dump() for row in watch.refusals.rows()],
        "liquidations": liquidation_rows(
            native.liquidations(), line.legs.instruments, before.liquidations
        ),
    }
    if ran.markets.is_plain:
        return {**_of_data(ran, 0), **each[0], **seen}
    venues = venue_figures(line, ran.markets, each, before.transfers)
    return {**summed(each, [_of_data(ran, n) for n in range(len(tape.each))]), **seen} | {
        "markets": {b.name: own for b, own in zip(ran.markets.books, each, strict=True)},
        "venues": venues,
    }


def _of_data(ran: Ran, contract: int) -> dict[str, Any]:
    """Return what was recorded of an instrument, and how long its orders travelled."""
    tape, clock = ran.tape.each[contract], ran.tape.each[contract].session.clock
    way = ran.ways[venue_of(ran.markets.instruments[contract].id)]
    return {
        "instrument": ran.markets.instruments[contract].id,
        "recv": "stamps as recorded" if clock is None else clock.describe(),
        "recv_shift_ns": 0 if clock is None else clock.shift,
        "latency": {
            "entry_ms": way.entry / MS_NS,
            "response_ms": way.response / MS_NS,
            "source": way.source,
        },
        "events": dict(tape.rows),
        "updates_of_no_book": tape.unused,
        "missing_trade_ids": tape.missing_trades,
    }


def _of_book(ran: Ran, before: Standing, book: Book) -> dict[str, Any]:
    """Return what one book's orders, fills and money came to."""
    native, instrument = ran.line.native, ran.markets.legs.instruments[book.at]
    table = native.fills()
    shares = whole(table, f"qty.{book.name}")[before.fills :]
    mine = shares != 0
    fills = {
        name: whole(table, name)[before.fills :][mine] for name in ("ts_event", "px", "is_taker")
    }
    fills |= {"qty": np.abs(shares[mine]), "side": np.sign(shares[mine])}
    tags = [tag for tag, own in zip(texts(table, "tag")[before.fills :], mine, strict=True) if own]
    own = np.array([not tag for tag in tags], dtype=bool)
    parts = before.parts[book.number] if before.parts else {}
    held = before.held[book.number] if before.held else 0
    return {
        "orders": _orders(ran.line, before, book.at),
        "fills": {
            "taker": int(fills["is_taker"].sum()),
            "maker": int((1 - fills["is_taker"]).sum()),
            "at_data_end": tags.count(FORCED),
            "liquidated": tags.count(TAG),
        },
        "traded": f"{_notional(instrument, fills):f}",
        "pnl": _pnl(native.attribution(book.number), parts),
        "most_held": _most_held(instrument, held, shares[mine]),
        "position_end": _counted(instrument, native.sleeve_position(book.number, book.at)),
        "markout_bps": markouts(fills, own, ran.paths[book.contract], ran.tape.end, held),
        **_in_coin(ran, before, book, mine),
    }


def _in_coin(ran: Ran, before: Standing, book: Book, mine: NDArray[np.bool_]) -> dict[str, Any]:
    """Return what the margin of an inverse contract began and ended with, and its fees, in coin."""
    end = _margin(ran.line, ran.markets, book)
    if end is None:
        return {}
    asset = ran.markets.instruments[book.contract].settle
    begin = before.coins[book.number] if before.coins else None
    if begin is None:
        begin = book.section.coins[asset]
    fees = money(ran.line.native.fills(), f"fee.{book.name}").to_pylist()[before.fills :]
    paid = exact_sum(compress(fees, mine))
    amounts = {"begin": begin, "end": end, "fees": paid}
    return {"coin": {"asset": asset} | {n: f"{v.normalize():f}" for n, v in amounts.items()}}


def _margin(line: RecordedLine, markets: Markets, book: Book) -> Decimal | None:
    instrument = markets.instruments[book.contract]
    if instrument.contract != "inverse":
        return None
    wallet = line.accounts.wallet(Wallet.MARGIN, book.venue)
    return line.native.sleeve_balance(book.number, wallet, instrument.settle)


def _orders(line: RecordedLine, before: Standing, at: int) -> dict[str, int]:
    """Count a session's orders of an instrument or leg by type, and those that were rejected."""
    table = line.native.orders()
    mine = (whole(table, "instrument")[before.orders :] == at).tolist()
    kinds = list(compress(texts(table, "type")[before.orders :], mine))
    states = list(compress(texts(table, "status")[before.orders :], mine))
    counted = {kind: kinds.count(kind) for kind in sorted(set(kinds))}
    return {"sent": len(kinds), **counted, "rejected": states.count("rejected")}


def _notional(instrument: Instrument, fills: Mapping[str, Ints]) -> Decimal:
    """Return what was traded, in the quote asset."""
    if instrument.contract == "inverse":
        units, exp = int(fills["qty"].sum()), instrument.qty_exp
    else:
        both = zip(fills["px"], fills["qty"], strict=True)
        units, exp = (
            sum(int(p) * int(q) for p, q in both),
            instrument.price_exp + instrument.qty_exp,
        )
    step = Decimal(1).scaleb(-exp)
    return EXACT.multiply(EXACT.multiply(Decimal(units), step), instrument.multiplier)


def _most_held(instrument: Instrument, before: int, signed: Ints) -> str:
    """Return the largest position, as ``_counted``."""
    return _counted(instrument, int(np.abs(before + np.cumsum(signed)).max(initial=abs(before))))


def _counted(instrument: Instrument, units: int) -> str:
    """Return a quantity in what positions are told in: see ``core.terms.counted_in``."""
    count = Decimal(units).scaleb(-instrument.qty_exp)
    if instrument.contract == "inverse":
        return f"{count:f}"
    return f"{EXACT.multiply(count, instrument.multiplier):f}"


def _pnl(after: Mapping[str, Decimal], before: Mapping[str, Decimal]) -> dict[str, str]:
    parts = {name: EXACT.subtract(after[name], before.get(name, Decimal(0))) for name in after}
    return {"total": f"{exact_sum(parts.values()):f}"} | {n: f"{v:f}" for n, v in parts.items()}
