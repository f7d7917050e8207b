"""When money is sent by rule, by hand."""

from __future__ import annotations

from decimal import Decimal

import pytest
from pydantic import ValidationError

from crypto_quant.core.messages import Transfer, Wallet
from crypto_quant.strategy.transfers import Route, Schedule, TransferRule

SECOND = 10**9
START = 1_700_000_000 * SECOND


class Purse:
    """An account whose wallets are worth what the test says."""

    def __init__(self) -> None:
        self.now = START
        self.held: dict[tuple[Wallet, str], float] = {}

    def worth(self, wallet: Wallet, venue: str) -> float:
        return self.held[wallet, venue]


def route(**rule: object) -> Route:
    made = TransferRule.model_validate({"book": "a", "amount": "12.5", **rule})
    return Route("top_up", made, 3, Wallet.MARGIN, "HERE", "USDT")


def sent(schedule: Schedule, purse: Purse, seconds: list[float]) -> list[float]:
    """Return at which of these times after the start something is sent."""
    out = []
    for after in seconds:
        purse.now = START + round(after * SECOND)
        out += [after] * len(schedule.on_timer(purse))
    return out


CLOCK = [n / 2 for n in range(40)]


def test_a_rule_is_due_once_or_again_at_its_distance_from_the_first_wake_up() -> None:
    for rule, due in (
        ({}, [0]),
        ({"after_s": 3}, [3]),
        ({"after_s": 3, "every_s": 5}, [3, 8, 13, 18]),
        ({"every_s": 0.7}, [0, 1, 1.5, 2.5, 3, 3.5, 4.5, 5, 6, 6.5, 7, 8, 8.5, 9.5, 10]),
    ):
        schedule = Schedule([route(**rule)])
        clock = [at for at in CLOCK if at <= 10 or "after_s" in rule]
        assert sent(schedule, Purse(), clock) == due
        schedule.reset()  # another session: its first wake-up is its beginning
        assert sent(schedule, Purse(), clock) == due


def test_wake_ups_that_are_missed_send_once() -> None:
    schedule = Schedule([route(after_s=1, every_s=2)])
    assert sent(schedule, Purse(), [0, 8.5, 8.9, 9, 10.9, 11]) == [8.5, 9, 11]


def test_below_is_asked_of_the_wallet_that_receives() -> None:
    purse = Purse()
    purse.held = {(Wallet.MARGIN, "THERE"): 99.0, (Wallet.SPOT, "HERE"): 100.0}
    away = Schedule([route(to="THERE", below=100, every_s=1)])
    beside = Schedule([route(below=100, every_s=1)])
    assert sent(away, purse, [0, 1]) == [0, 1]
    assert sent(beside, purse, [0, 1]) == []
    purse.held[Wallet.MARGIN, "THERE"] = 100.0
    assert sent(away, purse, [2]) == []


def test_what_is_sent_says_whose_it_is_and_why() -> None:
    first, second = route(to="THERE"), route()
    assert Schedule([first, second]).on_timer(Purse()) == (
        Transfer(START, 3, Wallet.MARGIN, Decimal("12.5"), "top_up", "HERE", "THERE", None, "USDT"),
        Transfer(START, 3, Wallet.MARGIN, Decimal("12.5"), "top_up", "HERE", "", None, "USDT"),
    )


@pytest.mark.parametrize("amount", ["0", "-1", "nan", "1e12", "0.000000001"])
def test_an_amount_that_no_venue_moves_is_refused(amount: str) -> None:
    with pytest.raises(ValidationError, match="amount"):
        TransferRule(book="a", amount=Decimal(amount))


def test_a_distance_of_less_than_a_millisecond_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"expected 0 or at least 0\.001"):
        TransferRule.model_validate({"book": "one", "amount": 1, "every_s": 1e-12})
