"""Limits of an inverse contract, by hand: its notional is in dollars at any price."""

from __future__ import annotations

import pytest

from crypto_quant.core.errors import ConfigError
from crypto_quant.core.messages import Conditions, Quote, Side, Target
from crypto_quant.strategy.carry import CarryConfig
from crypto_quant.strategy.carry.pair import Pair
from crypto_quant.strategy.risk_manager.config import RiskConfig
from tests.unit.strategy.account import MODEL, PERP, SPOT_TERMS, Account
from tests.unit.strategy.coin import COIN, MID, TERMS, account, quoted
from tests.unit.strategy.test_risk_manager import manager

FREE: dict[str, object] = {"require_stop": False, "loss_at_stop": 1.0}
PRICES = (MID // 2, MID, 2 * MID)


def shrunk(quantity: int, stop: int | None, view: Account, **limits: object) -> int:
    wanted = Target(0, "model", PERP, quantity, stop, "test")
    (got,) = manager(**limits).shrink([wanted], view, TERMS)
    return got.quantity


@pytest.mark.parametrize("px", PRICES)
@pytest.mark.parametrize(
    ("limits", "own", "most"),
    [
        ({"loss_at_stop": 0.2}, 100_000.0, 200),  # all of 20,000 may be lost
        ({"initial_margin": 0.1, "leverage": 4}, 100_000.0, 400),  # 10,000 carry 40,000
        ({"leverage": 2}, 20_000.0, 400),  # twice the sleeve's own
        ({"notional": 0.7}, 100_000.0, 700),  # of the account's
    ],
)
def test_each_limit_is_one_of_dollars_whatever_the_price(
    limits: dict[str, object], own: float, most: int, px: int
) -> None:
    view = account(own=own, px=px)
    for side in (1, -1):
        assert shrunk(side * 5_000, None, view, **{**FREE, **limits}) == side * most
    wanted = Target(0, "model", PERP, 0, None, "grid", (Quote(Side.BUY, px - 1, 5_000),))
    (left,) = manager(**{**FREE, **limits}).shrink([wanted], view, TERMS)
    assert left.quotes == (Quote(Side.BUY, px - 1, most),)


def test_a_position_is_sized_by_what_it_loses_in_dollars_at_its_stop() -> None:
    """1,000 may be lost; at 49,500 a contract bought at 50,000 has lost 1 %.

    That is 100 / 49,500 - 100 / 50,000 of a coin, or 1 USD there; with 0.5 % by the gap and 0.1 %
    a side it is 1.70.
    """
    assert pytest.approx(1) == (100 / 49_500 - 100 / 50_000) * 49_500
    assert shrunk(5_000, 495_000, account()) == 588
    assert shrunk(-5_000, 505_000, account()) == -588
    assert shrunk(5_000, 505_000, account()) == 0  # no stop at all


def test_alone_it_is_no_hedged_pair() -> None:
    """Without a stop it may not grow, although no coins are bought or sold by it."""
    assert shrunk(10, None, account()) == 0
    assert shrunk(50, None, account(100)) == 50


@pytest.mark.parametrize("px", PRICES)
def test_orders_are_refused_at_the_same_notional_at_any_price(px: int) -> None:
    """3,000 contracts are three times the equity, whatever is bid for them."""
    risk = manager(**FREE, initial_margin=1.0)
    orders = [quoted(1, 2_999, px - 5), quoted(2, 2, px // 2), quoted(3, 1, px - 1)]
    stamped = risk.stamp(orders, account(px=px), TERMS)
    assert [a.order.id for a in stamped.approved] == [1, 3]
    (refused,) = stamped.refused
    assert refused.reason == "notional: notional 300100.00 above 300000.00"


def test_margin_is_the_notional_over_the_leverage() -> None:
    """1,501 contracts at 5 times need 30,020 of the 30,000 that may be margin."""
    stamped = manager(**FREE).stamp([quoted(1, -1_501)], account(), TERMS)
    (refused,) = stamped.refused
    assert refused.reason == "initial_margin: initial margin 30020.00 above 30000.00"
    assert manager(**FREE).stamp([quoted(1, -1_500)], account(), TERMS).refused == ()


def test_one_contract_is_enough_and_the_tick_binds() -> None:
    """The venue states no smallest notional: what is left of a side may be one contract."""
    stamped = manager().stamp([quoted(1, 1), quoted(2, 1, 0)], account(), TERMS)
    assert [a.order.id for a in stamped.approved] == [1]
    assert "no positive multiple of the tick" in stamped.refused[0].reason
    large = COIN._replace(min_notional=COIN.size_step * 5)
    stamped = manager().stamp([quoted(1, 4), quoted(2, 5, 1)], account(), {PERP: large})
    assert [a.order.id for a in stamped.approved] == [2]
    alone = manager(**FREE).stamp([quoted(1, 4)], account(), {PERP: large})
    assert (alone.approved, len(alone.refused)) == ((), 1)
    assert "notional 400.00 below the venue's smallest 500" in stamped.refused[0].reason


@pytest.mark.parametrize("own", [MID // 2, 10 * MID])
def test_what_waits_far_from_the_market_is_worth_no_more(own: int) -> None:
    """1,000 contracts are all of the equity, also those that are to be sold at 500,000."""
    risk = manager(**FREE, notional=1.0)
    ticket = quoted(1, -1_000, own)._replace(is_quote=False, conditions=Conditions("far"))
    assert risk.stamp([ticket], account(), TERMS).refused == ()
    working = account()
    working.openings[MODEL, PERP] = [(-400, own)]
    working.pending[MODEL, PERP] = -400
    stamped = risk.stamp([quoted(2, -600, MID), quoted(3, -1, MID)], working, TERMS)
    assert [a.order.id for a in stamped.approved] == [2]
    assert stamped.refused[0].reason == "notional: notional 100100.00 above 100000.00"


def test_carry_does_not_match_coins_with_contracts() -> None:
    with pytest.raises(ConfigError, match="carry matches its legs in BTC, which an inverse"):
        Pair(SPOT_TERMS, COIN, CarryConfig(), RiskConfig())
