"""Rows that need no strategy: one perpetual held long, paying funding."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal, localcontext

import numpy as np
import pyarrow as pa

from crypto_quant.backtesting.engine.inputs import PERP, Inputs
from crypto_quant.backtesting.engine.marks import Marks
from crypto_quant.runtime.config import RunConfig

_CENT8 = Decimal("1e-8")
_MINUTE_NS = 60 * 10**9


def perpetual_long(
    config: RunConfig, inputs: Inputs, marks: Marks, ts: np.ndarray[tuple[int], np.dtype[np.int64]]
) -> pa.Table:
    """Hold the capital's worth of the perpetual from the first row on, paying funding.

    One taker fee at the start; funding at the recorded rates on the mark of its hour; flat
    through a hole because there is no price to hold it at: sold at the last mark, bought
    back at the next, with fees.

    Parameters
    ----------
    config, inputs, marks
        As of the run.
    ts
        Times of the equity rows, ns UTC.
    """
    instrument = inputs.instruments[PERP]
    prices = [Decimal(int(p)).scaleb(-instrument.price_exp) for p in marks.at(PERP, ts)]
    table = inputs.catalog.scan("funding", instrument.id)
    exp = inputs.catalog.exps("funding", instrument.id).rate
    stamps = (table["ts_event"].to_numpy() + _MINUTE_NS // 2) // _MINUTE_NS * _MINUTE_NS
    rates = {
        int(t): Decimal(int(r)).scaleb(-exp)
        for t, r in zip(stamps, table["rate"].to_numpy(), strict=True)
    }
    spans = [(s.start, s.end) for s in inputs.segments]
    fees = instrument.fees[config.market.tier]
    rows, notionals, costs = [], [], []
    quantity, cash, paid = Decimal(0), config.capital.amount, Decimal(0)
    with localcontext() as context:
        context.prec, context.rounding = 38, ROUND_HALF_EVEN
        for t, price in zip(ts.tolist(), prices, strict=True):
            is_live = any(start <= t < end for start, end in spans)
            if t in rates and quantity:
                cash -= (quantity * price * rates[t]).quantize(_CENT8)
            wanted = is_live and bool(t < ts[-1])
            if bool(quantity) != wanted:
                rate = fees.at(t)[0].taker
                change = -quantity
                if wanted:
                    change = (cash / (price * (1 + rate))).quantize(_CENT8)
                fee = (abs(change) * price * rate).quantize(_CENT8)
                cash -= change * price + fee
                paid += fee
                quantity += change
            rows.append(cash + quantity * price)
            notionals.append(quantity * price)
            costs.append(paid)
    exact = pa.decimal128(38, 18)
    return pa.table(
        {
            "row": pa.array(["perpetual"] * len(ts)),
            "ts": pa.array(ts),
            "equity": pa.array(rows, exact),
            "flow": pa.nulls(len(ts), exact),
            "costs": pa.array(costs, exact),
            "notional": pa.array(notionals, exact),
        }
    )
