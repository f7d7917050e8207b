"""What was asked for and may not have been: counted by the check or rule that stopped it."""

from __future__ import annotations

from collections import Counter

from crypto_quant.backtesting.metrics.description import Refusal
from crypto_quant.core.messages import Decision, Target
from crypto_quant.strategy.risk_manager.reasons import cutters, refuser


class Refusals:
    """Counts orders that were refused, and targets that were cut, as decisions pass by."""

    def __init__(self) -> None:
        self._orders: Counter[str] = Counter()
        self._targets: Counter[str] = Counter()
        self._emptied: Counter[str] = Counter()

    def take(self, decision: Decision) -> None:
        """Count what a decision was refused."""
        for refused in decision.refused:
            self._orders[refuser(refused.reason)] += 1
        for target in decision.targets:
            checks = cutters(target.reason)
            self._targets.update(checks)
            if checks and _is_empty(target):
                self._emptied.update(checks)

    def rows(self) -> tuple[Refusal, ...]:
        """Return a row for each check that stopped anything, one for other rules; most first."""
        names = sorted(self._orders | self._targets)
        rows = [
            Refusal(
                check=name,
                orders=self._orders[name],
                targets=self._targets[name],
                to_nothing=self._emptied[name],
            )
            for name in names
        ]
        return tuple(sorted(rows, key=lambda row: -(row.orders + row.targets)))


def _is_empty(target: Target) -> bool:
    return not target.quotes if target.quotes is not None else not target.quantity
