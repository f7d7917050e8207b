"""A position that is taken once and kept."""

from __future__ import annotations

from decimal import Decimal

import pytest

from crypto_quant.core.errors import ConfigError
from crypto_quant.strategy.position_manager.hold import HoldConfig, HoldSleeve
from tests.unit.strategy.account import MODEL, PERP, PERP_TERMS, Account


def view(px: int) -> Account:
    made = Account(bids={PERP: px}, asks={PERP: px + 10})
    made.prices[PERP] = px
    return made


@pytest.mark.parametrize(("side", "sign"), [(0, 1), (1, 1), (-1, -1)])
def test_it_asks_once_for_whole_lots_when_there_is_a_price(side: int, sign: int) -> None:
    sleeve = HoldSleeve(HoldConfig(size=Decimal("0.0129")), MODEL, "model", PERP, side)
    assert sleeve.on_timer(PERP_TERMS, view(0)) is None
    target = sleeve.on_timer(PERP_TERMS, view(10_000))
    assert target is not None
    assert (target.quantity, target.stop, target.quotes) == (sign * 12, None, None)
    assert sleeve.on_timer(PERP_TERMS, view(20_000)) is None
    sleeve.reset()
    assert sleeve.on_timer(PERP_TERMS, view(10_000)) is not None


def test_less_than_a_lot_is_refused() -> None:
    sleeve = HoldSleeve(HoldConfig(size=Decimal("0.0009")), MODEL, "model", PERP)
    with pytest.raises(ConfigError, match=r"hold\.size: 0\.0009 BTC is less than the lot 0\.001"):
        sleeve.on_timer(PERP_TERMS, view(10_000))
