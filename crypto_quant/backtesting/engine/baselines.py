"""Rows that need no strategy: the perpetual held long at 1x, paying funding."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal, localcontext

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from crypto_quant.backtesting.engine.inputs import PERP, Inputs
from crypto_quant.backtesting.engine.marks import Marks
from crypto_quant.runtime.config import RunConfig

_BOOKED = Decimal("1e-8")
_MINUTE_NS = 60 * 10**9


class _Holding:
    """A long position kept at the worth of its equity, with a taker fee on every change."""

    def __init__(self, cash: Decimal) -> None:
        self.cash = cash
        self.quantity = self.paid = Decimal(0)

    def equity(self, price: Decimal) -> Decimal:
        return self.cash + self.quantity * price

    def fund(self, price: Decimal, rate: Decimal) -> None:
        self.cash -= (self.quantity * price * rate).quantize(_BOOKED)

    def hold(self, leverage: int, price: Decimal, fee_rate: Decimal) -> None:
        """Trade to ``leverage`` times equity after the fee."""
        equity = self.equity(price)
        wanted = leverage * equity / price
        if wanted > self.quantity:  # the fee of the purchase comes out of the position
            wanted = (equity + self.quantity * price * fee_rate) / (price * (1 + fee_rate))
        change = (wanted - self.quantity).quantize(_BOOKED)
        fee = (abs(change) * price * fee_rate).quantize(_BOOKED)
        self.cash -= change * price + fee
        self.quantity += change
        self.paid += fee


def perpetual_long(
    config: RunConfig, inputs: Inputs, marks: Marks, ts: NDArray[np.int64]
) -> pa.Table:
    """Hold the perpetual at 1x from the first row on, paying funding at the recorded rates.

    After each funding the position is brought back to the worth of its equity: a fixed
    quantity would pay its funding on credit and end far above 1x. Flat through a hole, where
    there is no price to hold it at.

    Parameters
    ----------
    config, inputs, marks
        As of the run.
    ts
        Times of the equity rows, ns UTC.
    """
    instrument = inputs.instruments[PERP]
    rates = _rates(inputs)
    fees = instrument.fees[config.market.tier]
    spans = [(s.start, s.end) for s in inputs.segments]
    prices = [Decimal(int(p)).scaleb(-instrument.price_exp) for p in marks.at(PERP, ts)]
    equity, notional, costs = [], [], []
    held = _Holding(config.capital.amount)
    with localcontext() as context:
        context.prec, context.rounding = 38, ROUND_HALF_EVEN
        for t, price in zip(ts.tolist(), prices, strict=True):
            is_due = t in rates and bool(held.quantity)
            if is_due:
                held.fund(price, rates[t])
            is_live = any(start <= t < end for start, end in spans) and t < ts[-1]
            if is_due or bool(held.quantity) != is_live:
                held.hold(int(is_live), price, fees.at(t)[0].taker)
            equity.append(held.equity(price))
            notional.append(held.quantity * price)
            costs.append(held.paid)
    exact = pa.decimal128(38, 18)
    return pa.table(
        {
            "row": pa.array(["perpetual"] * len(ts)),
            "ts": pa.array(ts),
            "equity": pa.array(equity, exact),
            "flow": pa.nulls(len(ts), exact),
            "costs": pa.array(costs, exact),
            "notional": pa.array(notional, exact),
        }
    )


def _rates(inputs: Inputs) -> dict[int, Decimal]:
    """Return the settled rates by their scheduled minute: recorded stamps jitter."""
    name = inputs.instruments[PERP].id
    table = inputs.catalog.scan("funding", name)
    exp = inputs.catalog.exps("funding", name).rate
    stamps = (table["ts_event"].to_numpy() + _MINUTE_NS // 2) // _MINUTE_NS * _MINUTE_NS
    return {
        int(t): Decimal(int(r)).scaleb(-exp)
        for t, r in zip(stamps, table["rate"].to_numpy(), strict=True)
    }
