"""Prices from before the run fill a look-back; nothing of the day of the decision or later."""

from __future__ import annotations

import math
from typing import cast

import pytest

from crypto_quant.runtime.history import DAY_NS, DailyCloses
from crypto_quant.runtime.sleeves import MomentumStage, Wish
from crypto_quant.runtime.view import LineView
from crypto_quant.strategy.position_manager.momentum import MomentumConfig, MomentumSleeve
from crypto_quant.strategy.signal_generator.momentum import MomentumSignal, MomentumSignalConfig
from tests.unit.strategy.account import HOUR, MODEL, PERP, TERMS, Account

DAYS = 5
FIRST = 19_000
PX = [5_000_000 + 10_000 * (n * n % 11) for n in range(40)]
MIDNIGHTS = [(FIRST + n) * DAY_NS for n in range(40)]


def _stage(past: DailyCloses) -> MomentumStage:
    signal = MomentumSignal(MomentumSignalConfig(lookback_days=DAYS), "model")
    sleeve = MomentumSleeve(MomentumConfig(), MODEL, "model", PERP)
    return MomentumStage(signal, sleeve, PERP, past, DAYS)


def _wake(stage: MomentumStage, now: int, px: int) -> Wish:
    view = Account(now=now)
    view.prices[PERP] = px
    return stage.on_timer(cast("LineView", view), TERMS)


def test_closes_are_of_the_days_before_today() -> None:
    past = DailyCloses(MIDNIGHTS, PX)
    noon = MIDNIGHTS[10] + 12 * HOUR
    assert past.before(noon, 3) == [(MIDNIGHTS[n], PX[n]) for n in (7, 8, 9)]
    assert past.before(MIDNIGHTS[10], 3) == past.before(noon, 3)
    assert past.before(MIDNIGHTS[2], 30) == [(MIDNIGHTS[n], PX[n]) for n in (0, 1)]
    assert DailyCloses().before(noon, 3) == []


@pytest.mark.parametrize("hour", [0, 7])
def test_first_wake_up_decides_as_if_the_stage_had_lived_through_the_past(hour: int) -> None:
    lived = _stage(DailyCloses())
    for n in range(10, 20):
        _wake(lived, MIDNIGHTS[n], PX[n])
    now = MIDNIGHTS[20] + hour * HOUR
    told = _wake(_stage(DailyCloses(MIDNIGHTS, PX)), now, PX[20])
    assert told == _wake(lived, now, PX[20])
    (signal,) = told[1]
    change = PX[20] / PX[20 - DAYS] - 1.0
    assert signal.direction == math.copysign(1, change)
    assert told[2][0].quantity * change > 0


def test_prices_of_today_and_later_change_nothing() -> None:
    now = MIDNIGHTS[20] + HOUR
    wild = DailyCloses(MIDNIGHTS, PX[:20] + [1] * 20)
    cut = DailyCloses(MIDNIGHTS[:20], PX[:20])
    assert _wake(_stage(wild), now, PX[20]) == _wake(_stage(cut), now, PX[20])


def test_a_day_missing_from_the_past_is_no_daily_return() -> None:
    kept = [n for n in range(20) if n != 18]
    past = DailyCloses([MIDNIGHTS[n] for n in kept], [PX[n] for n in kept])
    stage = _stage(past)
    signals = [_wake(stage, MIDNIGHTS[n], PX[n])[1] for n in range(20, 26)]
    assert [len(found) for found in signals] == [0, 0, 0, 0, 1, 1]  # 19 to 24: five returns


def test_after_a_hole_only_the_past_right_before_counts() -> None:
    stage = _stage(DailyCloses(MIDNIGHTS[:20], PX[:20]))
    assert _wake(stage, MIDNIGHTS[20], PX[20])[1]
    stage.reset()
    assert _wake(stage, MIDNIGHTS[30], PX[30])[1] == ()
    stage.reset()
    assert _wake(stage, MIDNIGHTS[20], PX[20])[1]
