"""Invariants of the whole risk manager over drawn accounts and targets."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from crypto_quant.core.messages import Target, Wallet
from tests.unit.strategy.account import (
    CARRY,
    MODEL,
    PERP,
    PERP_TERMS,
    SPOT,
    SPOT_TERMS,
    TERMS,
    Account,
)
from tests.unit.strategy.test_risk_manager import manager, order, pair, target

EQUITY = 100_000.0


@st.composite
def _accounts(draw: st.DrawFn) -> Account:
    """Draw an account whose carry pair is matched, with any model position."""
    size = draw(st.integers(0, 1_500))
    view = Account(
        equity=draw(st.floats(10_000, 500_000)),
        held={
            (CARRY, SPOT): size * 100,
            (CARRY, PERP): -size,
            (MODEL, PERP): draw(st.integers(-3_000, 3_000)),
        },
    )
    view.money[CARRY, Wallet.SPOT] = draw(st.floats(0, 100_000))
    return view


STOPS = st.integers(300_000, 999_999).map(lambda tick: tick * 10)


@given(_accounts(), st.integers(-6_000, 6_000), st.none() | STOPS, st.integers(0, 4_000))
def test_shrink_never_increases_any_target_and_keeps_legs_matched(
    view: Account, quantity: int, stop: int | None, size: int
) -> None:
    asked = [*pair(size), target(quantity, stop)]
    got = manager().shrink(asked, view, TERMS)
    for before, after in zip(asked, got, strict=True):
        assert abs(after.quantity) <= abs(before.quantity)
        assert after.quantity * before.quantity >= 0
        assert (after.instrument, after.sleeve, after.stop) == (
            before.instrument,
            before.sleeve,
            before.stop,
        )
    assert got[0].quantity * SPOT_TERMS.size_step == -got[1].quantity * PERP_TERMS.size_step


@given(_accounts(), st.integers(-6_000, 6_000), STOPS)
def test_accepted_growth_keeps_every_limit(view: Account, quantity: int, stop: int) -> None:
    """Limits re-computed from positions alone, exactly, for what would be held."""
    held = view.position(MODEL, PERP)
    (got,) = manager().shrink([target(quantity, stop)], view, TERMS)
    size = abs(got.quantity)
    if size <= abs(held) and got.quantity * held >= 0:
        return
    equity, worth = Decimal(view.equity), Decimal(50)
    contracts = (size + abs(view.position(CARRY, PERP))) * worth
    spot = view.position(CARRY, SPOT) * Decimal("0.5")
    slack = 1 + Decimal("1e-9")
    assert contracts / 5 <= Decimal("0.30") * equity * slack
    assert contracts + spot <= 3 * equity * slack
    distance = Decimal((5_000_000 - stop) * (1 if got.quantity > 0 else -1)) / 5_000_000
    lost = size * worth * (distance + Decimal("0.005") + 2 * Decimal("0.001"))
    assert distance > 0
    assert lost <= Decimal("0.01") * equity * slack


@given(_accounts(), st.integers(0, 100), st.floats(1_000, 200_000))
def test_close_always_gets_through(view: Account, share: int, equity: float) -> None:
    """Whatever the equity, a smaller target on the same side is not pushed back."""
    held = view.position(MODEL, PERP)
    smaller = abs(held) * share // 100 * (1 if held > 0 else -1)
    view.equity = equity
    risk = manager()
    risk.observe(view)
    (got,) = risk.shrink([Target(0, "model", PERP, smaller, None, "close")], view, TERMS)
    assert abs(got.quantity) <= abs(smaller)
    if held != smaller:
        close = order(smaller - held, reduce_only=True)
        approved, refused, _ = risk.stamp([close], view, TERMS)
        assert len(approved) == 1, refused
