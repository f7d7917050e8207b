"""Every registered risk check: cuts, never enlarges; never blocks what only shrinks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto_quant.core.messages import Allocation, Order, OrderType, Side, Wallet
from crypto_quant.strategy.risk_manager import CHECKS
from crypto_quant.strategy.risk_manager.batch import of_orders, of_quotes
from crypto_quant.strategy.risk_manager.book import DAY_NS, Proposal, RiskBook, RiskState
from crypto_quant.strategy.risk_manager.config import RiskConfig
from tests.unit.strategy.account import CARRY, MODEL, PERP, SLEEVES, SPOT, TERMS, Account

QUANTITIES = st.integers(-20_000, 20_000)


@st.composite
def _worlds(draw: st.DrawFn) -> Account:
    """Draw an account in any state: rich, ruined, without prices, over every limit."""
    held = {
        (CARRY, SPOT): draw(st.integers(0, 500_000)),
        (CARRY, PERP): draw(QUANTITIES),
        (MODEL, PERP): draw(QUANTITIES),
    }
    bought, sold = draw(st.tuples(*[st.integers(0, 20_000)] * 2))
    view = Account(
        equity=draw(st.floats(-1_000, 1e6)),
        held=held,
        pending={(MODEL, PERP): bought - sold},
        sales={(MODEL, PERP): -sold},
        prices={i: draw(st.sampled_from([0, 1, 5_000_000, 9_999_990])) for i in (SPOT, PERP)},
        equities={CARRY: draw(st.floats(-1e5, 1e6)), MODEL: draw(st.floats(-1e5, 1e6))},
    )
    view.money[CARRY, Wallet.SPOT] = draw(st.floats(0, 1e6))
    view.money[MODEL, Wallet.SPOT] = draw(st.floats(0, 1e6))
    return view


def _book(view: Account, *, halted: bool) -> RiskBook:
    state = RiskState()
    state.halted_day = view.now // DAY_NS if halted else -1
    return RiskBook(view, TERMS, range(len(SLEEVES)), state)


@st.composite
def _proposals(draw: st.DrawFn) -> tuple[Proposal, RiskBook]:
    view = draw(_worlds())
    sleeve, instrument = draw(st.sampled_from([(CARRY, SPOT), (CARRY, PERP), (MODEL, PERP)]))
    terms, px = TERMS[instrument], view.px(instrument)
    stop = draw(st.none() | st.integers(1, 10_000_000))
    proposal = Proposal(
        sleeve,
        instrument,
        draw(st.integers(-500_000, 500_000)),
        view.position(sleeve, instrument),
        px,
        stop,
        draw(st.none() | st.integers(1, 10_000_000)),
        px * terms.price_unit * terms.size_unit,
        draw(st.booleans()),
        terms,
    )
    return proposal, _book(view, halted=draw(st.booleans()))


@pytest.mark.parametrize("name", CHECKS)
@given(drawn=_proposals())
def test_check_never_increases_the_target(name: str, drawn: tuple[Proposal, RiskBook]) -> None:
    proposal, book = drawn
    left = CHECKS[name](RiskConfig()).shrink(proposal, book)
    assert isinstance(left, int)
    assert abs(left) <= abs(proposal.target)
    assert left * proposal.target >= 0


@pytest.mark.parametrize("name", CHECKS)
@given(drawn=_proposals())
def test_check_leaves_its_own_result_alone(name: str, drawn: tuple[Proposal, RiskBook]) -> None:
    proposal, book = drawn
    check = CHECKS[name](RiskConfig())
    left = check.shrink(proposal, book)
    assert check.shrink(proposal._replace(target=left), book) == left


@pytest.mark.parametrize("name", CHECKS)
@given(drawn=_proposals(), share=st.integers(0, 100))
def test_shrinking_target_is_never_pushed_back_to_the_position(
    name: str, drawn: tuple[Proposal, RiskBook], share: int
) -> None:
    """A target between flat and the position is reached or overtaken, never refused."""
    proposal, book = drawn
    smaller = (
        proposal.position * share // 100
        if proposal.position > 0
        else -(-proposal.position * share // 100)
    )
    left = CHECKS[name](RiskConfig()).shrink(proposal._replace(target=smaller), book)
    assert abs(left) <= abs(smaller)


@pytest.mark.parametrize("name", CHECKS)
@given(view=_worlds(), share=st.integers(1, 100), halted=st.booleans(), flood=st.booleans())
def test_exposure_check_never_refuses_an_order_that_only_shrinks(
    name: str, view: Account, share: int, halted: bool, flood: bool
) -> None:
    check = CHECKS[name](RiskConfig())
    held = view.position(MODEL, PERP)
    closing_now = view.selling(MODEL, PERP) if held > 0 else _buying(view)
    quantity = max(0, abs(held) - abs(closing_now)) * share // 100
    if not check.is_exposure or quantity == 0:
        return
    book = _book(view, halted=halted)
    book.state.sent.add(view.now, 1_000 if flood else 0)
    closing = -quantity if held > 0 else quantity
    order = Order(
        view.now,
        1,
        PERP,
        Side.BUY if closing > 0 else Side.SELL,
        quantity,
        OrderType.MARKET,
        None,
        None,
        False,
        (Allocation(MODEL, closing),),
        "close",
    )
    assert book.shrinks(order)
    assert check.refusal(order, book) is None


@st.composite
def _batches(draw: st.DrawFn) -> tuple[list[Order], RiskBook]:
    """Draw orders of one wake-up, large and small, some of them off tick or lot."""
    view = draw(_worlds())
    book = _book(view, halted=draw(st.booleans()))
    book.state.sent.add(view.now - 1, draw(st.sampled_from([0, 50, 119, 120])))
    orders = []
    for number in range(1, draw(st.integers(1, 4)) + 1):
        sleeve, instrument = draw(st.sampled_from([(CARRY, SPOT), (CARRY, PERP), (MODEL, PERP)]))
        quantity = draw(st.sampled_from([1, 30, 2_000, 6_000])) * draw(st.sampled_from([1, -1]))
        orders.append(
            Order(
                view.now,
                number,
                instrument,
                Side.BUY if quantity > 0 else Side.SELL,
                abs(quantity),
                OrderType.POST_ONLY,
                draw(st.sampled_from([4_999_990, 5_000_000, 5_000_001])),
                None,
                False,
                (Allocation(sleeve, quantity),),
                "quote",
            )
        )
    return orders, book


@pytest.mark.parametrize("name", CHECKS)
@given(drawn=_batches())
def test_what_a_check_clears_it_refuses_none_of(
    name: str, drawn: tuple[list[Order], RiskBook]
) -> None:
    orders, book = drawn
    check = CHECKS[name](RiskConfig())
    batch = of_orders(orders, book)
    assert batch is not None
    if not check.clears(batch, book):
        return
    for order in orders:
        assert check.refusal(order, book) is None
        book.accept_order(order)
        book.state.sent.add(book.now)


@pytest.mark.parametrize("name", CHECKS)
@given(
    view=_worlds(),
    halted=st.booleans(),
    free=st.booleans(),
    bought=st.sampled_from([0, 1, 40, 3_000, 20_000]),
    sold=st.sampled_from([0, 1, 40, 3_000, 20_000]),
    where=st.sampled_from([(CARRY, SPOT), (CARRY, PERP), (MODEL, PERP)]),
)
def test_of_quotes_that_a_check_clears_it_cuts_neither_side(
    name: str,
    view: Account,
    halted: bool,
    free: bool,
    bought: int,
    sold: int,
    where: tuple[int, int],
) -> None:
    config = RiskConfig(require_stop=not free, loss_at_stop=1.0 if free else 0.01)
    check, book, held = CHECKS[name](config), _book(view, halted=halted), view.position(*where)
    if not check.clears(of_quotes(*where, held - sold, held + bought, book), book):
        return
    terms, px = TERMS[where[1]], book.px(where[1])
    worth = px * terms.price_unit * terms.size_unit
    for end, quoted in ((held + bought, bought), (held - sold, -sold)):
        if end * quoted > 0:  # it opens something
            asked = Proposal(*where, end, held, px, None, None, worth, False, terms)
            assert check.shrink(asked, book) == end


def _buying(view: Account) -> int:
    return view.working(MODEL, PERP) - view.selling(MODEL, PERP)


@pytest.mark.parametrize("name", CHECKS)
def test_check_documents_itself(name: str) -> None:
    check = CHECKS[name](RiskConfig())
    assert type(check).__doc__
    assert type(check).__module__.endswith(name)
