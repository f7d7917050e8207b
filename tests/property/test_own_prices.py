"""What sleeves' own orders are worth at their own prices, against every set of them that fills."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from crypto_quant.strategy.risk_manager.own_prices import surplus

PX = 10
LOTS = st.tuples(st.sampled_from([-1, 1]), st.integers(1, 30))


def worth(position: int, filled: tuple[tuple[int, int], ...]) -> int:
    """Return the notional of a position, its dearest lots first: bought, sold or held."""
    side = 1 if position > 0 else -1
    own = sorted((max(PX, px) for lot, px in filled if lot == side), reverse=True)
    lots = own + [PX] * abs(position)
    return sum(lots[: abs(position)])


@given(st.integers(-4, 4), st.lists(LOTS, max_size=7))
def test_it_is_the_dearest_position_that_any_set_of_fills_leads_to(
    held: int, lots: list[tuple[int, int]]
) -> None:
    """Orders are of one lot each here: what fills is a set of them."""
    low = held + sum(lot for lot, _ in lots if lot < 0)
    high = held + sum(lot for lot, _ in lots if lot > 0)
    worst = max(
        worth(held + sum(lot for lot, _ in filled), filled)
        for n in range(len(lots) + 1)
        for filled in combinations(lots, n)
    )
    assert max(-low, high) * PX + surplus(lots, PX, low, high) == worst


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 30)), max_size=4))
def test_an_order_is_worth_what_its_lots_are_one_by_one(orders: list[tuple[int, int]]) -> None:
    high = sum(quantity for quantity, _ in orders)
    lots = [(1, px) for quantity, px in orders for _ in range(quantity)]
    assert surplus(orders, PX, 0, high) == surplus(lots, PX, 0, high)
