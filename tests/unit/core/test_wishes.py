"""What sleeves say that cannot be meant is one error, before anything is made of it."""

from __future__ import annotations

from decimal import Decimal
from math import nan

import numpy as np
import pytest

from crypto_quant.core.errors import StrategyError
from crypto_quant.core.messages import Alarm, Target, Transfer, Wallet
from crypto_quant.core.wishes import check_own, check_target
from tests.unit.strategy.account import PERP, PERP_TERMS

TARGET = Target(1_700_000_000 * 10**9, "one", PERP, -3, PERP_TERMS.tick * 600_000, "why")


@pytest.mark.parametrize("stop", [None, PERP_TERMS.tick])
def test_a_target_of_whole_numbers_can_be_meant(stop: int | None) -> None:
    check_target(TARGET._replace(stop=stop), PERP_TERMS)


@pytest.mark.parametrize(
    ("what", "value", "words"),
    [
        ("stop", nan, "None or a positive multiple of the tick 10 in grid units, was nan"),
        ("stop", np.float64(nan), "None or a positive multiple of the tick 10 in grid units"),
        ("stop", 0, "None or a positive multiple .*, was 0"),
        ("stop", -10, "None or a positive multiple .*, was -10"),
        ("stop", 6_000_003, "None or a positive multiple .*, was 6000003"),
        ("stop", 10**30, "None or a positive multiple .*"),
        ("quantity", nan, "a whole number of grid units, was nan"),
        ("quantity", 3.0, "a whole number of grid units, was 3.0"),
        ("quantity", 10**30, "a whole number of grid units"),
        ("ts", None, "a time in ns, was None"),
        ("ts", nan, "a time in ns, was nan"),
    ],
)
def test_a_target_that_cannot_be_meant_says_what_is_wrong(
    what: str, value: object, words: str
) -> None:
    assert PERP_TERMS.tick == 10
    head = f"^target of sleeve one, instrument {PERP}: {what}: expected "
    with pytest.raises(StrategyError, match=head + words):
        check_target(TARGET._replace(**{what: value}), PERP_TERMS)  # type: ignore[arg-type]


def test_a_target_of_what_is_not_traded_says_so() -> None:
    with pytest.raises(StrategyError, match="instrument: expected one that is traded in this run"):
        check_target(TARGET, None)


@pytest.mark.parametrize("due", [nan, None, 1.0, 10**30])
def test_an_alarm_needs_a_time(due: object) -> None:
    check_own(Alarm(1, 2, "why"))
    with pytest.raises(StrategyError, match=r"^alarm: due: expected a time in ns, was "):
        check_own(Alarm(1, due, "why"))  # type: ignore[arg-type]


@pytest.mark.parametrize("amount", [5.0, nan, None, Decimal("nan"), Decimal("inf"), "5"])
def test_money_is_a_finite_decimal(amount: object) -> None:
    check_own(Transfer(1, 0, Wallet.SPOT, Decimal("5.5"), "why", fee=Decimal(1)))
    with pytest.raises(StrategyError, match=r"^transfer: amount: expected a finite Decimal, was "):
        check_own(Transfer(1, 0, Wallet.SPOT, amount, "why"))  # type: ignore[arg-type]
    if amount is not None:
        with pytest.raises(StrategyError, match=r"^transfer: fee: expected a finite Decimal, was "):
            check_own(Transfer(1, 0, Wallet.SPOT, Decimal(5), "why", fee=amount))  # type: ignore[arg-type]
