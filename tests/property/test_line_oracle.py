"""The native line against a second, plain implementation of the rules for bars.

The oracle shares no code with the line: it walks the bars in order, with exact fractions
for money, and knows market orders, participation, spread, impact, fees and funding.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.runtime.line_tape import END, HOUR, MS, T0, TIMER, line, money, sell
from tests.unit.runtime.line_tape import buy as place_buy

TICK, FEE = 10, Fraction(5, 10_000)
FLOOR, SHARE, IMPACT = Fraction(1, 10_000), Fraction(1, 100), 0.8


@dataclass
class Oracle:
    """Position, cash and what waits, in grid units (0.01 of price, 0.001 of quantity)."""

    bars: list[tuple[int, int, int, int, int]]
    rates: dict[int, Decimal]
    cash: Fraction = Fraction(100_000)
    position: int = 0
    waiting: list[list[int]] = field(default_factory=list)
    fills: list[tuple[int, int, int, int]] = field(default_factory=list)
    equity: list[Fraction] = field(default_factory=list)

    def run(self, wishes: dict[int, int]) -> None:
        """Live through the bars; ``wishes`` are signed orders by the hour they are decided."""
        for hour, bar in enumerate(self.bars):
            if hour in self.rates:
                notional = Fraction(self.position * bar[0], 100_000)
                self.cash += booked(-notional * Fraction(self.rates[hour]))
            self.equity.append(self.worth(bar[0]))
            if hour in wishes:
                self.waiting.append([hour + 1, wishes[hour], 0])
            self.trade(hour, bar)
        last = self.bars[-1][3]
        if self.position:
            done = (10**9, len(self.bars) * HOUR)
            self.fill(*done, -self.position, last, self.price(-self.position, last, len(self.bars)))
        self.equity.append(self.worth(last))

    def worth(self, mark: int) -> Fraction:
        """Return cash plus the position at a mark; cash already holds minus its cost."""
        return self.cash + Fraction(self.position * mark, 100_000)

    def trade(self, hour: int, bar: tuple[int, int, int, int, int]) -> None:
        """Fill what waits at the open, oldest first, up to the share of the volume."""
        budget = math.floor(bar[4] * SHARE)
        for order in self.waiting:
            qty = min(abs(order[1]), budget)
            if qty == 0:
                continue
            signed = qty if order[1] > 0 else -qty
            late = 50 * MS if order[0] == hour + 1 else 0
            px = self.price(signed, bar[0], hour, order[2])
            self.fill(order[0], hour * HOUR + late, signed, bar[0], px)
            order[1] -= signed
            order[2] += qty
            budget -= qty
        self.waiting = [order for order in self.waiting if order[1]]

    def price(self, signed: int, reference: int, hour: int, done: int = 0) -> int:
        """Return the reference worsened by spread and impact, to the tick against us.

        An order of Q costs Q x Y sigma sqrt(Q / V) in all; this slice pays what it adds to
        the quantity ``done`` before it.
        """
        past = self.bars[max(0, hour - 24) : hour]
        before = self.bars[hour - len(past) - 1][3] if hour > len(past) else past[0][0]
        closes = [before, *[bar[3] for bar in past]]
        squares = [(b / a - 1.0) ** 2 for a, b in pairwise(closes)]
        scale = 24 / len(past)
        whole = done + abs(signed)
        volume = max(sum(bar[4] for bar in past) * scale, whole)
        sigma = math.sqrt(sum(squares) * scale)
        costs = [q * math.sqrt(q / volume) for q in (done, whole)]
        share = (costs[1] - costs[0]) / abs(signed) if done else math.sqrt(whole / volume)
        impact = math.ceil(reference * IMPACT * sigma * share)
        move = reference * FLOOR + impact
        if signed > 0:
            return math.ceil((reference + move) / TICK) * TICK
        return max(math.floor((reference - move) / TICK), 1) * TICK

    def fill(self, order: int, ts: int, signed: int, reference: int, px: int) -> None:
        """Book a trade and its fee."""
        assert (px - reference) * signed > 0, "a taker pays"
        notional = Fraction(signed * px, 100_000)
        self.cash -= notional + booked(abs(notional) * FEE)
        self.position += signed
        self.fills.append((order, ts, signed, px))


def booked(amount: Fraction) -> Fraction:
    """Round an amount half-even to eight decimals."""
    exact = Decimal(amount.numerator) / Decimal(amount.denominator)
    assert Fraction(exact) == amount, "the oracle's amounts have few decimals"
    return Fraction(exact.quantize(Decimal("1e-8"), ROUND_HALF_EVEN))


@st.composite
def bar(draw: st.DrawFn) -> tuple[int, int, int, int, int]:
    """Return open, high, low, close and volume on the grids."""
    prices = st.integers(9_000, 11_000)
    first, last = draw(prices), draw(prices)
    high = max(first, last) + draw(st.integers(0, 50))
    low = min(first, last) - draw(st.integers(0, 50))
    return first, high, low, last, draw(st.sampled_from([0, 90, 5_000, 100_000, 2_000_000]))


@settings(max_examples=60, deadline=None)
@given(
    bars=st.lists(bar(), min_size=3, max_size=40),
    wishes=st.dictionaries(
        st.integers(1, 39), st.integers(-3_000, 3_000).filter(lambda q: abs(q) >= 60)
    ),
    rates=st.dictionaries(st.integers(1, 39), st.integers(-30_000, 30_000)),
)
def test_line_equals_the_oracle(
    bars: list[tuple[int, int, int, int, int]], wishes: dict[int, int], rates: dict[int, int]
) -> None:
    hours = range(1, len(bars))
    wanted = {hour: qty for hour, qty in wishes.items() if hour in hours}
    funding = {hour: Decimal(rate).scaleb(-8) for hour, rate in rates.items() if hour in hours}
    oracle = Oracle(bars, funding)
    oracle.run(wanted)

    rows = [(o / 100, h / 100, lo / 100, c / 100, v / 1000) for o, h, lo, c, v in bars]
    settled = [(T0 + hour * HOUR, str(rate)) for hour, rate in sorted(funding.items())]
    sim: dict[str, int | float | Decimal | str] = {"impact_y": IMPACT}
    out = line(rows, sim=sim, funding=settled, cash="50000")
    while (woke := out.next()) != END:
        hour = (out.now - T0) // HOUR
        if woke == TIMER and hour in wanted:
            qty = wanted[hour]
            (place_buy if qty > 0 else sell)(out, hour + 1, abs(qty))

    table = out.fills()
    signed = [int(s) * int(q) for s, q in zip(table["side"], table["qty"], strict=True)]
    orders = [min(int(o), 10**9) for o in table["order_id"]]
    times = [int(ts) - T0 for ts in table["ts_event"]]
    assert list(zip(orders, times, signed, map(int, table["px"]), strict=True)) == oracle.fills
    assert [Fraction(v) for v in money(out.equity_rows()["equity"])] == oracle.equity
