"""A protective stop beside a market close: no position turns without a target that wants it."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from crypto_quant._native import Line
from tests.unit.runtime.line_tape import END, FREE, HOUR, MS, STOP, T0, TIMER, buy, line, sell

SIZE = 1000
DONE = ("filled", "cancelled", "rejected")


@st.composite
def bar(draw: st.DrawFn) -> tuple[float, float, float, float, float]:
    """Return a bar around 100 whose range often reaches a stop, sometimes with little volume."""
    first, last = draw(st.integers(960, 1040)) / 10, draw(st.integers(960, 1040)) / 10
    high = max(first, last) + draw(st.integers(0, 40)) / 10
    low = min(first, last) - draw(st.integers(0, 40)) / 10
    return first, high, low, last, draw(st.sampled_from([0.0, 0.4, 1000.0]))


class Step:
    """At each timer takes back all orders, trades to the target and rests a stop beside it."""

    def __init__(self, out: Line, targets: list[int], distance: int) -> None:
        self.out, self.targets, self.distance = out, targets, distance
        self.last = 0

    def decide(self, hour: int) -> None:
        """Want the hour's target; neither close nor entry is reduce-only."""
        out, target = self.out, self.targets[hour] * SIZE
        table = out.orders()
        for order, status in zip(table["order_id"], table["status"], strict=True):
            if status not in DONE:
                out.cancel(int(order))
        wish = target - out.position(0)
        if wish:
            self.last += 1
            (buy if wish > 0 else sell)(out, self.last, abs(wish))
        px = out.last_price(0)
        if target and px is not None:
            self.last += 1
            away = -self.distance if target > 0 else self.distance
            protect = sell if target > 0 else buy
            protect(out, self.last, SIZE, STOP, stop=px + 10 * away, reduce_only=True)


@settings(max_examples=150, deadline=None)
@given(
    rows=st.lists(bar(), min_size=3, max_size=14),
    targets=st.lists(st.sampled_from([-1, 0, 0, 1]), min_size=14, max_size=14),
    distance=st.integers(1, 30),
    entry=st.sampled_from([0, 50 * MS, 1000 * MS]),
    response=st.sampled_from([0, 50 * MS, 60_000 * MS]),
)
def test_no_position_turns_without_a_target_of_its_new_sign(
    rows: list[tuple[float, ...]], targets: list[int], distance: int, entry: int, response: int
) -> None:
    sim = {**FREE, "entry_latency_ns": entry, "response_latency_ns": response}
    out = line(rows, sim=sim)
    step = Step(out, targets, distance)
    while (woke := out.next()) != END:
        if woke == TIMER:
            step.decide((out.now - T0) // HOUR)

    table = out.fills()
    columns = (table[name] for name in ("ts_event", "ts_recv", "side", "qty"))
    held = 0
    for at, known, side, qty, tag in zip(*columns, table["tag"], strict=True):
        assert int(at) <= int(known)
        after = held + int(side) * int(qty)
        if tag == "":
            target = targets[(int(at) - T0) // HOUR]
            assert after == 0 or after * held > 0 or after * target > 0, (held, after, target)
            assert abs(after) <= SIZE
        held = after
    assert held == 0
