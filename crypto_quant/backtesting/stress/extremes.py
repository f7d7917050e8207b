"""The most extreme moments of a run's data, by what they would do to us."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from crypto_quant.backtesting.engine.inputs import PERP, SPOT, Inputs
from crypto_quant.backtesting.stress.tape import DAY_NS, HOUR_NS, MINUTE_NS, PRICES
from crypto_quant.core.measures.arrays import Bools, Floats, Ints
from crypto_quant.runtime.segments import Span
from crypto_quant.runtime.tape import EVER

FUNDING_DAYS: Final = 3
TOP: Final = 2
"""So many of the worst and best hours and days are listed, from different days."""


class Extreme(NamedTuple):
    """An extreme stretch: its kind, a label, when, and the figure that makes it extreme.

    ``value`` is a fraction (a return, a change of the basis, a sum of rates, an annual
    volatility, a wick over the open), for a halt hours.
    """

    key: str
    label: str
    span: Span
    value: float


class _Scope(NamedTuple):
    """Where an extreme may lie: in one segment with the hour before it, after the start."""

    segments: tuple[Span, ...]
    start: int

    def holds(self, begin: Ints, length: int) -> Bools:
        """Tell which stretches lie inside."""
        first = begin - HOUR_NS
        out = np.zeros(begin.size, dtype=np.bool_)
        for segment in self.segments:
            out |= (first >= max(segment.start, self.start)) & (begin + length <= segment.end)
        return out


class _Market(NamedTuple):
    """Hourly bars of the perpetual that open inside the segments after a time."""

    ts: Ints
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    follows: Bools
    """The bar of the hour before is there too."""


def extremes(inputs: Inputs, start: int) -> list[Extreme]:
    """Find the extremes of what a run trades from ``start`` on, inside its segments.

    An hour's return is from close to close; a day is one of UTC with all its bars; volatility
    is that of a day's hourly returns; the basis is the perpetual over spot, at full hours, and
    moves over a day; funding is summed over three days.
    """
    market, scope = _market(inputs, start), _Scope(inputs.segments, start)
    if market.ts.size < 2:
        return []
    hourly = np.where(market.follows, market.close / _before(market.close) - 1.0, np.nan)
    return [
        *_top(scope, ("worst_hour", "Worst hour"), market.ts, hourly, -1, HOUR_NS),
        *_top(scope, ("best_hour", "Best hour"), market.ts, hourly, 1, HOUR_NS),
        *_days(scope, market, hourly),
        *_top(scope, ("wick", "Widest wick"), market.ts, _wicks(market), 1, HOUR_NS, 1),
        *_basis(scope, inputs, market),
        *_halt(scope, inputs),
        *_funding(scope, inputs),
    ]


def _market(inputs: Inputs, start: int) -> _Market:
    bars = inputs.loader.bar_columns(PERP, "1h", *EVER)
    inside = np.zeros(len(bars["ts_event"]), dtype=np.bool_)
    for segment in inputs.segments:
        inside |= (bars["ts_event"] >= segment.start) & (bars["ts_event"] < segment.end)
    inside &= bars["ts_event"] >= start
    ts = bars["ts_event"][inside]
    follows = np.diff(ts, prepend=0) == HOUR_NS
    prices = {name: bars[name][inside].astype(np.float64) for name in PRICES}
    return _Market(ts=ts, follows=follows, **prices)


def _days(scope: _Scope, market: _Market, hourly: Floats) -> list[Extreme]:
    day = market.ts // DAY_NS
    number, first, count = np.unique(day, return_index=True, return_counts=True)
    whole = count == DAY_NS // HOUR_NS
    last = np.minimum(first + count - 1, market.ts.size - 1)
    gained = np.where(whole, market.close[last] / market.open[first] - 1.0, np.nan)
    squares = np.add.reduceat(np.nan_to_num(hourly) ** 2, first)
    volatility = np.where(whole, np.sqrt(squares * 365.0), np.nan)
    begin = number * DAY_NS
    return [
        *_top(scope, ("worst_day", "Worst day"), begin, gained, -1, DAY_NS),
        *_top(scope, ("best_day", "Best day"), begin, gained, 1, DAY_NS),
        *_top(scope, ("volatility", "Most volatile day"), begin, volatility, 1, DAY_NS, 1),
    ]


def _wicks(market: _Market) -> Floats:
    top, bottom = np.maximum(market.open, market.close), np.minimum(market.open, market.close)
    return np.asarray(np.maximum(market.high - top, bottom - market.low) / market.open)


def _basis(scope: _Scope, inputs: Inputs, market: _Market) -> list[Extreme]:
    """Find the day over which perpetual over spot moved most, at full hours that both know."""
    spot = inputs.loader.bar_columns(SPOT, "1m", *EVER)
    units = 10.0 ** (inputs.instruments[SPOT].price_exp - inputs.instruments[PERP].price_exp)
    end = market.ts + HOUR_NS
    at = np.searchsorted(spot["ts_event"], end - MINUTE_NS)
    at = np.minimum(at, len(spot["ts_event"]) - 1)
    known = spot["ts_event"][at] == end - MINUTE_NS
    basis = np.where(known, market.close / spot["close"][at] * units - 1.0, np.nan)
    ago = np.searchsorted(market.ts, market.ts - DAY_NS)
    moved = np.where(market.ts[ago] == market.ts - DAY_NS, np.abs(basis - basis[ago]), np.nan)
    return _top(
        scope, ("basis", "Largest move of the basis in a day"), end - DAY_NS, moved, 1, DAY_NS, 1
    )


def _halt(scope: _Scope, inputs: Inputs) -> list[Extreme]:
    """Find the longest time without a trade on spot, within a segment."""
    begin = inputs.loader.bar_columns(SPOT, "1m", *EVER)["ts_event"]
    gap = np.diff(begin) - MINUTE_NS
    rows = np.flatnonzero(gap > 0)
    rows = rows[np.argsort(-gap[rows], kind="stable")]
    for row in rows.tolist():
        span = Span(int(begin[row]) + MINUTE_NS, int(begin[row + 1]))
        if scope.holds(np.array([span.start]), span.end - span.start).all():
            return [Extreme("halt", "Longest halt of spot", span, int(gap[row]) / HOUR_NS)]
    return []


def _funding(scope: _Scope, inputs: Inputs) -> list[Extreme]:
    """Find the three days in which shorts paid, and received, the most."""
    columns, exp = inputs.loader.settlements(PERP, *EVER)
    event, rate = columns["ts_event"], columns["rate"] / 10.0**exp
    span = FUNDING_DAYS * DAY_NS
    total = np.concatenate(([0.0], np.cumsum(rate)))
    first = np.searchsorted(event, event - span, side="right")
    summed = total[np.arange(event.size) + 1] - total[first]
    begin = event - span
    return [
        *_top(scope, ("funding_low", "Funding that shorts paid most"), begin, summed, -1, span, 1),
        *_top(scope, ("funding_high", "Funding that longs paid most"), begin, summed, 1, span, 1),
    ]


def _top(
    scope: _Scope,
    names: tuple[str, str],
    ts: Ints,
    values: Floats,
    sign: int,
    length: int,
    count: int = TOP,
) -> list[Extreme]:
    """Return the highest values (``sign`` 1) or the lowest, no two of one day."""
    key, label = names
    known = np.flatnonzero(np.isfinite(values) & scope.holds(ts, length))
    order = known[np.argsort(-sign * values[known], kind="stable")]
    out: list[Extreme] = []
    for row in order.tolist():
        begin = int(ts[row])
        if len(out) == count:
            break
        if all(abs(begin - one.span.start) >= DAY_NS for one in out):
            number = f"_{len(out) + 1}" if out else ""
            span = Span(begin, begin + length)
            out.append(Extreme(f"{key}{number}", label, span, float(values[row])))
    return out


def _before(values: Floats) -> Floats:
    return np.concatenate((values[:1], values[:-1]))
