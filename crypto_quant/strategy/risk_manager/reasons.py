"""How a check names itself in what it cut or refused, and how that is read again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from crypto_quant.strategy.risk_manager import CHECKS

OTHER_RULES: Final = "other rules"
"""What refused where no check did: for one, an order of the same sleeve was refused."""
_CUT: Final = "; cut by "
_AND: Final = " and "
_SAYS: Final = ": "


def cut_by(reason: str, checks: Iterable[str]) -> str:
    """Return the reason of a target that checks made smaller."""
    return f"{reason}{_CUT}{_AND.join(checks)}"


def cutters(reason: str) -> tuple[str, ...]:
    """Return the checks that made a target smaller, by its reason; none: it was left alone."""
    _, found, checks = reason.rpartition(_CUT)
    return tuple(checks.split(_AND)) if found else ()


def refused_by(check: str, why: str) -> str:
    """Return the reason of a refusal."""
    return f"{check}{_SAYS}{why}"


def refuser(reason: str) -> str:
    """Return the check that refused, by its reason; ``OTHER_RULES`` where it was none."""
    check = reason.partition(_SAYS)[0]
    return check if check in CHECKS else OTHER_RULES
