"""An account that trades one inverse contract: 100 USD each, at 50,000.0."""

from __future__ import annotations

from typing import Final

from crypto_quant.core.messages import Allocation, Order, OrderType, Side
from crypto_quant.core.terms import Terms, terms_at
from crypto_quant.venues.rules import load_instruments
from tests.unit.strategy.account import MODEL, PERP, Account

MID: Final = 500_000
COIN: Final[Terms] = terms_at(load_instruments()["BTCUSD-PERP.BINANCE"], 1_723_075_200 * 10**9)
TERMS: Final = {PERP: COIN}


def account(
    held: int = 0, *, equity: float = 100_000.0, own: float = 100_000.0, px: int = MID
) -> Account:
    """Return an account whose model holds contracts; ``own`` is the equity of its book."""
    holds = {(MODEL, PERP): held}
    return Account(equity=equity, prices={PERP: px}, held=holds, equities={MODEL: own})


def quoted(number: int, quantity: int, px: int = MID) -> Order:
    """Return a quote of the model sleeve; ``quantity`` is signed."""
    side = Side.BUY if quantity > 0 else Side.SELL
    return Order(
        ts=0,
        id=number,
        instrument=PERP,
        side=side,
        quantity=abs(quantity),
        type=OrderType.POST_ONLY,
        price=px,
        stop=None,
        reduce_only=False,
        allocations=(Allocation(MODEL, quantity),),
        reason="test",
        is_quote=True,
    )
