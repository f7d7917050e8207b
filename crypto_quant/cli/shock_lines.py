"""The table of shocks as the terminal shows it, place by place."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap
from typing import Final

import numpy as np

from crypto_quant.backtesting.stress.measure import Figures
from crypto_quant.backtesting.stress.result import ShockRow, Stressed

_LABEL: Final = 33
"""Wide enough for a shock that names nothing of the run."""
_LINE: Final = 100
_HOURLY: Final = 2
"""Digits of a percentage on bars; ticks have more, and begin within a minute."""


def shock_lines(found: Stressed) -> Iterator[str]:
    """Yield the lines: a block for each moment that shocks begin at, in it one for each shock."""
    wide = found.digits + 6
    names = max([_LABEL, *(len(row.label) + 4 for row in found.shocks)])
    yield (
        f"{'shock':<{names}}{'plain':>{wide}}{'return':>{wide}}{'fall':>{wide}}"
        f"{'margin':>8}{'stops':>13}  limits"
    )
    blocks: dict[tuple[str, int, float | None], list[ShockRow]] = {}
    for row in found.shocks:
        begins = (row.place, row.start, row.held) if row.shocked else ("", 0, None)
        blocks.setdefault(begins, []).append(row)
    left_out = blocks.pop(("", 0, None), [])
    for rows in blocks.values():
        yield from _block(rows, found.digits, names)
    reasons: dict[tuple[str, str], list[str]] = {}
    for row in left_out:
        where = f", {row.place}" if found.digits > _HOURLY else ""
        reasons.setdefault((where, row.why), []).append(row.label)
    for (where, why), labels in reasons.items():
        text = f"{'; '.join(labels)}{where}: does not apply: {why}"
        yield from wrap(text, _LINE, subsequent_indent="  ")


def _block(rows: list[ShockRow], digits: int, names: int) -> Iterator[str]:
    first = rows[0]
    when = str(np.datetime64(first.start, "ns"))
    when = when[11:23] if digits > _HOURLY else when[:16].replace("T", " ")
    if first.held is not None:
        each = ", ".join(f"{name} {over:.2%}" for name, over in first.books)
        yield f"{first.place}, from {when} on, position {each or f'{first.held:.2%}'} of equity"
    elif digits > _HOURLY:
        yield f"{first.place}, from the first decision on"
    else:
        yield f"{first.place} on, {when}"
    if all(row.is_idle for row in rows):
        yield "  nothing was held: this shows nothing of any shock here"
        return
    for row in rows:
        if row.plain is None or row.shocked is None:
            continue
        label = f"  {row.label}"
        if row.is_idle:
            yield f"{label:<{names}}  nothing was held: this shows nothing"
            continue
        plain = f"{row.plain.ret:z.{digits}%}"
        yield f"{label:<{names}}{plain:>{digits + 6}}{figures(row.shocked, digits)}"


def figures(seen: Figures, digits: int) -> str:
    """Return the figures of a stretch: return, deepest fall, margin ratio, stops, limits."""
    broken = [limit.name for limit in seen.limits if not limit.held]
    said = "RUINED" if seen.ruined else ", ".join(broken) + " broken" if broken else "held"
    stops = f"{seen.stops.filled} · {seen.stops.worst_bps:z.0f} bp" if seen.stops.filled else "-"
    wide = digits + 6
    ret, fall = f"{seen.ret:z.{digits}%}", f"{seen.depth:z.{digits}%}"
    return f"{ret:>{wide}}{fall:>{wide}}{seen.margin_ratio:>8.1%}{stops:>13}  {said}"
