"""Heat maps as tables: months down to colours that print and that everybody can tell apart."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from crypto_quant.backtesting.metrics.periods import Month
from crypto_quant.backtesting.visualization.formats import DASH, percent

_UP, _DOWN = (11, 79, 138), (213, 94, 0)


class Cell(NamedTuple):
    """A cell: text, CSS background and text colour, and a tooltip."""

    text: str
    background: str
    ink: str
    title: str


class HeatRow(NamedTuple):
    """A year: twelve cells and the year's own figure."""

    year: int
    cells: tuple[Cell, ...]
    total: str


def returns(months: tuple[Month, ...]) -> list[HeatRow]:
    """Colour monthly returns: blue up, orange down, white at 0."""
    known = [abs(m.ret) for m in months if math.isfinite(m.ret)]
    edge = float(np.quantile(known, 0.95)) if known else 1.0
    rows = []
    for year in sorted({m.year for m in months}):
        own = {m.month: m for m in months if m.year == year}
        gained = [m.ret for m in own.values() if math.isfinite(m.ret)]
        total = percent(float(np.prod([1 + r for r in gained])) - 1) if gained else DASH
        cells = tuple(_cell(own.get(k), "ret", 0.0, edge) for k in range(1, 13))
        rows.append(HeatRow(year, cells, total))
    return rows


def win_rates(months: tuple[Month, ...]) -> list[HeatRow]:
    """Colour the share of days won: blue above 55 %, orange below."""
    return [
        HeatRow(
            year,
            tuple(
                _cell({m.month: m for m in months if m.year == year}.get(k), "win", 0.55, 0.35)
                for k in range(1, 13)
            ),
            "",
        )
        for year in sorted({m.year for m in months})
    ]


def _cell(month: Month | None, what: str, middle: float, edge: float) -> Cell:
    if month is None:
        return Cell("", "transparent", "inherit", "")
    value = month.ret if what == "ret" else month.win_rate
    title = f"{month.hole_days} days without data" if month.hole_days else ""
    if not math.isfinite(value):
        return Cell(DASH, "#eef0f3", "inherit", title or "no day with exposure")
    depth = min(abs(value - middle) / max(edge, 1e-9), 1.0)
    tone = _UP if value >= middle else _DOWN
    mixed = tuple(round(255 + (part - 255) * depth * 0.85) for part in tone)
    dark = 0.299 * mixed[0] + 0.587 * mixed[1] + 0.114 * mixed[2] < 140
    mark = "*" if month.hole_days else ""
    return Cell(
        percent(value, 1 if what == "ret" else 0) + mark,
        f"rgb({mixed[0]},{mixed[1]},{mixed[2]})",
        "#fff" if dark else "inherit",
        title,
    )
