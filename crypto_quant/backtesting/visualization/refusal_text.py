"""What risk checks and other rules refused, for a terminal and a page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from crypto_quant.backtesting.metrics.description import Refusal
from crypto_quant.strategy.risk_manager.reasons import OTHER_RULES


def merged(sessions: Sequence[Sequence[Refusal]]) -> tuple[Refusal, ...]:
    """Return the refusals of several sessions as one table."""
    found: dict[str, Refusal] = {}
    for row in (row for rows in sessions for row in rows):
        before = found.get(row.check, Refusal(check=row.check, orders=0, targets=0, to_nothing=0))
        found[row.check] = Refusal(
            check=row.check,
            orders=before.orders + row.orders,
            targets=before.targets + row.targets,
            to_nothing=before.to_nothing + row.to_nothing,
        )
    return tuple(sorted(found.values(), key=lambda row: (-(row.orders + row.targets), row.check)))


def nothing_sent(rows: Sequence[Refusal], orders: int) -> str:
    """Return the sentence for a run without an order because of checks; empty for others."""
    if orders or not rows:
        return ""
    names = " and ".join(row.check for row in rows)
    said = f"No order was sent: all that the strategy wanted was refused, by {names}."
    if any(row.check != OTHER_RULES for row in rows):
        said += " The limits are those of [risk] in the configuration."
    return said


def other_rules(rows: Sequence[Refusal]) -> str:
    """Return the sentence for what no check refused; empty where there is none of it."""
    if all(row.check != OTHER_RULES for row in rows):
        return ""
    return (
        "Other rules are no limits: orders of one sleeve that go together or not at all, an order "
        "that is being changed already, a quote that would meet one of another sleeve."
    )


def lines(rows: Sequence[Refusal], orders: int) -> Iterator[str]:
    """Yield the table, and the sentence where nothing was sent."""
    if not rows:
        return
    yield f"{'refused, by check':<42}{'orders':>10}{'targets cut':>14}{'to nothing':>14}"
    for row in rows:
        yield f"{row.check:<42.42}{row.orders:>10,}{row.targets:>14,}{row.to_nothing:>14,}"
    yield from filter(None, (nothing_sent(rows, orders), other_rules(rows)))
