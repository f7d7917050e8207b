"""What the risk checks refused, for a terminal and a page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from crypto_quant.backtesting.metrics.description import Refusal


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
    return (
        f"No order was sent: all that the strategy wanted was refused, by {names}. The limits are "
        "those of [risk] in the configuration."
    )


def lines(rows: Sequence[Refusal], orders: int) -> Iterator[str]:
    """Yield the table, and the sentence where nothing was sent."""
    if not rows:
        return
    yield f"{'refused, by check':<42}{'orders':>10}{'targets cut':>14}{'to nothing':>14}"
    for row in rows:
        yield f"{row.check:<42.42}{row.orders:>10,}{row.targets:>14,}{row.to_nothing:>14,}"
    if said := nothing_sent(rows, orders):
        yield said
