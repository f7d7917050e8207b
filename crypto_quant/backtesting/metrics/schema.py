"""The tables of a run folder: column names, types and what each column means.

Times are int64 ns UTC. Money and prices are decimals (``decimal128`` of any scale that
holds the value exactly), never floats. ``docs/reference/measures.md`` says it in prose.
"""

from __future__ import annotations

from typing import Final, TypeAlias

import pyarrow as pa

from crypto_quant.core.errors import DataError

Table: TypeAlias = pa.Table
Array: TypeAlias = pa.Array

PORTFOLIO: Final = "portfolio"
"""Name of the book that is the whole account."""

COMPONENTS: Final = ("price", "basis", "funding", "fees", "spread", "impact", "transfer")
"""P&L components that every book must have; a book may have more."""

MONEY: Final = pa.decimal128(38, 8)
"""Bookings are rounded to 8 decimals; an instrument's price and quantity fit too."""

FILLS: Final = pa.schema(
    [
        ("ts_event", pa.int64()),  # when the venue matched
        ("ts_recv", pa.int64()),  # when we could know it
        ("order_id", pa.int64()),
        ("sleeve", pa.string()),  # one row per fill and sleeve that shares it
        ("instrument", pa.string()),
        ("quantity", MONEY),  # signed: > 0 bought, base units
        ("price", MONEY),  # of the venue's fill, which is the net of all sleeves
        ("reference_price", MONEY),  # bar open or mid: what the sleeve's book traded at
        ("fee", MONEY),  # the sleeve's share by size: paid > 0, a rebate < 0, account's currency
        ("spread", MONEY),  # as fee; cost > 0
        ("impact", MONEY),  # as fee; cost > 0
        ("liquidity", pa.string()),  # maker | taker
        ("reason", pa.string()),  # entry, stop, time, data_end, ...
    ]
)

ORDERS: Final = pa.schema(
    [
        ("ts", pa.int64()),  # decision time
        ("order_id", pa.int64()),
        ("instrument", pa.string()),
        ("side", pa.string()),  # buy | sell
        ("quantity", MONEY),  # > 0, base units
        ("type", pa.string()),
        ("price", MONEY),  # null: none
        ("stop", MONEY),  # null: none
        ("reduce_only", pa.bool_()),
        ("state", pa.string()),  # filled | partial | cancelled | rejected | refused | expired
        ("filled", MONEY),  # base units
        ("reason", pa.string()),
    ]
)

TRIPS: Final = pa.schema(
    [
        ("row", pa.string()),  # "portfolio": the run itself; else a variant's key
        ("sleeve", pa.string()),
        ("instrument", pa.string()),  # or "spot+perp" for a pair
        ("direction", pa.int8()),  # +1 long, -1 short, 0 hedged pair
        ("open_ts", pa.int64()),
        ("close_ts", pa.int64()),
        ("quantity", MONEY),  # opened in total, of the larger leg, base units
        ("pnl", MONEY),  # net: price, funding, fees, spread, impact, transfer
        ("costs", MONEY),  # fees + spread + impact + transfer inside pnl, paid > 0
        ("reason", pa.string()),  # why it was closed
    ]
)

VARIANTS: Final = pa.schema(
    [
        ("row", pa.string()),  # a key of the description's rows
        ("ts", pa.int64()),  # ascending within a row
        ("equity", MONEY),
        ("flow", MONEY),  # cumulative external cash in; null: none
        ("costs", MONEY),  # cumulative fees+spread+impact+transfer, paid > 0; null: unknown
        ("notional", MONEY),  # gross, >= 0; null: unknown
    ]
)

FOLDS: Final = pa.schema(
    [
        ("fold", pa.int64()),
        ("train_start", pa.int64()),
        ("train_end", pa.int64()),
        ("test_start", pa.int64()),
        ("test_end", pa.int64()),
        ("n_train", pa.int64()),  # labelled samples
        ("n_effective", pa.float64()),  # sum of average uniqueness
        ("features", pa.list_(pa.string())),  # used
        ("dropped", pa.list_(pa.string())),  # "name: reason"
        ("ic", pa.float64()),  # rank correlation on the test range; NaN: undefined
        ("auc", pa.float64()),  # of the direction on the test range; NaN: undefined
        ("row", pa.string()),  # "portfolio", or the variant the fold belongs to
    ]
)

MARKET: Final = pa.schema(
    [
        ("ts", pa.int64()),  # when the close is known: midnight after the day
        ("close", pa.float64()),  # daily close of the benchmark, from before the run
        ("cash_rate", pa.float64()),  # yearly yield of cash as a fraction; null: no data
    ]
)


def column(book: str, name: str) -> str:
    """Return the name of a book's column in ``equity.parquet``, e.g. ``carry/funding``."""
    return f"{book}/{name}"


def require(table: Table, schema: pa.Schema, where: str) -> None:
    """Check that a table has the columns of a schema; decimals may have any scale.

    Raises
    ------
    DataError
        A column is missing or has another type.
    """
    for field in schema:
        if field.name not in table.column_names:
            raise DataError(f"{where}: column {field.name!r} is missing")
        was = table.schema.field(field.name).type
        same = pa.types.is_decimal(was) if pa.types.is_decimal(field.type) else was == field.type
        if not same:
            raise DataError(f"{where}: column {field.name!r} should be {field.type}, was {was}")
