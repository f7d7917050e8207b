"""What the simulator tells of trades, fills and money."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crypto_quant.backtesting.simulator.order import PositionSide

Ints = NDArray[np.int64]


class Trades(NamedTuple):
    """Trades of the market, each column int64 (n,).

    ``exch_timestamp`` is the venue's time, ``local_timestamp`` when it was known, ns UTC;
    ``price_tick`` counts ticks, ``qty`` lots; ``side`` is the aggressor's, 1 buy, -1 sell.
    """

    exch_timestamp: Ints
    local_timestamp: Ints
    price_tick: Ints
    qty: Ints
    side: Ints

    def __len__(self) -> int:
        """Return how many trades there are, not how many columns."""
        return len(self.side)


class StateValues(NamedTuple):
    """Position and sums over the fills of an instrument, exact.

    ``position`` counts lots, signed. ``balance`` is what sales brought less what purchases cost,
    ``fee`` what was paid in fees (a rebate is negative), ``trading_value`` the notional of all
    fills: in the asset that the contract settles in. ``trading_volume`` counts lots,
    ``num_trades`` fills.
    """

    position: int
    balance: Decimal
    fee: Decimal
    num_trades: int
    trading_volume: int
    trading_value: Decimal


class Fill(NamedTuple):
    """One fill: venue time and when it was known, ns UTC; ticks and lots.

    ``tag`` is ``data_end`` for the close of a position at the end of the tape, else empty;
    ``position_side`` the leg in hedge mode.
    """

    asset_no: int
    order_id: int
    exch_timestamp: int
    local_timestamp: int
    side: int
    price_tick: int
    qty: int
    is_taker: bool
    tag: str
    position_side: PositionSide = PositionSide.BOTH


class MoneyTransfer(NamedTuple):
    """Money sent between wallets: when it left and arrives, ns UTC; ``fee`` is beside ``amount``.

    ``status`` is ``in_flight``, ``arrived`` or ``refused``, with the venue's ``reason``.
    """

    sent: int
    arrives: int
    source: str
    target: str
    asset: str
    amount: Decimal
    fee: Decimal
    status: str
    reason: str


def money_transfers(table: Mapping[str, object]) -> list[MoneyTransfer]:
    """Return the rows of ``_native.Line.transfers``."""
    times = zip(*(np.asarray(table[name]).tolist() for name in ("ts", "arrives")), strict=True)
    words = zip(*(_texts(table[name]) for name in ("source", "target", "asset")), strict=True)
    sums = zip(*(_money(table[name]) for name in ("amount", "fee")), strict=True)
    ends = zip(*(_texts(table[name]) for name in ("status", "reason")), strict=True)
    rows = zip(times, words, sums, ends, strict=True)
    return [MoneyTransfer(*when, *where, *paid, *end) for when, where, paid, end in rows]


def _texts(column: object) -> list[str]:
    return [str(text) for text in column] if isinstance(column, list) else []


def _money(column: object) -> list[Decimal]:
    """Return little-endian ``decimal128(38, 18)`` as decimals."""
    raw = column if isinstance(column, bytes) else b""
    parts = (raw[at : at + 16] for at in range(0, len(raw), 16))
    return [Decimal(int.from_bytes(part, "little", signed=True)).scaleb(-18) for part in parts]
