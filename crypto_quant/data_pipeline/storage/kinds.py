"""Kinds of rows the catalog holds: their columns, and which integer grid each is on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

import pyarrow as pa

Grid = Literal["price", "qty", "quote", "rate"]


class Exps(NamedTuple):
    """Decimals of the four integer grids: a stored ``n`` means ``n * 10**-exp``."""

    price: int = 0
    qty: int = 0
    rate: int = 0
    quote: int = 0

    def widest(self, other: Exps) -> Exps:
        """Return the grid on which values of both are exact."""
        return Exps(*(max(a, b) for a, b in zip(self, other, strict=True)))

    def of(self, grid: Grid) -> int:
        """Return the decimals of one grid."""
        return int(getattr(self, grid))


class Column(NamedTuple):
    """One column: its Arrow type, its grid (``None``: not a price or quantity), nullability."""

    name: str
    type: pa.DataType
    grid: Grid | None = None
    nullable: bool = False


@dataclass(frozen=True, slots=True)
class Kind:
    """Columns of a kind; an ``open`` kind adds one float64 column per series.

    ``ticks``: rows are events, not periods; two files may meet in the same instant,
    and coverage knows no interval.
    """

    columns: tuple[Column, ...]
    open: bool = False
    ticks: bool = False

    def schema(self, extra: tuple[str, ...] = ()) -> pa.Schema:
        """Return the Arrow schema, with the series columns of an open kind after it."""
        fields = [pa.field(c.name, c.type, nullable=c.nullable) for c in self.columns]
        return pa.schema(fields + [pa.field(name, pa.float64()) for name in extra])

    def grids(self) -> dict[str, Grid]:
        """Return the columns that lie on a grid."""
        return {c.name: c.grid for c in self.columns if c.grid is not None}


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of one kind and key, on the grids ``exps``, as a layout reads them.

    ``key`` is the folder below the kind: ``<instrument or dataset>[/<interval>]``.
    ``interval`` is the length of a row's period in ns, ``None`` for ticks.
    ``findings`` counts what was seen in these rows and left as it was. ``part`` numbers the
    parts of the catalog that one file becomes: a new number begins a new one.
    """

    kind: str
    key: str
    data: pa.RecordBatch
    exps: Exps
    recv: str
    interval: int | None = None
    findings: Mapping[str, int] = field(default_factory=dict)
    part: int = 0


_I64, _I8, _U32 = pa.int64(), pa.int8(), pa.uint32()
_TIMES = (Column("ts_event", _I64), Column("ts_recv", _I64))
_FLAGS = Column("flags", _U32)

_BAR = Kind(
    (
        *_TIMES,
        *(Column(name, _I64, "price") for name in ("open", "high", "low", "close")),
        Column("volume", _I64, "qty", nullable=True),
        Column("quote_volume", _I64, "quote", nullable=True),
        Column("count", _I64, nullable=True),
        Column("taker_buy", _I64, "qty", nullable=True),
        _FLAGS,
    )
)
_TRADE = (
    *_TIMES,
    Column("id", _I64),
    Column("px", _I64, "price"),
    Column("qty", _I64, "qty"),
    Column("side", _I8),
    _FLAGS,
)
_QUOTE_BAR = tuple(
    Column(f"{side}_{name}", _I64, "price", nullable=True)
    for side in ("bid", "ask")
    for name in ("open", "high", "low", "close")
)

KINDS: Final[dict[str, Kind]] = {
    "bar": _BAR,
    "mark_bar": _BAR,
    "index_bar": _BAR,
    "premium_bar": _BAR,
    "quote_bar": Kind(
        (
            *_TIMES,
            *_QUOTE_BAR,
            Column("bid_qty", _I64, "qty", nullable=True),
            Column("ask_qty", _I64, "qty", nullable=True),
            _FLAGS,
        )
    ),
    "funding": Kind(
        (
            *_TIMES,
            Column("rate", _I64, "rate"),
            Column("interval_h", _I64, nullable=True),
            _FLAGS,
        )
    ),
    "series": Kind(_TIMES, open=True),
    "metrics": Kind((*_TIMES, _FLAGS), open=True),
    "depth_band": Kind(
        (
            *_TIMES,
            Column("band_bps", _I64),
            Column("depth", _I64, "qty"),
            Column("notional", _I64, "quote"),
            _FLAGS,
        ),
        ticks=True,
    ),
    "trade": Kind(_TRADE, ticks=True),
    "liquidation": Kind(_TRADE, ticks=True),
    "agg_trade": Kind((*_TRADE, Column("first_id", _I64), Column("last_id", _I64)), ticks=True),
    "delta": Kind(
        (
            *_TIMES,
            Column("first_id", _I64, nullable=True),
            Column("last_id", _I64, nullable=True),
            Column("prev_id", _I64, nullable=True),
            Column("side", _I8),
            Column("px", _I64, "price"),
            Column("qty", _I64, "qty"),
            _FLAGS,
        ),
        ticks=True,
    ),
    "quote": Kind(
        (
            *_TIMES,
            Column("update_id", _I64, nullable=True),
            Column("bid", _I64, "price"),
            Column("bid_qty", _I64, "qty"),
            Column("ask", _I64, "price"),
            Column("ask_qty", _I64, "qty"),
            _FLAGS,
        ),
        ticks=True,
    ),
    "mark": Kind(
        (
            *_TIMES,
            Column("mark", _I64, "price"),
            Column("index", _I64, "price", nullable=True),
            Column("rate", _I64, "rate", nullable=True),
            Column("next_funding", _I64, nullable=True),
            _FLAGS,
        ),
        ticks=True,
    ),
}
"""Every kind of row, by name; a new kind is one entry here."""
