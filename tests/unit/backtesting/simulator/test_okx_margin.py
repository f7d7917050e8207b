"""When OKX liquidates: maintenance of its tiers by contracts, with the taker's fee beside it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from crypto_quant.backtesting.simulator import OrderType, Simulator
from crypto_quant.core.errors import DataError
from crypto_quant.core.instruments import Bracket, Dated, Instrument, Row
from crypto_quant.venues.rules import load_instruments
from tests.unit.backtesting.simulator.markets import LATENCY, MS, market

SWAP = load_instruments()["BTC-USDT-SWAP.OKX"]


def long_half_a_coin(instrument: Instrument, mark: int) -> Simulator:
    """Buy 50 contracts of 0.01 BTC at 60,000.1 with 3,100 USDT; then the mark is ``mark`` ticks."""
    marks = ((0, 600_001), (500, mark))
    made = Simulator([market(instrument, marks=marks)], sim=LATENCY, capital=Decimal(3_100))
    assert made.elapse(98 * MS)
    made.submit_buy_order(0, 1, None, 500, order_type=OrderType.MARKET)
    made.elapse(1_000 * MS)
    return made


@pytest.mark.parametrize(("mark", "held"), [(540_735, 500), (540_734, 0)])
def test_the_fee_beside_maintenance_liquidates_earlier(mark: int, held: int) -> None:
    """By OKX's text margin + P&L over 0.5 P (0.4 % + 0.05 %) is 1 at 54,073.43.

    The fee of 15.000025 leaves 3,084.999975: 0.5 * 60,000.1 less that is 26,915.050025, over
    0.5 * 0.9955. Without the fee beside it the price would be 54,046.28.
    """
    assert long_half_a_coin(SWAP, mark).position(0) == held


def test_a_position_beyond_the_tiers_that_are_known_is_an_error() -> None:
    """Of tier 1 alone nobody knows what 50 contracts need where it ends at 49."""
    tiers: tuple[Bracket, ...] = (Bracket(Decimal(49), Decimal("0.004"), 100, Decimal(0)),)
    short = replace(SWAP, brackets=Dated((Row(0, tiers, "made up"),)))
    said = (
        "BTC-USDT-SWAP.OKX: a position of 0.5 is beyond the last margin tier .*, 0.49: trade less"
    )
    with pytest.raises(DataError, match=said):
        long_half_a_coin(short, 600_000)
