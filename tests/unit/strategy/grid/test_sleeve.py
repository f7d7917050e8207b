"""The grid's rule, by hand, and beside the same rule on the bare simulator's benchmark."""

from __future__ import annotations

import math
from decimal import Decimal

import pytest
from pydantic import ValidationError

from crypto_quant.core.errors import ConfigError
from crypto_quant.core.messages import Quote, Side
from crypto_quant.strategy.grid import GridConfig, GridSleeve
from tests.unit.strategy.account import MODEL, PERP, PERP_TERMS, Account


def sleeve(**config: object) -> GridSleeve:
    return GridSleeve(GridConfig.model_validate(config), MODEL, "model", PERP)


def market(bid: int, ask: int, held: int = 0) -> Account:
    """Return an account in a book whose best prices are these ticks of 0.1."""
    view = Account(bids={PERP: bid * 10}, asks={PERP: ask * 10})
    view.held[MODEL, PERP] = held
    return view


def ticks(made: GridSleeve, view: Account) -> tuple[list[int], list[int]]:
    """Return the ticks of the bids and of the asks that are wanted."""
    target = made.on_timer(PERP_TERMS, view)
    assert target is not None
    assert target.quotes is not None
    assert target.quantity == view.position(MODEL, PERP)
    assert {q.quantity for q in target.quotes} <= {10}
    sides = (Side.BUY, Side.SELL)
    bids, asks = ([q.px // 10 for q in target.quotes if q.side is s] for s in sides)
    return bids, asks


def test_a_quiet_flat_market_is_quoted_two_ticks_from_its_middle() -> None:
    """Middle 1,000.5, half a spread of 2: 998.5 down and 1,002.5 up to whole ticks."""
    made = sleeve(levels=3)
    assert ticks(made, market(1_000, 1_001)) == ([998, 997, 996], [1_003, 1_004, 1_005])


def test_a_position_moves_both_sides_against_it() -> None:
    """10 lots are one quote: the centre moves two ticks down, but no ask below the best."""
    made = sleeve(levels=2)
    assert ticks(made, market(1_000, 1_001, held=10)) == ([996, 995], [1_001, 1_002])
    assert ticks(made, market(1_000, 1_001, held=-10)) == ([1_000, 999], [1_005, 1_006])


def test_a_moving_market_is_quoted_wider() -> None:
    """A move of 100 ticks: the variance is 1 % of 10,000, its root 10, half of it 5."""
    made = sleeve(levels=1)
    ticks(made, market(1_000, 1_001))
    assert ticks(made, market(1_100, 1_101)) == ([1_093], [1_108])


def test_a_gap_of_several_ticks_rounds_outwards() -> None:
    made = sleeve(levels=2, gap=5)
    assert ticks(made, market(1_000, 1_001)) == ([995, 990], [1_005, 1_010])


@pytest.mark.parametrize(("held", "sides"), [(200, (0, 5)), (-200, (5, 0)), (199, (5, 5))])
def test_a_side_is_not_quoted_beyond_the_largest_position(
    held: int, sides: tuple[int, int]
) -> None:
    bids, asks = ticks(sleeve(), market(1_000, 1_001, held=held))
    assert (len(bids), len(asks)) == sides


def test_nothing_is_wanted_without_a_book() -> None:
    assert sleeve().on_timer(PERP_TERMS, Account()) is None


def test_unchanged_quotes_are_the_same_object_and_a_reset_forgets_the_moves() -> None:
    made = sleeve()
    first = made.on_timer(PERP_TERMS, market(1_000, 1_001))
    again = made.on_timer(PERP_TERMS, market(1_000, 1_001))
    assert first is not None
    assert again is not None
    assert first.quotes is again.quotes
    ticks(made, market(2_000, 2_001))
    made.reset()
    assert made.on_timer(PERP_TERMS, market(1_000, 1_001)) == first


def test_sizes_are_cut_to_the_lot_and_one_below_it_is_refused() -> None:
    target = sleeve(size="0.0109", levels=1).on_timer(PERP_TERMS, market(1_000, 1_001))
    assert target is not None
    assert target.quotes == (Quote(Side.BUY, 9_980, 10), Quote(Side.SELL, 10_030, 10))
    with pytest.raises(ConfigError, match=r"grid.size: 0.0009 BTC is less than the lot 0.001"):
        sleeve(size="0.0009").on_timer(PERP_TERMS, market(1_000, 1_001))
    with pytest.raises(ValidationError, match="most must be at least size"):
        GridConfig(size=Decimal(1), most=Decimal("0.5"))


def test_the_weights_are_those_of_the_rule_in_rust_to_the_last_bit() -> None:
    """``0.99 * variance + 0.01 * step²``: one minus the weight must be that very number."""
    assert (1.0 - GridConfig().weight).hex() == (0.99).hex()


@pytest.mark.parametrize(("side", "opens"), [(1, Side.BUY), (-1, Side.SELL)])
def test_a_grid_of_one_side_opens_as_any_and_closes_what_is_held(side: int, opens: Side) -> None:
    """10 lots a quote: of 25 held three quotes close, the last of 5; of none nothing does."""
    config = GridConfig.model_validate({"levels": 3, "skew": 0, "most": 100})
    whole = GridSleeve(config, MODEL, "model", PERP)
    made = GridSleeve(config, MODEL, "model", PERP, side)
    for held, closing in ((0, []), (25, [10, 10, 5]), (30, [10, 10, 10]), (50, [10, 10, 10])):
        view = market(1_000, 1_001, held=side * held)
        target, both = made.on_timer(PERP_TERMS, view), whole.on_timer(PERP_TERMS, view)
        assert target is not None
        assert both is not None
        assert target.quotes is not None
        assert both.quotes is not None
        kept = [q for q in target.quotes if q.side is opens]
        assert kept == [q for q in both.quotes if q.side is opens]
        others = [q for q in target.quotes if q.side is not opens]
        assert [q.quantity for q in others] == closing
        allowed = {q.px for q in both.quotes if q.side is not opens}
        assert {q.px for q in others} <= allowed
        nearest = (min if opens is Side.BUY else max)(allowed)
        assert not others or others[0].px == nearest


@pytest.mark.parametrize(("side", "opens"), [(1, Side.BUY), (-1, Side.SELL)])
def test_a_grid_of_one_side_closes_nothing_of_the_other_side(side: int, opens: Side) -> None:
    """Orders on their way may have taken it past flat: it only comes back."""
    config = GridConfig.model_validate({"levels": 3, "skew": 0, "most": 100})
    view = market(1_000, 1_001, held=-20 * side)
    target = GridSleeve(config, MODEL, "model", PERP, side).on_timer(PERP_TERMS, view)
    assert target is not None
    assert [q.side for q in target.quotes or ()] == [opens] * 3


def test_a_grid_of_one_side_stops_opening_at_its_most() -> None:
    view = market(1_000, 1_001, held=200)
    target = GridSleeve(GridConfig(levels=2), MODEL, "model", PERP, 1).on_timer(PERP_TERMS, view)
    assert target is not None
    assert {q.side for q in target.quotes or ()} == {Side.SELL}


def test_the_target_is_the_same_one_until_the_quotes_or_the_position_change() -> None:
    made, view = sleeve(levels=2, skew=0), market(1_000, 1_001)
    first = made.on_timer(PERP_TERMS, view)
    view.now += 1
    assert made.on_timer(PERP_TERMS, view) is first
    view.held[MODEL, PERP] = 10
    other = made.on_timer(PERP_TERMS, view)
    assert first is not None
    assert other == first._replace(ts=view.now, quantity=10)
    assert other is not None
    assert other.quotes is first.quotes


def test_a_still_market_is_quoted_nearer_as_its_moves_are_forgotten() -> None:
    """A move of 100 ticks, then none: after n wake-ups the variance is 100 * 0.99 ** n."""
    made, view = sleeve(levels=1), market(1_000, 1_001)
    ticks(made, view)
    view.bids[PERP], view.asks[PERP] = 11_000, 11_010
    assert ticks(made, view) == ([1_093], [1_108])
    for _ in range(100):
        near = ticks(made, view)
    half = 2.0 + 0.5 * math.sqrt(100 * 0.99**100)
    assert near == ([math.floor(1_100.5 - half)], [math.ceil(1_100.5 + half)])
    assert near == ([1_095], [1_106])
