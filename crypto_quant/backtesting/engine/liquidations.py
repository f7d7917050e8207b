"""What a run says of its liquidations: the venue closed what the strategy held."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

import pyarrow as pa

from crypto_quant.backtesting.engine.columns import money, whole
from crypto_quant.backtesting.metrics.description import Finding
from crypto_quant.core.clock import iso
from crypto_quant.core.instruments import Instrument

TAG: Final = "liquidation"
"""Why the venue made an order of its own; as ``_native.Line`` tags it."""


def liquidation_rows(
    table: Mapping[str, object], instruments: tuple[Instrument, ...], first: int = 0
) -> list[dict[str, Any]]:
    """Return liquidations from row ``first`` on, ready for JSON; numbers as decimal text.

    Parameters
    ----------
    table
        As ``_native.Line.liquidations`` gives it.
    instruments
        The run's instruments, in order.
    first
        Rows before it belong to an earlier session.
    """
    names = ("order_id", "ts_event", "ts_recv", "instrument", "side", "qty", "bankruptcy")
    plain = {name: whole(table, name).tolist() for name in (*names, "is_takeover", "is_adl")}
    settled = {name: money(table, name).to_pylist() for name in ("insurance", "deficit")}
    rows = []
    for n in range(first, len(plain["order_id"])):
        instrument = instruments[plain["instrument"][n]]
        price = Decimal(plain["bankruptcy"][n]).scaleb(-instrument.price_exp)
        rows.append(
            {
                "order_id": plain["order_id"][n],
                "ts_event": plain["ts_event"][n],
                "ts_recv": plain["ts_recv"][n],
                "instrument": instrument.id,
                "side": "buy" if plain["side"][n] > 0 else "sell",
                "quantity": f"{Decimal(plain['qty'][n]).scaleb(-instrument.qty_exp):f}",
                "bankruptcy_price": f"{price:f}",
                "is_takeover": bool(plain["is_takeover"][n]),
                "insurance": f"{settled['insurance'][n].normalize():f}",
                "deficit": f"{settled['deficit'][n].normalize():f}",
                "is_adl": bool(plain["is_adl"][n]),
            }
        )
    return rows


def liquidation_findings(orders: pa.Table) -> tuple[Finding, ...]:
    """Return a finding for each order by which the venue closed a position of the run.

    Parameters
    ----------
    orders
        ``orders.parquet`` of the run.
    """
    return tuple(
        Finding(
            severity="error",
            where=f"account, {iso(row['ts'])}",
            what=f"liquidated: the venue had {row['filled'].normalize():f} of {row['instrument']} "
            f"to {row['side']}, at {row['price'].normalize():f} or better",
            action="the position was closed; the run went on with what was left",
        )
        for row in orders.select(
            ["ts", "instrument", "side", "filled", "price", "reason"]
        ).to_pylist()
        if row["reason"] == TAG
    )
