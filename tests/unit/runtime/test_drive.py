"""What a stage that raises ends with."""

from __future__ import annotations

from pathlib import Path

import pytest

from crypto_quant.core.errors import StrategyError
from crypto_quant.core.messages import OrderType, Prediction, Side, Signal, Target
from crypto_quant.core.tickets import Ticket
from crypto_quant.runtime.decisions import DecisionLog
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
        (strange, "target of sleeve one, instrument 7: instrument: expected .*, was 7 "),
        (empty, "sleeve one, ticket 'none': .*"),
    ],
)
def test_a_stage_that_raises_ends_the_run_with_what_and_where(script: object, words: str) -> None:
    with pytest.raises(StrategyError, match=f"^{words}{AT_300_MS}"):
        run(market(), {300: script})  # type: ignore[dict-item]


def unwritable(view: LineView) -> Said:
    seen = Signal(view.now, "one", 1, 0.5, object())  # type: ignore[arg-type]
    return seen, Target(view.now, "one", 0, 1, None, "why")


def test_what_cannot_be_logged_ends_the_run_with_what_and_where(tmp_path: Path) -> None:
    words = "^what a stage said can be neither logged nor sent: .*"
    with (
        DecisionLog(tmp_path / "log") as log,
        pytest.raises(StrategyError, match=words + AT_300_MS),
    ):
        run(market(), {300: unwritable}, log=log)


def test_what_is_seen_and_expected_is_said_while_nothing_is_wanted() -> None:
    signal = Signal(1, "one", 1, 0.5, "seen")
    prediction = Prediction(1, 0.6, 0.4, "model")
    ran = run(market(), {300: (signal, prediction), 400: (signal,)})
    told = [d for d in ran.decisions if d.signals or d.prediction]
    assert [(d.prediction, d.signals) for d in told] == [
        (prediction, (signal,)),
        (None, (signal,)),
    ]
    assert not any(d.targets or d.commands for d in ran.decisions)
