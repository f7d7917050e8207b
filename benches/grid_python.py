"""The grid market maker of the benchmarks in Python, on the wake-ups of the bare simulator.

The rule of ``crates/strategies/src/grid.rs``, operation by operation: both must quote alike.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from crypto_quant import _native

TIMER = 1
POST_ONLY = 2


def quote(native: _native.Line, tick: int, rule: Mapping[str, int]) -> None:
    """Quote a grid to the end of the tape."""
    levels, gap, quantity, most = (rule[k] for k in ("levels", "gap", "quantity", "most"))
    variance, before, next_id = 0.0, None, 1
    wake, top, position = native.next, native.top, native.position
    working, submit, cancel = native.open_orders, native.submit, native.cancel
    while code := wake():
        touch = top(0) if code == TIMER else None
        if touch is None:
            continue
        held = position(0)
        bid, ask = touch[0] // tick, touch[2] // tick
        middle = (bid + ask) / 2.0
        if before is not None:
            step = middle - before
            variance = 0.99 * variance + 0.01 * (step * step)
        before = middle
        half = 2.0 + 0.5 * math.sqrt(variance)
        centre = middle - 2.0 * held / quantity
        low = min(math.floor((centre - half) / gap) * gap, bid)
        high = max(math.ceil((centre + half) / gap) * gap, ask)
        bids = range(low, low - (levels if held < most else 0) * gap, -gap)
        asks = range(high, high + (levels if held > -most else 0) * gap, gap)
        kept = set()
        for order, is_buy, px, _, _, _, can_cancel in working(0):
            at = px // tick
            kept.add(at)
            if can_cancel and at not in (bids if is_buy else asks):
                cancel(order)
        for side, ticks in ((True, bids), (False, asks)):
            for at in ticks:
                if at not in kept:
                    submit(next_id, 0, side, quantity, at * tick, POST_ONLY)
                    next_id += 1
