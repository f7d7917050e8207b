"""The native books of a run as the tables of a run folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from crypto_quant.backtesting.engine.columns import (
    MONEY_SCALE,
    decimals,
    money,
    product,
    texts,
    whole,
)
from crypto_quant.backtesting.engine.inputs import PERP, SPOT, Inputs
from crypto_quant.backtesting.engine.marks import Marks
from crypto_quant.backtesting.engine.portfolio import Books
from crypto_quant.backtesting.metrics import schema
from crypto_quant.backtesting.metrics.schema import COMPONENTS, PORTFOLIO, column
from crypto_quant.core.instruments import Instrument
from crypto_quant.core.measures.arrays import steps
from crypto_quant.runtime.line_spec import HOUR_NS

_NATIVE_PART = {"transfer": "transfer_fees"}
_EXACT = pa.decimal128(38, MONEY_SCALE)
_STATES = {"filled": "filled", "cancelled": "cancelled", "rejected": "rejected"}


class Traded(Protocol):
    """What the tables need of a run's data: what was traded, on which grids."""

    @property
    def instruments(self) -> tuple[Instrument, ...]:
        """The run's instruments, in order."""
        ...


def equity_table(books: Books, inputs: Inputs, marks: Marks) -> pa.Table:
    """Return ``equity.parquet``: the rows of all segments, holes filled with flat rows."""
    ts = whole(books.equity, "ts")
    every = steps(ts[0], ts[-1], HOUR_NS)
    at = np.searchsorted(ts, every, side="right") - 1
    take = pa.array(at)
    hole = ~marks.has_hour(every - HOUR_NS)
    columns: dict[str, pa.Array] = {"ts": pa.array(every), "hole": pa.array(hole)}
    for n in (PERP, SPOT):
        columns[f"mark/{inputs.instruments[n].id}"] = marks.decimals(n, every)
    for name in books.sleeves:
        for part in ("equity", *COMPONENTS):
            values = money(books.equity, f"{_NATIVE_PART.get(part, part)}.{name}")
            columns[column(name, part)] = pc.take(values, take)
        deposits = pc.take(money(books.equity, f"deposits.{name}"), take)
        columns[column(name, "flow")] = _minus(deposits, deposits[0])
        for n in (PERP, SPOT):
            instrument = inputs.instruments[n]
            held = whole(books.equity, f"position.{name}.{instrument.id}")[at]
            worth = product(held, marks.at(n, every))
            scale = instrument.price_exp + instrument.qty_exp
            columns[column(name, f"notional/{instrument.id}")] = decimals(worth, scale)
    _add_portfolio(columns, books.sleeves)
    return pa.table(columns)


def _add_portfolio(columns: dict[str, pa.Array], sleeves: tuple[str, ...]) -> None:
    """Add the whole account: in every column the sum of the sleeves."""
    first = f"{sleeves[0]}/"
    for name in [n for n in columns if n.startswith(first)]:
        part = name.removeprefix(first)
        parts = [columns[column(sleeve, part)] for sleeve in sleeves]
        columns[column(PORTFOLIO, part)] = total(parts)


def fills_table(books: Books, inputs: Traded) -> pa.Table:
    """Return ``fills.parquet``: a row for each fill and sleeve that shares it."""
    rows: list[dict[str, Any]] = []
    fills = books.fills
    order_ids, tags = whole(fills, "order_id").tolist(), texts(fills, "tag")
    costs = {
        (cost, name): money(fills, f"{cost}.{name}").to_pylist()
        for cost in ("fee", "spread", "impact")
        for name in books.sleeves
    }
    parts = {name: whole(fills, f"qty.{name}").tolist() for name in books.sleeves}
    names = ("ts_event", "ts_recv", "instrument", "px", "reference", "is_taker")
    plain = {name: whole(fills, name).tolist() for name in names}
    for i, order_id in enumerate(order_ids):
        instrument = inputs.instruments[plain["instrument"][i]]
        for name in books.sleeves:
            if not parts[name][i]:
                continue
            rows.append(
                {
                    "ts_event": plain["ts_event"][i],
                    "ts_recv": plain["ts_recv"][i],
                    "order_id": order_id,
                    "sleeve": name,
                    "instrument": instrument.id,
                    "quantity": Decimal(parts[name][i]).scaleb(-instrument.qty_exp),
                    "price": Decimal(plain["px"][i]).scaleb(-instrument.price_exp),
                    "reference_price": Decimal(plain["reference"][i]).scaleb(-instrument.price_exp),
                    "fee": costs["fee", name][i],
                    "spread": costs["spread", name][i],
                    "impact": costs["impact", name][i],
                    "liquidity": "taker" if plain["is_taker"][i] else "maker",
                    "reason": tags[i] or books.reasons.get(order_id, ""),
                }
            )
    return _table(rows, schema.FILLS)


def orders_table(books: Books, inputs: Traded) -> pa.Table:
    """Return ``orders.parquet``: every order that was sent."""
    rows: list[dict[str, Any]] = []
    orders = books.orders
    names = ("order_id", "ts", "instrument", "side", "qty", "price", "stop", "reduce_only")
    plain = {name: whole(orders, name).tolist() for name in (*names, "filled")}
    kinds, states = texts(orders, "type"), texts(orders, "status")
    refusals, tags = texts(orders, "reason"), texts(orders, "tag")
    none = np.iinfo(np.int64).min
    for i, order_id in enumerate(plain["order_id"]):
        instrument = inputs.instruments[plain["instrument"][i]]

        def price(grid: int, exp: int = instrument.price_exp) -> Decimal | None:
            return None if grid == none else Decimal(grid).scaleb(-exp)

        partly = states[i] != "filled" and plain["filled"][i] > 0
        reason = tags[i] or books.reasons.get(order_id, "")
        rows.append(
            {
                "ts": plain["ts"][i],
                "order_id": order_id,
                "instrument": instrument.id,
                "side": "buy" if plain["side"][i] > 0 else "sell",
                "quantity": Decimal(plain["qty"][i]).scaleb(-instrument.qty_exp),
                "type": kinds[i],
                "price": price(plain["price"][i]),
                "stop": price(plain["stop"][i]),
                "reduce_only": bool(plain["reduce_only"][i]),
                "state": "partial" if partly else _STATES.get(states[i], "expired"),
                "filled": Decimal(plain["filled"][i]).scaleb(-instrument.qty_exp),
                "reason": f"{reason}: {refusals[i]}" if refusals[i] else reason,
            }
        )
    return _table(rows, schema.ORDERS)


def trips_table(books: Books, inputs: Traded, row: str, fills: pa.Table) -> pa.Table:
    """Return closed round trips; ``row`` is the run's own or a variant's key."""
    why = {
        # What follows a semicolon is why the next one was opened.
        (f["sleeve"], f["ts_event"]): f["reason"].partition(";")[0]
        for f in fills.select(["sleeve", "ts_event", "reason"]).to_pylist()
    }
    trips = books.trips
    sleeves, legs = texts(trips, "sleeve"), trips["legs"]
    if not isinstance(legs, list):
        raise TypeError("legs of round trips are a list")
    opened, closed = whole(trips, "entry_ts").tolist(), whole(trips, "exit_ts").tolist()
    amounts = {name: money(trips, name).to_pylist() for name in ("pnl", "fees", "spread", "impact")}
    rows: list[dict[str, Any]] = []
    for i, sleeve in enumerate(sleeves):
        first = legs[i][0]
        is_pair = len({leg[0] for leg in legs[i]}) > 1
        sizes = [
            Decimal(abs(leg[1])).scaleb(-inputs.instruments[leg[0]].qty_exp) for leg in legs[i]
        ]
        rows.append(
            {
                "row": row,
                "sleeve": sleeve,
                "instrument": "spot+perp" if is_pair else inputs.instruments[first[0]].id,
                "direction": 0 if is_pair else (1 if first[1] > 0 else -1),
                "open_ts": opened[i],
                "close_ts": closed[i],
                "quantity": max(sizes),
                "pnl": amounts["pnl"][i],
                "costs": -(amounts["fees"][i] + amounts["spread"][i] + amounts["impact"][i]),
                "reason": why.get((sleeve, closed[i]), ""),
            }
        )
    return _table(rows, schema.TRIPS)


def variant_table(row: str, equity: pa.Table) -> pa.Table:
    """Return a run's portfolio as the rows of a variant."""
    costs = [equity[column(PORTFOLIO, name)] for name in ("fees", "spread", "impact", "transfer")]
    gross = [
        pc.abs(equity[name])
        for name in equity.column_names
        if name.startswith(column(PORTFOLIO, "notional/"))
    ]
    return pa.table(
        {
            "row": pa.array([row] * equity.num_rows),
            "ts": equity["ts"],
            "equity": equity[column(PORTFOLIO, "equity")],
            "flow": equity[column(PORTFOLIO, "flow")],
            "costs": pc.negate(total(costs)),
            "notional": total(gross),
        }
    )


def total(parts: Sequence[pa.Array]) -> pa.Array:
    """Add decimals exactly: Arrow widens each sum by a digit that 38 digits do not have."""
    wide = pa.decimal256(60, MONEY_SCALE)
    total = parts[0].cast(wide)
    for part in parts[1:]:
        total = pc.add(total, part.cast(wide)).cast(wide)
    return total.cast(_EXACT)


def _minus(values: pa.Array, amount: pa.Scalar) -> pa.Array:
    """Take one amount from a column, exactly."""
    wide = pa.decimal256(60, values.type.scale)
    return pc.subtract(values.cast(wide), amount.cast(wide)).cast(values.type)


def _table(rows: list[Mapping[str, Any]] | list[dict[str, Any]], wanted: pa.Schema) -> pa.Table:
    """Build a table of a schema; decimals keep 18 digits behind the point."""
    fields = [pa.field(f.name, _EXACT if pa.types.is_decimal(f.type) else f.type) for f in wanted]
    return pa.Table.from_pylist(rows, schema=pa.schema(fields))
