"""What the simulator tells of trades, fills and money."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

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

    ``tag`` is ``data_end`` for the close of a position at the end of the tape, else empty.
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
