"""Details: every figure of the main rows, one line a figure."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from typing import NamedTuple

from crypto_quant.backtesting.metrics.evaluation import Evaluation
from crypto_quant.backtesting.metrics.figures import RowFigures
from crypto_quant.backtesting.visualization.formats import day, number, percent

Write = Callable[[RowFigures], str]


class Line(NamedTuple):
    """A figure, and its value in each row."""

    label: str
    cells: tuple[str, ...]


class Group(NamedTuple):
    """Figures that belong together."""

    name: str
    lines: tuple[Line, ...]


def chosen(found: Evaluation) -> list[RowFigures]:
    """Choose the rows that are shown in full: portfolio, sleeves, buy-and-hold."""
    kept = [row for row in found.rows if row.kind in ("portfolio", "sleeve")]
    return kept + [row for row in found.rows if row.key == "buy_and_hold"]


def groups(found: Evaluation) -> list[Group]:
    """Write every figure of the chosen rows; one over cash only where a yield is known."""
    rows = chosen(found)
    is_cash_known = any(isfinite(v) for row in rows for v in row.figures.sharpe_over_cash)
    return [
        Group(
            name,
            tuple(
                Line(label, tuple(map(write, rows)))
                for label, write in lines.items()
                if write is not _cash or is_cash_known
            ),
        )
        for name, lines in _GROUPS.items()
    ]


def _holes(row: RowFigures) -> str:
    return " / ".join(number(value) for value in row.figures.sharpe_with_holes)


def _cash(row: RowFigures) -> str:
    return " / ".join(number(value) for value in row.figures.sharpe_over_cash)


_GROUPS: dict[str, dict[str, Write]] = {
    "Return and risk": {
        "CAGR": lambda row: percent(row.scored.cagr),
        "Total return": lambda row: percent(row.scored.total),
        "Volatility": lambda row: percent(row.figures.volatility),
        "Best day": lambda row: percent(row.figures.best_day),
        "Worst day": lambda row: percent(row.figures.worst_day),
        "Skew": lambda row: number(row.figures.skew),
        "Kurtosis (normal: 3)": lambda row: number(row.figures.kurtosis, 1),
        "Value at risk, 1 day, 95%": lambda row: percent(row.figures.var_95, 2),
        "Expected shortfall, 1 day, 95%": lambda row: percent(row.figures.shortfall_95, 2),
        "Costs paid, of equity a year": lambda row: percent(row.figures.costs_per_year),
    },
    "Drawdown": {
        "Max drawdown, hourly marks": lambda row: percent(row.scored.max_drawdown),
        "From peak": lambda row: day(row.figures.drawdown_peak_ns),
        "Trough": lambda row: day(row.figures.drawdown_trough_ns),
        "Recovered": lambda row: day(row.figures.drawdown_recovered_ns),
        "Longest under water, days": lambda row: number(row.figures.longest_underwater_days, 0),
        "Calmar": lambda row: number(row.figures.calmar),
    },
    "Return over risk": {
        "Sharpe, daily": lambda row: number(row.scored.sharpe_daily),
        "Sharpe, monthly": lambda row: number(row.scored.sharpe_monthly),
        "Sharpe, Newey\u2013West 60 days": lambda row: number(row.scored.sharpe_newey_west),
        "Lowest of the three": lambda row: number(row.scored.sharpe_lowest),
        "The three with hole days in": _holes,
        "The three over cash": _cash,
        "Sortino": lambda row: number(row.figures.sortino),
        "PSR (true Sharpe > 0), daily": lambda row: percent(row.figures.psr),
        "DSR (after the trials), daily": lambda row: percent(row.figures.dsr),
        "PSR on the lowest": lambda row: percent(row.figures.psr_lowest),
        "DSR on the lowest": lambda row: percent(row.figures.dsr_lowest),
        "Track record needed, years": lambda row: number(row.figures.min_track_record_years),
    },
    "Winning and losing": {
        "Days with exposure": lambda row: number(row.figures.exposed_days, 0),
        "Win days": lambda row: percent(row.scored.win_rate),
        "Win days with hole days in": lambda row: percent(row.figures.win_rate_with_holes),
        "Profit / loss of days": lambda row: number(row.figures.day_payoff),
        "Profit factor of days": lambda row: number(row.figures.day_profit_factor),
        "Round trips": lambda row: number(row.figures.round_trips, 0),
        "Profit / loss of round trips": lambda row: number(row.scored.payoff),
        "Profit factor of round trips": lambda row: number(row.figures.profit_factor),
        "Expectancy of a round trip": lambda row: number(row.figures.expectancy),
    },
}
