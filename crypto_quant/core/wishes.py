"""What sleeves say, looked at before anything is made of it."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from crypto_quant.core.errors import StrategyError
from crypto_quant.core.messages import Alarm, Target, Transfer
from crypto_quant.core.terms import Terms

BEYOND: Final = 1 << 62
"""No time, price or quantity is as large."""


def check_target(target: Target, rule: Terms | None) -> None:
    """Check that a target can be meant: whole numbers, and a stop on the tick.

    Parameters
    ----------
    target
        What a sleeve says.
    rule
        The terms of its instrument, ``None`` where this run does not trade it.

    Raises
    ------
    StrategyError
        A value is of the wrong type, NaN, out of range, or off the tick.
    """
    ts, _, _, quantity, stop, _, _ = target
    if rule is None:
        raise _wrong(target, "instrument", "one that is traded in this run", target.instrument)
    if not _is_whole(ts):
        raise _wrong(target, "ts", "a time in ns", ts)
    if not _is_whole(quantity):
        raise _wrong(target, "quantity", "a whole number of grid units", quantity)
    if stop is not None and not (_is_whole(stop) and stop > 0 and stop % rule.tick == 0):
        expected = f"None or a positive multiple of the tick {rule.tick} in grid units"
        raise _wrong(target, "stop", expected, stop)


def check_own(said: Transfer | Alarm) -> None:
    """Check that money can be moved so, or an alarm be set.

    Raises
    ------
    StrategyError
        A time is no whole number, an amount no finite decimal.
    """
    if isinstance(said, Alarm):
        if not (_is_whole(said.ts) and _is_whole(said.due)):
            raise StrategyError(f"alarm: due: expected a time in ns, was {said.due!r}")
        return
    amounts: tuple[object, object] = said.amount, said.fee
    for what, value in zip(("amount", "fee"), amounts, strict=True):
        is_unsaid = what == "fee" and value is None
        if not (is_unsaid or type(value) is int or _is_finite(value)):
            raise StrategyError(f"transfer: {what}: expected a finite Decimal, was {value!r}")


def _is_whole(value: object) -> bool:
    return type(value) is int and -BEYOND < value < BEYOND


def _is_finite(value: object) -> bool:
    return isinstance(value, Decimal) and value.is_finite()


def _wrong(target: Target, what: str, expected: str, value: object) -> StrategyError:
    whose = f"sleeve {target.sleeve}, instrument {target.instrument}"
    return StrategyError(f"target of {whose}: {what}: expected {expected}, was {value!r}")
