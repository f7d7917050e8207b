"""What orders that only reduce may lead to: the book's two ends against every order of fills.

The venue here is an independent one of a few lines: it knows the account's position only, and lets
an order that only reduces trade no further than that is flat.
"""

from __future__ import annotations

from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from crypto_quant.core.messages import Allocation, Conditions, Order, OrderType, Side
from crypto_quant.execution.order_manager import OrderManager
from crypto_quant.strategy.risk_manager.book import RiskBook, RiskState
from tests.unit.strategy.account import CARRY, MODEL, PERP, TERMS, Account


class Own(NamedTuple):
    """An order of a sleeve: signed quantity, and whether it only reduces."""

    sleeve: int
    quantity: int
    reduces: bool


OWN = st.builds(
    Own, st.sampled_from([CARRY, MODEL]), st.integers(-6, 6).filter(bool), st.booleans()
)
HELD = st.tuples(st.integers(-8, 8), st.integers(-8, 8))


def made(own: Own, number: int) -> Order:
    """Return it as a ticket's order: conditional, so that nothing of it trades before it must."""
    return Order(
        0,
        number,
        PERP,
        Side.BUY if own.quantity > 0 else Side.SELL,
        abs(own.quantity),
        OrderType.STOP_MARKET,
        None,
        5_000_000,
        own.reduces,
        (Allocation(own.sleeve, own.quantity),),
        "",
        conditions=Conditions(str(number)),
    )


def book_of(held: tuple[int, int], live: list[Own], new: list[Own]) -> RiskBook:
    """Return the risk manager's book with orders that live and orders of this wake-up."""
    orders = OrderManager()
    view = Account(held=dict(zip(((CARRY, PERP), (MODEL, PERP)), held, strict=True)))
    for own in live:
        orders.place(made(own, orders.next_id()))
    keys = [(sleeve, PERP) for sleeve in (CARRY, MODEL)]
    view.pending = {key: orders.working(*key) for key in keys}
    view.sales = {key: orders.selling(*key) for key in keys}
    view.exits = dict(orders.named.exits)
    book = RiskBook(view, TERMS, range(2), RiskState())
    for number, own in enumerate(new, start=1_000):
        book.accept_order(made(own, number))
    return book


def filled(held: tuple[int, int], moves: list[tuple[Own, int]]) -> tuple[int, int]:
    """Return the sleeves' positions after parts of orders traded in turn, as far as they may."""
    own_of = list(held)
    for own, part in moves:
        account, side = sum(own_of), 1 if own.quantity > 0 else -1
        most = min(part, max(0, -account * side)) if own.reduces else part
        own_of[own.sleeve] += side * most
    return own_of[0], own_of[1]


@st.composite
def _worlds(
    draw: st.DrawFn,
) -> tuple[tuple[int, int], list[Own], list[Own], list[tuple[Own, int]]]:
    held, live, new = draw(HELD), draw(st.lists(OWN, max_size=4)), draw(st.lists(OWN, max_size=3))
    moves: list[tuple[Own, int]] = []
    for own in [*live, *new]:
        left = abs(own.quantity)
        for _ in range(draw(st.integers(0, 2))):
            part = draw(st.integers(0, left))
            left -= part
            moves.append((own, part))
    return held, live, new, draw(st.permutations(moves))


@given(_worlds())
def test_no_order_of_fills_leads_beyond_the_ends_that_the_book_names(
    world: tuple[tuple[int, int], list[Own], list[Own], list[tuple[Own, int]]],
) -> None:
    held, live, new, moves = world
    book = book_of(held, live, new)
    for sleeve, position in enumerate(filled(held, moves)):
        low, high = book.reach(sleeve, PERP)
        assert low <= position <= high


@given(_worlds(), OWN)
def test_an_exit_that_counts_as_a_close_takes_its_sleeve_past_flat_never(
    world: tuple[tuple[int, int], list[Own], list[Own], list[tuple[Own, int]]], own: Own
) -> None:
    """Whatever else fills before it: what lay within the ends before lies within them still."""
    held, live, new, moves = world
    own = own._replace(reduces=True)
    book = book_of(held, live, new)
    low, high = book.reach(own.sleeve, PERP)
    if not book.shrinks(made(own, 5_000)):
        return
    position = filled(held, [*moves, (own, abs(own.quantity))])[own.sleeve]
    assert min(low, 0) <= position <= max(high, 0)


@given(st.integers(-8, 8), st.lists(st.integers(1, 9), min_size=1, max_size=5))
def test_alone_any_number_of_exits_are_closes(held: int, sizes: list[int]) -> None:
    side = -1 if held >= 0 else 1
    exits = [Own(MODEL, side * size, reduces=True) for size in sizes]
    book = book_of((0, held), exits[:-1], [])
    assert book.shrinks(made(exits[-1], 9))
    left = max(0, abs(held) - sum(sizes[:-1]))
    ends = sorted((held, left if held >= 0 else -left))
    assert book.reach(MODEL, PERP) == tuple(ends)


def test_an_exit_counts_as_an_opening_where_another_sleeve_could_lend_it_the_position() -> None:
    """By hand: both hold 5; two exits of 5 each of one sleeve may sell the other's 5 too."""
    sale = Own(MODEL, -5, reduces=True)
    first, second = book_of((5, 5), [], []), book_of((5, 5), [sale], [])
    assert first.shrinks(made(sale, 7))
    assert second.reach(MODEL, PERP) == (0, 5)
    assert not second.shrinks(made(sale, 8))
    assert book_of((5, 5), [sale], [sale]).reach(MODEL, PERP) == (-5, 5)
