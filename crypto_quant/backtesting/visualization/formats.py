"""Formats: numbers and times as people read them; what is undefined is a dash."""

from __future__ import annotations

import math
from decimal import Decimal

import numpy as np

DASH = "\u2013"
_MINUS = "\u2212"


def percent(value: float | None, digits: int = 1) -> str:
    """Write a fraction in percent; ``None`` is what JSON has for NaN."""
    if value is None or not math.isfinite(value):
        return DASH
    return _signed(f"{value:.{digits}%}")


def number(value: float | None, digits: int = 2) -> str:
    """Write a plain number; ``None`` is what JSON has for NaN."""
    if value is None or not math.isfinite(value):
        return DASH
    return _signed(f"{value:,.{digits}f}")


def money(value: Decimal | float, digits: int = 0) -> str:
    """Write money rounded, thousands separated."""
    return number(float(value), digits)


def exact(value: Decimal) -> str:
    """Write money with every digit it has."""
    return _signed(f"{value:,f}")


def day(ns: int | None) -> str:
    """Write the UTC date of an int64 ns time."""
    return DASH if ns is None else str(np.datetime64(ns, "ns"))[:10]


def minute(ns: int) -> str:
    """Write the UTC date and minute of an int64 ns time."""
    return str(np.datetime64(ns, "ns"))[:16].replace("T", " ")


def second(ns: int) -> str:
    """Write the UTC time of day of an int64 ns time, to the second."""
    return str(np.datetime64(ns, "ns"))[11:19]


def ratio(value: float | None) -> str:
    """Write a margin ratio in percent; one without a bound is that of an account with nothing."""
    return "nothing left" if value is None else percent(value)


def span(low: float, high: float, as_percent: bool, digits: int = 1) -> str:
    """Write an interval."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return DASH
    write = percent if as_percent else number
    return f"{write(low, digits)} \u2026 {write(high, digits)}"


def _signed(text: str) -> str:
    zero = not text.strip("-0.,%")
    return text.lstrip("-") if zero else text.replace("-", _MINUS)
