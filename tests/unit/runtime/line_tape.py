"""A hand-made tape for the tests of the native line: small enough to work out on paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from crypto_quant._native import Instrument, Line

Column: TypeAlias = NDArray[np.int64]
Feature: TypeAlias = tuple[str, Mapping[str, str | float]]

HOUR = 3_600_000_000_000
MS = 1_000_000
SECOND = 1000 * MS
T0 = 1_600_000_000 * 1_000_000_000 // HOUR * HOUR
"""A full hour."""

PERP, SPOT = 0, 1
MARKET, LIMIT, POST_ONLY, STOP = 0, 1, 2, 3
END, TIMER, ACCOUNT, GAP, DATA_END = 0, 1, 2, 3, 4

FREE: dict[str, int | float | Decimal | str] = {
    "impact_y": 0.0,
    "slippage_floor_bps": 0,
    "max_participation": 1,
    "response_latency_ns": 20 * MS,
}
"""A venue without costs beyond its fees."""

RISING = [
    (100, 101, 99, 100, 1000),
    (102, 103, 101, 102, 1000),
    (104, 105, 103, 104, 1000),
    (106, 107, 105, 106, 1000),
]
"""Hourly bars that rise: open, high, low, close, volume."""

_FILL_COLUMNS = ("order_id", "ts_event", "side", "px", "qty")


def perp(**changes: object) -> Instrument:
    """Return a linear contract: tick 0.10 on a 0.01 grid, lot 0.001, fees 2 and 5 bp."""
    return _instrument("BTCUSDT-PERP.TEST", "linear", **changes)


def spot(**changes: object) -> Instrument:
    """Return a spot pair on the same grids, fees 10 bp."""
    fees = [(0, (Decimal("0.001"), Decimal("0.001")))]
    return _instrument("BTCUSDT.TEST", "spot", **{"fees": fees, **changes})


def _instrument(id_: str, contract: str, **changes: object) -> Instrument:
    parts: dict[str, object] = {
        "base": "BTC",
        "quote": "USDT",
        "settle": "USDT",
        "multiplier": Decimal(1),
        "price_exp": 2,
        "qty_exp": 3,
        "tick": [(0, Decimal("0.10"))],
        "lot": [(0, Decimal("0.001"))],
        "min_notional": [(0, Decimal(5))],
        "fees": [(0, (Decimal("0.0002"), Decimal("0.0005")))],
    }
    return Instrument(id_, contract, **{**parts, **changes})  # type: ignore[arg-type]


def bars(rows: Sequence[tuple[float, ...]]) -> tuple[Column, Column, Column, Column, Column]:
    """Return open, high, low, close and volume on the grids."""
    table = np.array(rows, dtype=np.float64).reshape(-1, 5)
    scales = np.array([100, 100, 100, 100, 1000])
    first, high, low, last, volume = np.ascontiguousarray(np.rint(table * scales).T).astype(
        np.int64
    )
    return first, high, low, last, volume


def flat(count: int, price: float = 100.0, volume: float = 1000.0) -> list[tuple[float, ...]]:
    """Return bars that stay at one price."""
    return [(price, price, price, price, volume)] * count


def line(
    rows: Sequence[tuple[float, ...]],
    *,
    sim: Mapping[str, int | float | Decimal | str] | None = FREE,
    hours: Sequence[int] | None = None,
    instruments: Sequence[Instrument] | None = None,
    features: Sequence[Feature] = (),
    start: int = T0,
    end: int | None = None,
    funding: Sequence[tuple[int, str]] = (),
    cash: str = "100000",
    grid_ns: int = HOUR,
    sleeves: Sequence[str] = ("one",),
) -> Line:
    """Return a line over hourly bars of the contract, money in one wallet per kind."""
    made = list(instruments or [perp(), spot()])
    out = Line(
        made,
        list(sleeves),
        list(features),
        [],
        grid_ns=grid_ns,
        start=start,
        end=T0 + len(rows) * HOUR if end is None else end,
        sim=None if sim is None else dict(sim),
        wallets=[("usdm", ["USDT"], [PERP]), ("spot", ["USDT", "BTC"], [SPOT])],
        capital=[
            (sleeve, wallet, "USDT", Decimal(cash))
            for sleeve in range(len(sleeves))
            for wallet in ("usdm", "spot")
        ],
    )
    add_bars(out, PERP, rows, hours)
    if funding:
        when = np.array([ts for ts, _ in funding], dtype=np.int64)
        rate = np.array([int(Decimal(r) * 10**8) for _, r in funding], dtype=np.int64)
        out.add_funding(PERP, when, when, rate, 8)
    return out


def add_bars(
    out: Line,
    instrument: int,
    rows: Sequence[tuple[float, ...]],
    hours: Sequence[int] | None = None,
    interval: int = HOUR,
) -> None:
    """Add bars that open at ``T0`` plus these many intervals."""
    at = np.array(range(len(rows)) if hours is None else hours, dtype=np.int64)
    opens = T0 + at * interval
    out.add_bars(instrument, interval, opens, opens + interval, *bars(rows))


def buy(out: Line, order: int, quantity: int, kind: int = MARKET, **more: object) -> None:
    """Place a buying order of sleeve 0, quantity in thousandths."""
    _place(out, order, quantity, kind, **more)


def sell(out: Line, order: int, quantity: int, kind: int = MARKET, **more: object) -> None:
    """Place a selling order of sleeve 0, quantity in thousandths."""
    _place(out, order, -quantity, kind, **more)


def _place(out: Line, order: int, signed: int, kind: int, **more: object) -> None:
    given: dict[str, object] = {
        "instrument": PERP,
        "price": None,
        "stop": None,
        "reduce_only": False,
        "allocations": [(0, signed)],
    }
    given.update(more)
    out.place(order_id=order, is_buy=signed > 0, quantity=abs(signed), type_code=kind, **given)  # type: ignore[arg-type]


def until(out: Line, reason: int, ts: int | None = None) -> None:
    """Run to the next wake-up for this reason (at this time, if given)."""
    while True:
        woke = out.next()
        assert woke != END, "the tape ended before the wake-up that was waited for"
        if woke == reason and (ts is None or out.now == ts):
            return


def finish(out: Line) -> None:
    """Run to the end."""
    while out.next() != END:
        pass


def money(column: object, scale: int = 18) -> list[Decimal]:
    """Return the decimals of a money column."""
    assert isinstance(column, bytes)
    width = 16
    raw = [column[at : at + width] for at in range(0, len(column), width)]
    exact = [Decimal(int.from_bytes(b, "little", signed=True)).scaleb(-scale) for b in raw]
    return [value.normalize() for value in exact]


def fills(out: Line) -> list[tuple[int, float, int, int, int]]:
    """Return (order, hours since T0, side, px, qty) of each fill but the closing ones."""
    table = out.fills()
    columns = [list(table[name]) for name in _FILL_COLUMNS]
    rows = zip(*columns, table["tag"], strict=True)
    return [
        (int(order), (int(ts) - T0) / HOUR, int(side), int(px), int(qty))
        for order, ts, side, px, qty, tag in rows
        if tag == ""
    ]


def column(out: Line, name: str) -> list[int]:
    """Return an integer column of the fills."""
    return [int(value) for value in out.fills()[name]]
