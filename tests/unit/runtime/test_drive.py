"""What a stage that raises ends with."""

from __future__ import annotations

import pytest

from crypto_quant.core.errors import StrategyError
from crypto_quant.core.messages import OrderType, Side, Target
from crypto_quant.core.tickets import Ticket
from crypto_quant.runtime.view import LineView
from tests.unit.backtesting.simulator.markets import market
from tests.unit.runtime.own_orders import Said, run

AT_300_MS = r"\(at 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.300000000Z, event \d+\)$"


def raises(view: LineView) -> Said:
    raise ZeroDivisionError("boom")


def strange(view: LineView) -> Said:
    return (Target(view.now, "one", 7, 0, None, "of nothing"),)


def empty(view: LineView) -> Said:
    return (Ticket(view.now, "one", 0, "none", Side.BUY, 0, OrderType.MARKET, "empty"),)


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (raises, "a stage raised ZeroDivisionError: boom "),
        (strange, "a stage raised KeyError: 7 "),
        (empty, "sleeve one, ticket 'none': .*"),
    ],
)
def test_a_stage_that_raises_ends_the_run_with_what_and_where(script: object, words: str) -> None:
    with pytest.raises(StrategyError, match=f"^{words}{AT_300_MS}"):
        run(market(), {300: script})  # type: ignore[dict-item]
