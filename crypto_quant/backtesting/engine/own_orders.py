"""Own orders and what became of them, as a file of the user's has them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final

import numpy as np
import pyarrow as pa

from crypto_quant.core.errors import ConfigError
from crypto_quant.core.instruments import Instrument
from crypto_quant.runtime.recorded_rows import Ints, read_table, read_times

KEY: Final = "venue.own_fills"
_TIMES: Final = ("placed", "ended", "filled_at")
_AMOUNTS: Final = ("side", "price", "quantity", "filled")
_LARGEST: Final = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class OwnOrders:
    """Orders that rested at the venue and what became of them, each (n,), by ``placed``.

    ``placed`` and ``ended`` are when they came into the book and left it, ``filled_at`` when they
    last traded (0: never); ns UTC of the venue. ``side`` is +1 or -1; the rest are grid units.
    """

    placed: Ints
    ended: Ints
    filled_at: Ints
    side: Ints
    price: Ints
    quantity: Ints
    filled: Ints

    def __len__(self) -> int:
        return len(self.placed)

    def between(self, start: int, end: int) -> OwnOrders:
        """Return those that rested inside a session."""
        inside = (self.placed > start) & (self.ended < end)
        return OwnOrders(*(getattr(self, name)[inside] for name in self.__slots__))


def read_own_orders(path: str, instrument: Instrument) -> OwnOrders:
    """Read a file of own orders, whose columns are named as those of ``OwnOrders``.

    Raises
    ------
    ConfigError
        It cannot be read, lacks a column, a value is none or off the instrument's grid, or a row
        is no order.
    """
    times = read_times(KEY, path, _TIMES)
    table = read_table(KEY, path, _AMOUNTS)
    exps = {"side": 0, "price": instrument.price_exp}
    amounts = [
        _units(path, name, table[name], exps.get(name, instrument.qty_exp)) for name in _AMOUNTS
    ]
    orders = OwnOrders(*times, *amounts)
    _check(path, orders)
    by_time = np.argsort(orders.placed, kind="stable")
    return OwnOrders(*(column[by_time] for column in (*times, *amounts)))


def _units(path: str, name: str, column: pa.ChunkedArray, exp: int) -> Ints:
    """Return a column in grid units, exactly."""
    units = []
    for row, value in enumerate(column.to_pylist()):
        at = f"{KEY}: {path}, column {name}: {value!r} in row {row}"
        try:
            number = Decimal(str(value)).scaleb(exp)
        except InvalidOperation:
            number = Decimal("NaN")
        if number.is_nan():
            raise ConfigError(f"{at} is no number")
        if abs(number) > _LARGEST:
            raise ConfigError(f"{at} is too large")
        if number != number.to_integral_value():
            raise ConfigError(f"{at} is off the grid")
        units.append(int(number))
    return np.array(units, dtype=np.int64)


def _check(path: str, orders: OwnOrders) -> None:
    """Refuse rows that no order can have left.

    Raises
    ------
    ConfigError
        Says the first of them, and what is expected.
    """
    within = (orders.placed <= orders.filled_at) & (orders.filled_at <= orders.ended)
    for expected, holds in (
        ("placed before ended", orders.placed < orders.ended),
        ("a side of 1 or -1", np.abs(orders.side) == 1),
        ("a price above 0", orders.price > 0),
        ("a quantity above 0", orders.quantity > 0),
        ("filled from 0 to quantity", (orders.filled >= 0) & (orders.filled <= orders.quantity)),
        ("filled_at from placed to ended where filled", within | (orders.filled == 0)),
    ):
        if not holds.all():
            row = int(np.flatnonzero(~holds)[0])
            raise ConfigError(f"{KEY}: {path}, row {row}: expected {expected}")
