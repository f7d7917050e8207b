"""The difference between the quotes that a sleeve wants and those that it has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from crypto_quant.core.messages import Quote
from crypto_quant.execution.order_manager import OrderState


class Difference(NamedTuple):
    """What a sleeve's quotes need, each in the order of what it comes from.

    ``wrong``: live orders that no longer fit. ``larger``: orders that are too large, with the
    quantity that may be left of each. ``missing``: prices at which nothing lives. What is
    being cancelled or amended is left alone: its answer will tell.
    """

    wrong: list[OrderState]
    larger: list[tuple[OrderState, int]]
    missing: list[int]


def difference(
    wanted: Mapping[int, Quote], live: Mapping[int, OrderState], refill: float
) -> Difference:
    """Compare, by price (that of sales negative).

    A live order fits where a quote is wanted at its price, it was ordered with at least that
    quantity, no more than that is left of it, and not less than the part ``refill``. So one that
    was filled in part keeps its place in the queue.
    """
    wrong: list[OrderState] = []
    larger: list[tuple[OrderState, int]] = []
    for at, state in live.items():
        quote = wanted.get(at)
        if state.is_cancelling:
            continue
        if quote is None:
            wrong.append(state)
        elif state.amended is None:
            ordered, most = state.order.quantity, quote.quantity
            left = ordered - state.filled
            if left > most:
                larger.append((state, most))
            elif ordered < most or left < refill * most:
                wrong.append(state)
    missing = [at for at in wanted if at not in live]
    return Difference(wrong, larger, missing)
