"""Formats: numbers and times as people read them; what is undefined is a dash."""

from __future__ import annotations

import math
from decimal import Decimal

import numpy as np

DASH = "\u2013"
_MINUS = "\u2212"


def percent(value: float, digits: int = 1) -> str:
    """Write a fraction in percent."""
    return _signed(f"{value:.{digits}%}") if math.isfinite(value) else DASH


def number(value: float, digits: int = 2) -> str:
    """Write a plain number."""
    return _signed(f"{value:,.{digits}f}") if math.isfinite(value) else DASH


def money(value: Decimal | float, digits: int = 0) -> str:
    """Write money rounded, thousands separated."""
    return number(float(value), digits)


def exact(value: Decimal) -> str:
    """Write money with every digit it has."""
    return _signed(f"{value:,f}")


def day(ns: int | None) -> str:
    """Write the UTC date of an int64 ns time."""
    return DASH if ns is None else str(np.datetime64(ns, "ns"))[:10]


def span(low: float, high: float, as_percent: bool, digits: int = 1) -> str:
    """Write an interval."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return DASH
    write = percent if as_percent else number
    return f"{write(low, digits)} \u2026 {write(high, digits)}"


def _signed(text: str) -> str:
    zero = not text.strip("-0.,%")
    return text.lstrip("-") if zero else text.replace("-", _MINUS)
